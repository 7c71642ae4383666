"""The emulated Bot API's limits of speed, at times that the test names."""

import pytest

from tests.telegram_api.faults import Flood


def waits(flood: Flood, *sends: tuple[float, int]) -> list[int]:
    """What each send (at a time, to a chat) is told to wait, in seconds; 0: it went out."""
    refusals = [flood.refusal("bot", "sendMessage", chat_id, at) for at, chat_id in sends]
    return [0 if each is None else (each.parameters or {})["retry_after"] for each in refusals]


def test_asking_again_before_the_time_is_over_does_not_help() -> None:
    sends = [(0.0, 1), (0.9, 1), (0.95, 1), (1.5, 1), (1.94, 1), (1.96, 1)]
    assert waits(Flood(per_chat=2), *sends) == [0, 0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("flood", "expected"),
    [
        (Flood(), [0, 0, 0, 0]),
        (Flood(per_chat=1), [0, 0, 1, 1]),
        (Flood(overall=3), [0, 0, 0, 1]),
        (Flood(per_chat=1, overall=1), [0, 1, 1, 1]),
    ],
)
def test_chats_are_limited_each_and_all_together(flood: Flood, expected: list[int]) -> None:
    assert waits(flood, (0.0, 1), (0.1, 2), (0.2, 1), (0.3, 2)) == expected


def test_what_is_refused_does_not_count() -> None:
    assert waits(Flood(overall=2), *[(0.0, chat) for chat in range(9)], (1.1, 0), (1.1, 1)) == [
        0,
        0,
        *[1] * 7,
        0,
        0,
    ]


def test_only_sends_count() -> None:
    flood = Flood(per_chat=1)
    assert [flood.refusal("bot", "sendChatAction", 1, 0.0) for _ in range(3)] == [None] * 3
    assert waits(flood, (0.0, 1)) == [0]
