"""What the analysis of finished conversations finds on the written set in `tests/data/analysis`, and how fast it is.

Every sentence was said on `SAID_AT`. Precision and recall of promises, of their days, and of turns that sound good or bad; on each part of
the set, of which rules were written with the first before one's eyes. The speed is that of calls put together from the set's sentences.
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
from schemas.analysis import Analysis, Side
from schemas.tenant import TenantConfig

SAID_AT = datetime(2026, 11, 30, 10, tzinfo=UTC)
FOLDER = ROOT / "tests" / "data" / "analysis"
PARTS = ("tune", "blind", "late")
CALLS = 1_000
TURNS = 60


def main() -> None:
    config = load(ROOT / "tenants" / "bank").config
    for part in PARTS:
        report(f"analysis_promises_{part}", **promises(rows("promises", part), config))
        report(f"analysis_sentiment_{part}", **sentiment(rows("sentiment", part), config))
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
    """A sentence counts as found where it sounds good or bad, and as right where it sounds as it should."""
    found = [(row, _sounds(one)) for row, one in _analysed(said, config)]
    right = sum(row["sounds"] == sounds != "neutral" for row, sounds in found)
    return {
        "sentences": len(said),
        **_figures(
            right,
            sum(sounds != "neutral" for _, sounds in found),
            sum(row["sounds"] != "neutral" for row in said),
        ),
        "wrong": [row["text"] for row, sounds in found if row["sounds"] != sounds],
    }


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
