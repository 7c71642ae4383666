"""What the analysis of finished conversations finds on the written set in `tests/data/analysis`, and how fast it is.

Every sentence was said on `SAID_AT`. Precision and recall of promises, of their days, of turns that sound good or bad, and of what counts as
said on a check-list; on each part of the set, of which rules were written with the first before one's eyes, and `adverse` is made of what
misleads rules (denied, asked, ironical). The speed is that of calls put together from the set's sentences.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

from benchmarks.reporting import report
from infra.dev.ground import ROOT
from parley.backends.tenant_folder import load
from parley.domain.analysis import SaidTurn, analyse
from parley.domain.analysis.checklist import DEFAULT
from parley.domain.analysis.checks import checks
from schemas.analysis import Analysis, Side
from schemas.tenant import TenantConfig

SAID_AT = datetime(2026, 11, 30, 10, tzinfo=UTC)
FOLDER = ROOT / "tests" / "data" / "analysis"
PARTS = ("tune", "blind", "late", "adverse", "adverse_blind")
CHECKED = PARTS[3:]
CALLS = 1_000
TURNS = 60


def main() -> None:
    config = load(ROOT / "tenants" / "bank").config
    for part in PARTS:
        report(f"analysis_promises_{part}", **promises(rows("promises", part), config))
        report(f"analysis_sentiment_{part}", **sentiment(rows("sentiment", part), config))
    for part in CHECKED:
        report(f"analysis_checks_{part}", **checked(rows("checks", part)))
    report("analysis_speed", calls=CALLS, turns=TURNS, seconds=round(seconds(config), 2))


def rows(name: str, part: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["part"] == part]


def promises(said: Sequence[dict[str, Any]], config: TenantConfig) -> dict[str, object]:
    """`due` is the share of the promises with a day, and of those without, that have the right one."""
    found = [(row, one.promises) for row, one in _analysed(said, config)]
    right = [(row, made[0]) for row, made in found if row["promise"] and made]
    days = [(promise.due.isoformat() if promise.due else None) == row["due"] for row, promise in right]
    return {
        "sentences": len(said),
        **_figures(len(right), sum(bool(made) for _, made in found), sum(row["promise"] for row in said)),
        "due": _share(sum(days), len(days)),
        "wrong": [row["text"] for row, made in found if row["promise"] != bool(made)],
    }


def sentiment(said: Sequence[dict[str, Any]], config: TenantConfig) -> dict[str, object]:
    """A sentence counts as found where it sounds good or bad, and as right where it sounds as it should; `not bad` may be good or neither."""
    found = [(row["sounds"], _sounds(one)) for row, one in _analysed(said, config)]
    right = sum(sounds in _ALLOWED[expected] for expected, sounds in found if sounds != "neutral")
    there = [sounds == expected for expected, sounds in found if expected in ("good", "bad")]
    return {
        "sentences": len(said),
        "precision": _share(right, sum(sounds != "neutral" for _, sounds in found)),
        "recall": _share(sum(there), len(there)),
        "wrong": [
            row["text"]
            for row, (expected, sounds) in zip(said, found, strict=True)
            if sounds not in _ALLOWED[expected]
        ],
    }


_ALLOWED = {
    "good": ("good",),
    "bad": ("bad",),
    "neutral": ("neutral",),
    "not bad": ("good", "neutral"),
}


def checked(said: Sequence[dict[str, Any]]) -> dict[str, object]:
    """By the platform's own check-list: what counts as said although it was denied costs precision."""
    found = [(row, _passed(row["check"], row["text"])) for row in said]
    right = sum(row["said"] and passed for row, passed in found)
    return {
        "sentences": len(said),
        **_figures(right, sum(passed for _, passed in found), sum(row["said"] for row in said)),
        "wrong": [row["text"] for row, passed in found if row["said"] != passed],
    }


def _passed(check: str, text: str) -> bool:
    found = checks(DEFAULT, [SaidTurn(1, "human_agent", text, SAID_AT)])
    return next(one.passed for one in found if one.id == check)


def seconds(config: TenantConfig) -> float:
    """Of processor time, for analysing `CALLS` calls of `TURNS` turns, no two of which are the same."""
    said = [row["text"] for name in ("promises", "sentiment") for part in PARTS for row in rows(name, part)]
    calls = [[said[(7 * call + turn) % len(said)] for turn in range(TURNS)] for call in range(CALLS)]
    began = process_time()
    for number, call in enumerate(calls):
        analyse(list(_turns(call)), config, "zh" if number % 2 else "en")
    return process_time() - began


def _turns(texts: Iterable[str]) -> Iterable[SaidTurn]:
    for at, text in enumerate(texts):
        side: Side = "customer" if at % 2 else "human_agent"
        yield SaidTurn(at + 1, side, text, SAID_AT + timedelta(seconds=6 * at))


def _analysed(
    said: Sequence[dict[str, Any]], config: TenantConfig
) -> Iterable[tuple[dict[str, Any], Analysis]]:
    for row in said:
        yield row, analyse([SaidTurn(1, row["side"], row["text"], SAID_AT)], config, "en")


def _sounds(found: Analysis) -> str:
    score = next((turn.score for turn in found.sentiment.turns), 0.0)
    return "good" if score > 0 else "bad" if score < 0 else "neutral"


def _figures(right: int, found: int, there: int) -> dict[str, float]:
    return {"precision": _share(right, found), "recall": _share(right, there)}


def _share(some: int, whole: int) -> float:
    return round(some / whole, 3) if whole else 1.0
