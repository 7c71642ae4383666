"""The analysis of public calls and dialogues below `PARLEY_DATA`; a set that is not there is skipped."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.calls.formats import read
from parley.domain.analysis import SaidTurn, analyse
from schemas.analysis import Analysis, Side
from tests.integration.test_call_data import below, one, rows
from tests.support.small_tenant import CONFIG

BEGAN = datetime(2026, 11, 30, 10, tzinfo=UTC)


def analysed(turns: list[tuple[Side, str]], language: str = "en") -> Analysis:
    said = [
        SaidTurn(seq, side, text, BEGAN + timedelta(seconds=6 * seq))
        for seq, (side, text) in enumerate(turns, start=1)
    ]
    return analyse(said, CONFIG, language)


def generated_calls() -> list[Analysis]:
    files = sorted(path for path in below("vcon", "vcon_dev_samples").rglob("*") if path.suffix == ".json")
    calls = [call for file in files for call in read(file.read_bytes(), name=file.name)]
    return [analysed([(turn.speaker, turn.text) for turn in call.spoken]) for call in calls]


def test_generated_calls() -> None:
    """All of them begin with a greeting, none says that it is recorded, and nearly all end with thanks."""
    found = generated_calls()
    assert len(found) == 42
    assert all(each.summary.startswith("The customer said: “") for each in found)
    assert sum("thank you." in each.summary[-40:] for each in found) >= 38
    assert sum(bool(each.promises) for each in found) >= 35
    passed = {name: sum(check.passed for each in found for check in each.checks if check.id == name) for name in
              ("greeting", "identification", "disclosure")}  # fmt: skip
    assert passed["greeting"] == 42 and passed["identification"] >= 41 and passed["disclosure"] == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("0002f70f7386445b.json", "I lost my debit card."),
        ("00d676d7058c49bb.json", "I would like to transfer money between my accounts."),
        ("010eaccb7a23436f.json", "I have scheduled your appointment for monday at eleven a m."),
    ],
)
def test_recognised_calls(name: str, words: str) -> None:
    call = one(below("harpervalley_sample", "transcript", name).read_bytes())
    assert f"“{words}”" in analysed([(turn.speaker, turn.text) for turn in call.spoken]).summary


def test_chats_in_which_nobody_promises_anything_of_their_own() -> None:
    """The assistant of these travel chats recommends; whoever finds promises in them, invents them."""
    dialogues = list(rows(below("crosswoz_zh", "val.jsonl.gz")))[:250]
    found = [
        analysed([("customer" if turn["role"] == "user" else "human_agent", turn["content"]) for turn in each["messages"]], "zh")
        for each in dialogues
    ]  # fmt: skip
    assert len(found) == 250
    assert sum(len(each.promises) for each in found) <= 5
