"""The Chinese texts that training draws from: some to agree on with the large encoder, some that are known to belong together.

Read from the public sets below the data folder (`PARLEY_DATA`) and from this repository's tenants; `models/encoder_zh/README.md` names the sets
with their licences. What is held back for development is chosen as for the English encoder.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from parley.backends.tenant_folder import load as load_tenant
from parley.domain.chunking import chunks_of
from parley.domain.words import CJK
from workers.rag.vectors import text_of
from workers.retrain.batches import passage_text
from workers.retrain.chinese.data import ChineseData, Known, save
from workers.retrain.prepare import passages, rows

RETRIEVAL = ("zh_finfaq", "zh_insurance", "zh_kdconv_travel")
DIALOGUES = ("crosswoz_zh/val.jsonl.gz", "retrieval_zh_kdconv_travel/dialogues.jsonl.gz")
TENANTS = ("bank", "mobile")
LANGUAGE = "zh"


def prepare(data: Path, tenants: Path, out: Path) -> ChineseData:
    """Read everything and write it to `out` (gzipped JSON)."""
    dialogues = [turns for file in DIALOGUES for turns in _dialogues(data / file)]
    known = {name: list(_questions(data / f"retrieval_{name}")) for name in RETRIEVAL}
    articles, examples = _tenants(tenants)
    passages_ = [text for name in RETRIEVAL for text in _corpus(data / f"retrieval_{name}")]
    asked = [each.question for each in chain(*known.values())]
    bodies = [each.passage for each in articles]
    titles = [each.question for each in articles]
    said = list(chain(*dialogues))
    texts = [*passages_, *asked, *examples, *bodies, *titles, *said, *_fin_eva(data)]
    kept = sorted({text.strip() for text in texts if CJK.search(text)})
    made = ChineseData(kept, dialogues, {**known, "articles": articles})
    save(made, out)
    return made


def _questions(folder: Path) -> Iterator[Known]:
    found = passages(folder)
    texts = {id_: passage_text(title, text) for id_, title, text in found.corpus}
    for query in found.queries:
        for id_ in query["gold"]:
            yield Known(query["text"], query["history"], texts[id_], id_, query["dev"])


def _corpus(folder: Path) -> Iterator[str]:
    for _, title, text in passages(folder).corpus:
        yield passage_text(title, text)


def _dialogues(file: Path) -> Iterator[list[str]]:
    for row in rows(file):
        yield [turn["content"] for turn in row["messages"]]


def _fin_eva(data: Path) -> Iterator[str]:
    for name in ("labelled.jsonl", "unlabelled.jsonl.gz"):
        for row in rows(data / "fin_eva_zh" / name):
            yield row["question"]
            yield from (row.get("context") or "", *(row.get("options") or {}).values())


def _tenants(folder: Path) -> tuple[list[Known], list[str]]:
    """What articles are called with each of their chunks, and what customers say."""
    articles: list[Known] = []
    examples: list[str] = []
    for name in TENANTS:
        content = load_tenant(folder / name).content
        for chunk in chunks_of(each for each in content.articles if each.language == LANGUAGE):
            asked = (" ".join((chunk.title, *chunk.path)), *chunk.asked_as)
            articles += [Known(each, [], text_of(chunk), chunk.chunk_id, False) for each in asked]
        for by_language in content.examples.values():
            examples += by_language.get(LANGUAGE, ())
    return articles, examples
