"""Recorded streams decided again: to the same bytes, also doubled, and with conversations interleaved otherwise."""

import random
from collections.abc import Sequence
from dataclasses import replace as evolved
from pathlib import Path

import pytest

from parley.cli.events import DECIDERS, explain
from parley.runtime.recorded import Export, Header
from parley.runtime.recorded import load as load_lines
from parley.runtime.replay import Report, replay
from schemas.base import AnyEvent, Body
from schemas.conversation_events import ReplyGenerated
from workers.dialogue import DialogueDecider
from workers.dialogue.decider import RULES, Rule
from workers.dialogue.moves import Moves

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.jsonl"))


def load(path: Path) -> Export:
    return load_lines(path.read_bytes().splitlines(), DECIDERS)


def together() -> Export:
    """All streams as one: their conversations are different ones."""
    whole = Export()
    complete_from: dict[str, str] = {}
    for path in STREAMS:
        each = load(path)
        complete_from |= each.header.complete_from
        whole.configs |= each.configs
        whole.inputs += each.inputs
        whole.skipped |= each.skipped
        whole.recorded |= each.recorded
    whole.header = Header(complete_from)
    return whole


def run(export: Export, inputs: Sequence[AnyEvent] | None = None) -> Report:
    return replay(DECIDERS, export if inputs is None else evolved(export, inputs=list(inputs)))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: str(path.stem))
def test_a_recorded_stream_is_decided_to_the_same_bytes(path: Path) -> None:
    report = run(load(path))
    assert [explain(difference) for difference in report.differences] == []
    assert report.compared > 0


def test_every_record_twice_changes_nothing() -> None:
    export = together()
    report = run(export, [event for event in export.inputs for _ in range(2)])
    assert report.differences == []
    assert report.repeated == len(export.inputs)


def test_everything_replayed_again_from_the_beginning_changes_nothing() -> None:
    export = together()
    assert run(export, export.inputs * 2).differences == []


@pytest.mark.parametrize("seed", range(20))
def test_conversations_interleaved_otherwise_decide_the_same(seed: int) -> None:
    export = together()
    queues: dict[str, list[AnyEvent]] = {}
    for event in export.inputs:
        queues.setdefault(event.envelope.conversation_id, []).append(event)
    chance = random.Random(seed)
    mixed = []
    while queues:
        name = chance.choice(sorted(queues))
        mixed.append(queues[name].pop(0))
        if not queues[name]:
            del queues[name]
    assert run(export, mixed).differences == []


def test_a_changed_rule_is_shown_as_the_first_difference_in_context(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Moves.reply
    monkeypatch.setattr(
        Moves, "reply", lambda self, kind, text, *a, **k: said(self, kind, text.upper(), *a, **k)
    )
    report = run(load(STREAMS[0]))
    assert report.differences
    told = explain(report.differences[0])
    assert (
        "text:" in told and "- It costs" in told and "+ IT COSTS" in told and "cause: ReplyGenerated" in told
    )


def test_an_output_that_was_recorded_and_is_not_decided_any_more_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def says_nothing(moves: Moves, body: ReplyGenerated) -> None:
        """As if somebody had dropped the rule."""

    changed: dict[type[Body], Rule] = {**RULES, ReplyGenerated: says_nothing}
    monkeypatch.setattr("workers.dialogue.decider.RULES", changed)
    report = run(load(STREAMS[0]))
    assert "is not decided any more" in explain(report.differences[-1])


def test_an_output_whose_cause_is_not_there_cannot_be_compared() -> None:
    export = load(STREAMS[0])
    report = run(export, export.inputs[:-1])
    assert report.differences == [] and report.uncaused > 0


def test_an_output_that_was_not_recorded_is_a_difference() -> None:
    export = load(STREAMS[0])
    export.recorded.popitem()
    assert "was not recorded" in explain(run(export).differences[0])


def test_an_output_that_was_still_to_be_sent_is_none() -> None:
    export = load(STREAMS[0])
    event_id, _ = export.recorded.popitem()
    export.header = Header(export.header.complete_from, undelivered=[event_id])
    assert run(export).differences == []


def test_only_deciders_that_are_there_are_run() -> None:
    [handoff] = [path for path in STREAMS if path.stem == "handoff"]
    only = [DialogueDecider()]
    report = replay(only, load_lines(handoff.read_bytes().splitlines(), only))
    assert report.differences == [] and report.compared > 0
