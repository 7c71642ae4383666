"""Masking on the written set in `tests/data/masking`, and Presidio's pattern recognisers beside it where they are installed.

Presidio is no part of any lock: `uv pip install --group presidio`. Its recognisers of names and places need a spaCy model, none of which is in
the package index from its makers; so Presidio runs on an empty pipeline and knows no name, no address and nothing that is announced by
words alone. Both are given every text; Presidio's recognisers for English look at the Chinese ones too, since most of what they look for
has no language.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks.reporting import report
from infra.dev.ground import ROOT
from parley.backends.tenant_folder import load
from parley.cli.evaluating_masking import finder
from parley.cli.masking_files import Marked, Stretch, read
from parley.cli.masking_scores import Finder, measure
from parley.domain.masking import masker_of

HALVES = ("tune", "blind")
NO_PERSONAL_DATA = frozenset({"DATE_TIME", "URL", "IP_ADDRESS", "NRP"})
"""What Presidio finds besides, and nobody here is asked to mask."""
THRESHOLDS = (0.0, 0.4)
"""Presidio's default, and what leaves out most guesses by shape alone."""


def main() -> None:
    rows = {half: read(ROOT / "tests" / "data" / "masking" / f"{half}.jsonl") for half in HALVES}
    ours = finder(masker_of(load(ROOT / "tenants" / "bank").config.privacy.patterns))
    for half, texts in rows.items():
        _report(f"masking_{half}", texts, ours)
    for threshold in THRESHOLDS:
        theirs = _presidio(threshold)
        if theirs is None:
            report(
                "masking_presidio", measured=False, reason="not installed: uv pip install --group presidio"
            )
            return
        everything = [text for texts in rows.values() for text in texts]
        _report("masking_presidio", everything, theirs, threshold=threshold)


def _report(name: str, texts: Sequence[Marked], find: Finder, **more: object) -> None:
    find(texts[0].text)
    line: dict[str, Any] = measure(texts, find).line()
    if name == "masking_presidio":
        del line["right_kind"]  # its kinds have other names
    report(name, **more, **line, to_reach={"recall": 0.98, "false_masks": 0.01})


def _presidio(threshold: float) -> Finder | None:
    try:
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError:
        return None
    tldextract.extract = tldextract.TLDExtract(
        suffix_list_urls=()
    )  # the list that it carries: nothing is fetched
    engine = SpacyNlpEngine()
    engine.nlp = {"en": spacy.blank("en")}
    analyzer = AnalyzerEngine(
        nlp_engine=engine, supported_languages=["en"], default_score_threshold=threshold
    )

    def find(text: str) -> list[Stretch]:
        return [
            Stretch(each.start, each.end, each.entity_type.lower())
            for each in analyzer.analyze(text, "en")
            if each.entity_type not in NO_PERSONAL_DATA
        ]

    return find
