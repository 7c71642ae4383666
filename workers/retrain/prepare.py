"""The training data as one file: pairs for retrieval, titles with their paragraphs, intents with their examples.

Read from the public sets below the data folder (`PARLEY_DATA`) and from this repository's tenants; `models/encoder/README.md` names the
sets with their licences. What is held back for development is chosen by a digest of the id, so it is the same whatever the order.
"""

import gzip
import hashlib
import json
import lzma
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

DEV_PERCENT = 25
TITLES = 40_000
SHORTEST_PARAGRAPH = 12
SHORTEST_SECTION = 9
LONGEST_PARAGRAPH = 700
LONGEST_SECTION = 900
RETRIEVAL = ("ask_cfpb", "doc2dial", "dstc10_spoken")
TITLED = (
    *("ms_office_support", "ms_sharepoint_onedrive", "ms_m365_community", "ms_business_central"),
    *("ms_dynamics_guidance", "ms_project_operations", "digital_gov", "18f_handbook", "va_gov_help"),
    *("login_gov_help", "covid_faq_gov", "gsa_smartpay", "govuk_smart_answers", "uk_service_manual"),
    *("cfpb_owning_a_home", "nist_identity", "onrr_revenue", "section508", "plainlanguage_gov"),
)
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


@dataclass(slots=True)
class Passages:
    """A retrieval set: passages as (id, title, text), questions with history and the ids that answer them."""

    corpus: list[tuple[str, str, str]]
    queries: list[dict[str, Any]]


@dataclass(slots=True)
class Data:
    """Everything that training draws from. Intent rows are (text, intent)."""

    retrieval: dict[str, Passages] = field(default_factory=dict)
    #: (source, title, paragraph)
    titles: list[tuple[str, str, str]] = field(default_factory=list)
    intents: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: (title, heading, text) of the tenants' own English articles
    articles: list[tuple[str, str, str]] = field(default_factory=list)
    #: Questions without labels, whose distances to one another are kept as the base model has them
    unlabelled: list[str] = field(default_factory=list)


def prepare(data: Path, tenants: Path, out: Path) -> Data:
    """Read everything and write it to `out` (gzipped JSON)."""
    made = Data(
        retrieval={name: passages(data / f"retrieval_{name}") for name in RETRIEVAL},
        titles=_titles(data / "pretrain"),
        intents=_intents(data, tenants),
        articles=list(_articles(tenants)),
        unlabelled=[row["text"] for row in rows(data / "banking77" / "train.jsonl")],
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(out, "wt", encoding="utf-8") as file:
        json.dump(asdict(made), file, ensure_ascii=False)
    return made


def load(file: Path) -> Data:
    with gzip.open(file, "rt", encoding="utf-8") as held:
        found = json.load(held)
    found["retrieval"] = {name: Passages(**each) for name, each in found["retrieval"].items()}
    return Data(**found)


def rows(file: Path) -> Iterator[dict[str, Any]]:
    with OPENERS.get(file.suffix, open)(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def held_back(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 100 < DEV_PERCENT


def passages(folder: Path) -> Passages:
    """A set in BEIR's form."""
    gold: dict[str, list[str]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, passage, _ = line.split("\t")[:3]
        gold.setdefault(query, []).append(passage)
    corpus = [(row["id"], row.get("title", ""), row["text"]) for row in rows(folder / "corpus.jsonl.gz")]
    queries = [
        {
            "text": row["text"],
            "history": [turn["text"] for turn in row.get("history", [])],
            "gold": gold[row["id"]],
            # All turns of a dialogue fall to one side.
            "dev": held_back(row.get("dialogue") or row["id"]),
        }
        for row in rows(folder / "queries.jsonl")
        if row["id"] in gold
    ]
    return Passages(corpus, queries)


def _titles(folder: Path) -> list[tuple[str, str, str]]:
    """A page's title with its first paragraph and, of longer pages, one more."""
    rng = random.Random(1)
    found = []
    for source in TITLED:
        for row in rows(folder / f"{source}.jsonl.xz"):
            title = row.get("title", "").strip()
            parts = [part.strip() for part in re.split(r"\n\n+", row["text"])]
            parts = [part for part in parts if len(part.split()) >= SHORTEST_PARAGRAPH]
            if len(title.split()) < 3 or not parts:
                continue
            found.append((source, title, parts[0][:LONGEST_PARAGRAPH]))
            if len(parts) > 4:
                found.append((source, title, parts[rng.randrange(1, len(parts) - 1)][:LONGEST_PARAGRAPH]))
    rng.shuffle(found)
    return found[:TITLES]


def _intents(data: Path, tenants: Path) -> dict[str, list[tuple[str, str]]]:
    public = {
        "clinc": "clinc150/train.jsonl",
        "clinc_dev": "clinc150/val.jsonl",
        "bitext": "bitext_intents/train.jsonl",
        "rasa": "rasa_financial_nlu/examples.jsonl",
    }
    found = {name: list(_labelled(rows(data / file))) for name, file in public.items()}
    for tenant in ("bank", "mobile"):
        found[tenant] = [
            (text, intent["id"])
            for file in sorted((tenants / tenant / "intents").glob("*.yaml"))
            for intent in [yaml.safe_load(file.read_text("utf-8"))]
            for text in intent["examples"].get("en", [])
        ]
    return found


def _labelled(found: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """In-scope examples: what is out of scope has nothing in common."""
    for row in found:
        if row.get("intent") and row["intent"] not in ("oos", "out_of_scope"):
            yield row["text"], str(row["intent"])


def _articles(tenants: Path) -> Iterator[tuple[str, str, str]]:
    for tenant in ("bank", "mobile"):
        for file in sorted((tenants / tenant / "articles" / "en").glob("*.md")):
            _, front, body = file.read_text("utf-8").split("---", 2)
            title = yaml.safe_load(front)["title"]
            for section in re.split(r"\n(?=## )", body):
                heading = re.match(r"## (.*)\n", section.strip())
                text = re.sub(r"^## .*\n", "", section.strip()).strip()
                if len(text.split()) >= SHORTEST_SECTION:
                    yield title, heading[1] if heading else "", text[:LONGEST_SECTION]
