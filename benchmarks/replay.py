"""Replay: decisions a second from an exported stream in memory, parsing, deciding and comparing included."""

from time import perf_counter

from benchmarks.reporting import median_of, report
from parley.codec import encode_headers
from parley.ports.bus import Record
from parley.runtime import exports
from parley.runtime.recorded import FORMAT, load
from parley.runtime.replay import replay, written
from schemas.base import AnyEvent
from schemas.topics import TOPIC_OF
from tests.support.small_tenant import CONFIG, TENANT, VERSION
from tests.support.stories import Story
from workers.dialogue import DialogueDecider

CONVERSATIONS = 1_000


def stream() -> list[bytes]:
    """An export of many conversations: question, answer, small talk, a merged turn, a hand-off."""
    lines = [
        exports.json_line(
            {
                "parley_export": FORMAT,
                "complete_from": dict.fromkeys(
                    {"chat.outbound", "work.understand", "work.answer", "assignment.events"}, ""
                ),
            }
        ),
        exports.json_line({"tenant": TENANT, "version": VERSION, "config": CONFIG.model_dump(mode="json")}),
    ]
    for number in range(CONVERSATIONS):
        story = _story(f"c-{number}")
        lines += [line(event) for event in (*story.log, *story.out)]
    return lines


def line(event: AnyEvent) -> bytes:
    topic = TOPIC_OF[event.envelope.type].name
    record = Record(topic, 0, 0, 0, b"", written(event).body, encode_headers(event.envelope))
    return exports.record_line(record, event)


def _story(conversation: str) -> Story:
    story = Story(conversation)
    story.says("What does the Everyday account cost a month?")
    story.understood("fees")
    story.generated()
    story.says("thanks, hello")
    story.understood("hello")
    story.says("What does cash abroad cost?")
    story.says("and at home?")
    story.understood("fees")
    story.understood("fees")
    story.generated()
    return story


def main() -> None:
    lines = stream()
    deciders = [DialogueDecider()]
    events = 0

    def run() -> float:
        nonlocal events
        began = perf_counter()
        found = replay(deciders, load(lines, deciders))
        if found.differences:
            raise SystemExit(f"the replay differs: {found.differences[0]}")
        events = found.events
        return len(lines) / (perf_counter() - began)

    rate = median_of(run)
    report("replay", events_per_s=round(rate), decided=events, lines=len(lines), to_reach_events_per_s=20_000)
