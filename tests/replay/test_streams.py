"""Recorded streams decided again: to the same bytes, also doubled, and with conversations interleaved otherwise."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from parley.cli.events import DECIDED, DECIDERS, explain
from parley.errors import InvalidEvent
from parley.runtime import exports
from parley.runtime.replay import Report, replay
from schemas.base import AnyEvent
from workers.dialogue import DialogueDecider
from workers.dialogue.moves import Moves

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.jsonl"))


def load(path: Path) -> exports.Export:
    return exports.load(path.read_bytes().splitlines(), DECIDED)


def together() -> exports.Export:
    """All streams as one: their conversations are different ones."""
    whole = exports.Export()
    for path in STREAMS:
        each = load(path)
        whole.complete_from |= each.complete_from
        whole.configs |= each.configs
        whole.inputs += each.inputs
        whole.outputs |= each.outputs
        whole.recorded |= each.recorded
    return whole


def run(export: exports.Export, inputs: Sequence[AnyEvent] | None = None) -> Report:
    given = export.inputs if inputs is None else inputs
    return replay(DECIDERS, export.config, given, export.outputs, export.complete_from, export.recorded)


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


def test_an_output_that_was_recorded_and_is_not_decided_any_more_is_a_difference() -> None:
    export = load(STREAMS[0])
    report = run(export, export.inputs[:-1])
    assert "is not decided any more" in explain(report.differences[0])


def test_an_output_that_was_not_recorded_is_a_difference() -> None:
    export = load(STREAMS[0])
    export.outputs.popitem()
    assert "was not recorded" in explain(run(export).differences[0])


def test_only_deciders_that_are_there_are_run() -> None:
    export = load(STREAMS[0])
    report = replay(
        [DialogueDecider()],
        export.config,
        export.inputs,
        export.outputs,
        export.complete_from,
        export.recorded,
    )
    assert report.differences == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "line 1"),
        (b'{"parley_export":99}', "this build reads 1"),
        (b'{"topic":"conversation.events","headers":{},"body":{}}', "event_id"),
    ],
)
def test_a_damaged_file_is_refused_with_the_line(line: bytes, reason: str) -> None:
    with pytest.raises(InvalidEvent, match=reason):
        exports.load([line], DECIDED)
