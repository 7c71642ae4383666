"""The call worker: segments and transcripts as they come, and what their conversation is told of them."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parley.domain.deciding import Decision
from schemas.base import Body
from schemas.call_events import (
    CallProgressed,
    CallSegmentHeard,
    CallStarted,
    TranscriptImported,
    TranscriptTurn,
)
from schemas.conversation_events import CallStateReported, SpeechTranscribed, SpokenTurn
from schemas.parts import CallOrigin, SignatureChecked
from tests.support.small_tenant import CONFIG
from tests.support.stories import NINE, event
from workers.calls import Call, CallDecider


class Log:
    """One call's events, one after the other; `told` is what the conversation was told."""

    def __init__(self) -> None:
        self.state: Call | None = None
        self.told: list[Body] = []
        self.number = 0
        self.at = NINE

    def hear(self, body: Body) -> Decision[Call]:
        self.number += 1
        decision = CallDecider().handle(self.state, event(body, self.number, at=self.at), CONFIG)
        self.state = decision.state
        self.told += [each.body for each in decision.events]
        return decision

    @property
    def turns(self) -> list[SpokenTurn]:
        return [turn for body in self.told if isinstance(body, SpeechTranscribed) for turn in body.turns]

    @property
    def kinds(self) -> list[str]:
        return [body.kind if isinstance(body, CallStateReported) else "speech" for body in self.told]


STARTED = CallStarted(
    call_id="call-1",
    source="test",
    started_at=NINE,
    language="en",
    human_agent_id="mei",
    human_agent_name="Mei",
)


def segment(name: str, text: str, *, final: bool = True, start_ms: int = 0) -> CallSegmentHeard:
    return CallSegmentHeard(
        segment_id=name, speaker="customer", text=text, final=final, start_ms=start_ms, end_ms=start_ms + 500
    )


def turn(text: str, start_ms: int, speaker: Any = "customer") -> TranscriptTurn:
    return TranscriptTurn(speaker=speaker, text=text, start_ms=start_ms, end_ms=start_ms + 400)


def imported(*turns: TranscriptTurn, **fields: Any) -> TranscriptImported:
    return TranscriptImported(call_id="call-1", source="vcon", turns=turns, started_at=NINE, **fields)


def test_partial_texts_decide_nothing_and_the_final_one_is_said_once() -> None:
    log = Log()
    log.hear(STARTED)
    log.hear(segment("s1", "I lost", final=False))
    log.hear(segment("s1", "I lost my", final=False))
    assert log.kinds == ["started"]
    log.hear(segment("s1", "I lost my card"))
    assert [each.text for each in log.turns] == ["I lost my card"]


def test_noise_is_nothing_that_anybody_said() -> None:
    log = Log()
    log.hear(STARTED)
    log.hear(segment("s1", ""))
    assert log.turns == []


def test_a_start_told_twice_is_one_start() -> None:
    log = Log()
    log.hear(STARTED)
    log.hear(STARTED)
    assert log.kinds == ["started"]


def test_nothing_happens_after_a_hang_up_but_last_words() -> None:
    log = Log()
    log.hear(STARTED)
    log.hear(CallProgressed(kind="hang_up", at_ms=900))
    log.hear(CallProgressed(kind="hold", at_ms=950))
    log.hear(CallProgressed(kind="hang_up", at_ms=960))
    log.hear(segment("s9", "bye"))
    assert log.kinds == ["started", "hang_up", "speech"]


def test_a_finished_call_is_one_speech_between_what_happened() -> None:
    log = Log()
    log.hear(
        imported(
            turn("Hello", 0, "human_agent"),
            turn("I lost my card", 1_000),
            turn("", 1_500),
            turn("I am back", 9_000, "human_agent"),
            human_agent_id="mei",
            human_agent_name="Mei",
            events=(
                CallProgressed(kind="resumed", at_ms=8_000),
                CallProgressed(kind="hold", at_ms=2_000),
                CallProgressed(kind="hang_up", at_ms=9_900, by="customer"),
            ),
        )
    )
    assert log.kinds == ["started", "speech", "hold", "resumed", "speech", "hang_up"]
    assert [each.text for each in log.turns] == ["Hello", "I lost my card", "I am back"]
    ended = log.told[-1]
    assert isinstance(ended, CallStateReported) and (ended.at_ms, ended.by) == (9_900, "customer")
    assert len({each.message_id for each in log.turns}) == 3


def test_what_a_file_tells_of_itself_is_told_before_its_turns() -> None:
    origin, log = CallOrigin(redacted=True), Log()
    log.hear(imported(turn("one", 0), part=1, parts=2, origin=origin))
    log.hear(imported(turn("two", 900), part=2, parts=2, origin=origin))
    assert log.kinds == ["started", "imported", "speech", "speech", "hang_up"]
    assert isinstance(told := log.told[1], CallStateReported) and told.origin == origin


def test_what_a_later_version_has_more_is_told_after_the_end_once() -> None:
    log = Log()
    signed = CallOrigin(signature=SignatureChecked(verified=True, signer="house"))
    first = imported(turn("one", 0), origin=signed)
    grown = [imported(turn(f"two {n}", 900 + n), part=n, parts=2, grown=1) for n in (1, 2)]
    third = imported(turn("three", 2_000), grown=2)
    log.hear(grown[0])
    assert log.told == []
    for part in (first, third, grown[1], grown[0], third, grown[0], first, grown[1], third, grown[1], third):
        log.hear(part)
    assert [each.text for each in log.turns] == ["one", "two 1", "two 2", "three"]
    assert log.kinds == [
        *("started", "imported", "speech", "hang_up"),
        *("imported", "speech", "speech", "imported", "speech"),
    ]
    told = [each for each in log.told if isinstance(each, CallStateReported) and each.kind == "imported"]
    assert [each.origin for each in told] == [signed, CallOrigin(), CallOrigin()]
    assert [each.at_ms for each in told] == [0, 901, 2_000]


def test_a_call_that_was_heard_live_does_not_grow() -> None:
    log = Log()
    log.hear(STARTED)
    log.hear(CallProgressed(kind="hang_up", at_ms=900))
    log.hear(imported(turn("two", 900), grown=1))
    assert log.kinds == ["started", "hang_up"]


def test_parts_make_one_call_and_repeated_or_missing_ones_none() -> None:
    log = Log()
    first = imported(turn("one", 0), part=1, parts=3)
    second = imported(turn("two", 1_000), part=2, parts=3)
    third = imported(turn("three", 2_000), part=3, parts=3)
    for part in (first, first, third, second, second, third, third, first):
        log.hear(part)
    assert [each.text for each in log.turns] == ["one", "two", "three"]
    assert (log.kinds[0], log.kinds[-1]) == ("started", "hang_up")
    assert log.kinds.count("started") == log.kinds.count("hang_up") == 1


def test_a_call_that_was_heard_live_is_not_imported_once_more() -> None:
    log = Log()
    log.hear(STARTED)
    log.hear(segment("s1", "I lost my card"))
    log.hear(imported(turn("I lost my card", 0)))
    assert [each.text for each in log.turns] == ["I lost my card"]
    assert log.kinds == ["started", "speech"]


def test_segments_do_not_go_into_an_imported_call() -> None:
    log = Log()
    log.hear(imported(turn("I lost my card", 0)))
    log.hear(segment("s1", "I lost my card"))
    log.hear(CallProgressed(kind="hold", at_ms=950))
    assert log.kinds == ["started", "speech", "hang_up"]


def test_last_words_come_within_ten_minutes_of_the_hang_up() -> None:
    log = Log()
    log.hear(STARTED)
    log.at += timedelta(hours=1)
    log.hear(CallProgressed(kind="hang_up", at_ms=3_600_000))
    log.at += timedelta(minutes=10)
    log.hear(segment("s9", "bye"))
    log.at += timedelta(milliseconds=1)
    log.hear(segment("s10", "and another thing"))
    assert [each.text for each in log.turns] == ["bye"]


def test_what_is_heard_live_while_an_import_is_on_its_way_is_kept() -> None:
    log = Log()
    log.hear(imported(turn("one", 0), part=1, parts=2))
    log.hear(STARTED)
    log.hear(segment("s1", "two"))
    log.hear(CallProgressed(kind="hold", at_ms=950))
    log.hear(CallProgressed(kind="hang_up", at_ms=960))
    log.hear(imported(turn("three", 1_000), part=2, parts=2))
    log.hear(segment("s2", "three"))
    assert [each.text for each in log.turns] == ["one", "two", "three"]
    assert log.kinds == ["started", "speech", "speech", "hold", "speech", "hang_up"]


ANY = st.one_of(
    st.just(STARTED),
    st.builds(segment, st.sampled_from(["a", "b"]), st.text(max_size=5), final=st.booleans()),
    st.builds(
        CallProgressed,
        kind=st.sampled_from(["hold", "resumed", "transfer", "hang_up", "incomplete"]),
        at_ms=st.integers(0, 9),
    ),
    st.builds(
        imported,
        st.builds(turn, st.text(max_size=5), st.integers(0, 9)),
        part=st.integers(1, 3),
        parts=st.integers(1, 3),
        grown=st.integers(0, 2),
    ),
)


@given(st.lists(ANY, max_size=12))
def test_whatever_comes_a_call_starts_and_ends_at_most_once(bodies: list[Body]) -> None:
    log = Log()
    for body in bodies:
        log.hear(body)
    assert log.kinds.count("started") <= 1
    assert log.kinds.count("hang_up") <= 1
    assert all(each.text for each in log.turns)
