"""The text that the model learns from: which sources, how much of each, what is held back, and the one file it travels in."""

import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from workers.retrain.prepare import rows
from workers.retrain.starter import texts_zh
from workers.retrain.starter.examples import Document
from workers.retrain.starter.prompts import is_chinese

FILE = "texts.jsonl.xz"

SHARES: Mapping[str, float] = {
    **dict.fromkeys(
        (
            *("ms_sharepoint_onedrive", "ms_business_central", "ms_office_support", "ms_dynamics_guidance"),
            *(
                "ms_project_operations",
                "ms_m365_community",
                "openstax_economics",
                "va_gov_help",
                "gsa_smartpay",
            ),
            *("govuk_smart_answers", "onrr_revenue", "covid_faq_gov", "login_gov_help", "cfpb_owning_a_home"),
            *("star_dialogues", "taskmaster_dialogues", "multiwoz_dialogues"),
            *("18f_site_blog", "18f_handbook", "section508", "uk_service_manual", "plainlanguage_gov"),
            *(
                "openstax_college_success",
                "openstax_intellectual_property",
                "nist_identity",
                "opensource_guide",
            ),
            *("18f_content_guide", "18f_methods", "usds_playbook"),
        ),
        1.0,
    ),
    "digital_gov": 0.6,
    "openstax_us_history_llph": 0.6,
    "openstax_anthropology": 0.6,
    "standard_ebooks": 0.08,
}
"""Of each English source's documents. Left out: what is share-alike, and novels that are free in the United States alone."""

QUOTED = texts_zh.QUOTED | frozenset(SHARES) - {
    "star_dialogues",
    "taskmaster_dialogues",
    "multiwoz_dialogues",
    "standard_ebooks",
}
"""What is written like a help page: examples quote its sentences."""

HELD_BACK, HELD_BACK_ZH = 0.01, 0.04
"""There is far less Chinese, and a hundredth of it would say little."""
SHORTEST_PARAGRAPH, SHORTEST_PARAGRAPH_ZH = 60, 20
LONGEST_DOCUMENT = 24_000
"""Characters; longer documents are cut, so that no book stands for all books."""


def gather(folder: Path) -> Iterator[dict[str, object]]:
    """The chosen documents of the public sets below `folder`: source, title, text, and whether it is held back; which, follows from the
    text alone.
    """
    for source, share in SHARES.items():
        for row in rows(folder / "pretrain" / f"{source}.jsonl.xz"):
            text = str(row["text"]).strip()[:LONGEST_DOCUMENT]
            place = _place(source, text)
            if place < share:
                title = str(row.get("title", "")).strip()
                yield {"source": source, "title": title, "text": text, "dev": place < share * HELD_BACK}
    for source, title, text in texts_zh.gather(folder):
        dev = _place(source, text) < HELD_BACK_ZH
        yield {"source": source, "title": title, "text": text[:LONGEST_DOCUMENT], "dev": dev}


def _place(source: str, text: str) -> float:
    """In [0, 1), as if it were drawn."""
    return int(hashlib.sha256(f"{source}\0{text}".encode()).hexdigest()[:12], 16) / 16**12


def save(found: Iterable[dict[str, object]], file: Path) -> int:
    """Returns how many documents there are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with lzma.open(file, "wt", encoding="utf-8", preset=9 | lzma.PRESET_EXTREME) as out:
        for row in found:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def load(file: Path, *, dev: bool) -> list[dict[str, str]]:
    return [row for row in rows(file) if row["dev"] == dev]


def documents(found: Iterable[Mapping[str, str]]) -> list[Document]:
    """Those that examples quote, as paragraphs; what has too little of them, or no title, is left out."""
    made = []
    for row in found:
        if row["source"] in QUOTED and row["title"]:
            chinese = is_chinese(row["title"])
            least = SHORTEST_PARAGRAPH_ZH if chinese else SHORTEST_PARAGRAPH
            parts = tuple(part.strip() for part in row["text"].split("\n\n") if len(part.strip()) >= least)
            if parts:
                made.append(Document(row["title"], parts, chinese))
    return made
