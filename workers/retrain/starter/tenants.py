"""The repository's tenants as the adapters' training needs them: one JSON file, written with Parley's own readers, read without them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from workers.retrain.starter.prompts import Source

FILE = "tenants.json"
TENANTS = ("bank", "mobile")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage and what customers call that which its article is about; `asked` is empty but for an article's first chunk."""

    article: str
    source: Source
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant in one language. `off` are messages that no article answers."""

    id: str
    language: str
    system: str
    shots: tuple[tuple[str, str], ...]
    chunks: tuple[Chunk, ...]
    off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """`rules` are the platform's instructions by language, as every prompt has them."""

    rules: dict[str, str] = field(default_factory=dict)
    tenants: tuple[Tenant, ...] = ()


def read(folder: Path) -> Prepared:
    """Raises `TenantInvalid` as the import of a tenant does."""
    from parley.backends.tenant_folder import load as load_tenant
    from parley.domain.chunking import chunks_of
    from parley.domain.prompting import RULES

    made = []
    for id_ in TENANTS:
        found = load_tenant(folder / id_)
        cut = chunks_of(found.content.articles)
        named = {intent.replace("_", "-"): intent for intent in found.content.examples}
        for language in found.config.languages:
            first: set[str] = set()
            chunks = []
            for chunk in (each for each in cut if each.language == language):
                asked: Sequence[str] = ()
                if chunk.article_id not in first:
                    first.add(chunk.article_id)
                    examples = found.content.examples.get(named.get(chunk.article_id, ""), {})
                    asked = [*chunk.asked_as, *examples.get(language, ())]
                chunks.append(
                    Chunk(chunk.article_id, Source(chunk.title, chunk.text, tuple(chunk.path)), tuple(asked))
                )
            made.append(
                Tenant(
                    id_,
                    language,
                    found.config.prompts.system[language],
                    tuple((s.question, s.answer) for s in found.config.few_shot if s.language == language),
                    tuple(chunks),
                    found.content.examples.get("out_of_scope", {}).get(language, ()),
                )
            )
    return Prepared(dict(RULES), tuple(made))


def save(prepared: Prepared, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(prepared), ensure_ascii=False), "utf-8")


def load(file: Path) -> Prepared:
    found = json.loads(file.read_text("utf-8"))
    return Prepared(
        found["rules"],
        tuple(
            Tenant(
                each["id"],
                each["language"],
                each["system"],
                tuple((question, answer) for question, answer in each["shots"]),
                tuple(
                    Chunk(
                        chunk["article"],
                        Source(chunk["source"][0], chunk["source"][1], tuple(chunk["source"][2])),
                        tuple(chunk["asked"]),
                    )
                    for chunk in each["chunks"]
                ),
                tuple(each["off"]),
            )
            for each in found["tenants"]
        ),
    )
