"""What leaves while a text is written, and who is heard that wants no more of it."""

import re
from itertools import count
from threading import Event as Flag
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.backends.memory_bus import MemoryBus
from schemas.base import GenerationId
from schemas.topics import INFERENCE_CONTROL
from schemas.work import GenerationCancelled
from tests.support.effectors import until
from tests.support.platform import make_platform, send
from tests.support.stories import event
from workers.inference.cancelling import REMEMBERED, Cancellations
from workers.inference.streaming import DELTA_EVERY_S, SENTENCE_END, Collected, Stream


def stream(*bad: str) -> tuple[Stream, list[tuple[int, str]]]:
    left: list[tuple[int, str]] = []
    return Stream(lambda text: text not in bad, lambda index, text: left.append((index, text))), left


def test_deltas_leave_sentence_by_sentence() -> None:
    writing, left = stream()
    for piece in ("It co", "sts €4", ".50 a month", ". And", " more。好的", "。\nLast"):
        writing.write(piece)
    assert left == [(0, "It costs €4.50 a month."), (1, " And more。"), (2, "好的。\n")]
    writing.finish()
    assert left[-1] == (3, "Last")


def test_what_is_written_at_once_leaves_at_once() -> None:
    writing, left = stream()
    writing.write("One. Two. Thr")
    writing.finish()
    assert left == [(0, "One. Two."), (1, " Thr")]


def test_a_list_item_is_not_parted_from_its_number() -> None:
    writing, left = stream("1.", "12.", " 3.")
    for piece in ("Do this:\n", "1. Open the app.\n1", "2", ". Choose. ", "How many? 3. That is all. "):
        writing.write(piece)
    assert [text for _, text in left] == ["Do this:\n", "1. Open the app.\n", "12. Choose.", " How many?"]


@given(st.text(alphabet="\n 12.!?。；a", max_size=30))
def test_sentences_end_where_the_rule_for_them_says(text: str) -> None:
    """As it reads: not behind a number that begins a line."""
    rule = re.compile(r"(?<!\n\d)(?<!\n\d\d)[.!?](?=\s)|[。！？；]|\n")
    ends = [match.end() for match in rule.finditer(text, 1)]
    assert [match.end() for match in SENTENCE_END.finditer(text, 1)] == ends


def test_after_a_sentence_that_fails_nothing_more_is_streamed() -> None:
    writing, left = stream(" Bad.")
    writing.write("Good. Bad. Good again. ")
    writing.write("More. ")
    writing.finish()
    assert left == [(0, "Good.")]


def test_cancellations_are_remembered_and_the_oldest_forgotten() -> None:
    cancellations = Cancellations()
    for number in range(REMEMBERED + 1):
        cancellations.cancel(str(number))
    assert cancellations.known("1") and not cancellations.known("0")


def test_cancellations_are_heard_although_the_bus_comes_later(caplog: pytest.LogCaptureFixture) -> None:
    bus = MemoryBus()
    on = make_platform(bus)
    cancellations, stop = Cancellations(), Flag()
    told: list[str] = []
    cancellations.tell(told.append)
    bus.stop()
    listener = Thread(target=cancellations.listen, args=(bus, on.codec, stop))
    listener.start()
    until(lambda: "hears of no cancellations" in caplog.text)
    bus.start()
    producer = on.bus.producer()
    body = GenerationCancelled(generation_id=GenerationId("g-1"), epoch=1)
    number = count()

    def heard() -> bool:
        """Words said before it listens are lost, so they are said again."""
        producer.send(INFERENCE_CONTROL.name, key=b"k", value=b"garbage").result(5)
        send(on, event(body, next(number)))
        return cancellations.known("g-1")

    until(heard)
    stop.set()
    listener.join(5)
    assert not listener.is_alive() and told[0] == "g-1"


def test_pieces_leave_together_a_few_times_a_second() -> None:
    now = 5.0
    left: list[str] = []
    collected = Collected(left.append, lambda: now)
    assert collected.began is None
    for number in range(10):
        collected.write(f"{number} ")
        now += DELTA_EVERY_S * 0.26
    assert left == ["0 ", "1 2 3 4 ", "5 6 7 8 "] and collected.began == 5.0
    collected.flush()
    collected.flush()
    assert "".join(left) == "0 1 2 3 4 5 6 7 8 9 " and len(left) == 4
