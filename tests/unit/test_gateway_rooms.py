"""Who listens, and what is kept for those who reconnect: bounded in every direction."""

import asyncio

import pytest

from parley.ports.bus import Record
from schemas.base import ConversationId, MessageId
from schemas.outbound import CustomerMessage
from services.gateway.rooms import (
    MAX_CONNECTIONS,
    MAX_QUEUED,
    Connection,
    DeltaBuffer,
    Rooms,
    StreamEnded,
    TooManyConnections,
)
from tests.support.web import event

HERE = ConversationId("v")  # the conversation of `event`
MESSAGE = event(CustomerMessage(seq=1, epoch=0, message_id=MessageId("m"), text="hi"))


def delta(offset: int, at_ms: int = 0) -> Record:
    return Record("chat.deltas", 0, offset, at_ms, None, None, ())


def offsets(buffer: DeltaBuffer, conversation_id: str) -> list[int]:
    return [record.offset for record in buffer.of(conversation_id)]


def test_deltas_are_kept_by_conversation_until_the_reply_is_there() -> None:
    buffer = DeltaBuffer()
    buffer.add("a", delta(1))
    buffer.add("b", delta(2))
    buffer.add("a", delta(3))
    assert offsets(buffer, "a") == [1, 3]
    buffer.drop("a")
    assert offsets(buffer, "a") == []
    assert offsets(buffer, "b") == [2]


def test_old_deltas_are_forgotten_when_new_ones_come() -> None:
    buffer = DeltaBuffer(keep_ms=1000)
    buffer.add("a", delta(1, at_ms=0))
    buffer.add("b", delta(2, at_ms=1000))
    assert offsets(buffer, "a") == [1]
    buffer.add("b", delta(3, at_ms=1001))
    assert offsets(buffer, "a") == []


def test_a_conversation_keeps_its_last_ones() -> None:
    buffer = DeltaBuffer(each=2)
    for offset in range(4):
        buffer.add("a", delta(offset))
    assert offsets(buffer, "a") == [2, 3]


def test_in_all_only_so_many_are_kept_and_the_quietest_goes_first() -> None:
    buffer = DeltaBuffer(total=4)
    for offset, conversation_id in enumerate("aabba"):
        buffer.add(conversation_id, delta(offset))
    assert offsets(buffer, "a") == [0, 1, 4]
    assert offsets(buffer, "b") == []


def test_a_queue_gives_what_was_put_in_order_and_none_after_a_silence() -> None:
    async def story() -> None:
        connection = Connection()
        assert await connection.next(0.001) is None
        connection.put(MESSAGE)
        assert await connection.next(1) is MESSAGE

    asyncio.run(story())


def test_who_does_not_keep_up_is_cut_off() -> None:
    async def story() -> None:
        connection = Connection()
        for _ in range(MAX_QUEUED + 1):
            connection.put(MESSAGE)
        await connection.over()
        with pytest.raises(StreamEnded, match="slow"):
            await connection.next(1)

    asyncio.run(story())


def test_everybody_in_the_room_gets_it_and_nobody_else() -> None:
    async def story() -> None:
        rooms = Rooms()
        mine, mine_too, other = rooms.join(HERE), rooms.join(HERE), rooms.join(ConversationId("elsewhere"))
        rooms.deliver([MESSAGE])
        assert await mine.next(1) is MESSAGE
        assert await mine_too.next(1) is MESSAGE
        assert await other.next(0.001) is None

    asyncio.run(story())


def test_an_empty_room_is_gone() -> None:
    async def story() -> None:
        rooms = Rooms()
        connection = rooms.join(HERE)
        assert HERE in rooms
        rooms.leave(HERE, connection)
        rooms.leave(HERE, connection)
        assert HERE not in rooms

    asyncio.run(story())


def test_a_room_holds_only_so_many() -> None:
    async def story() -> None:
        rooms = Rooms()
        for _ in range(MAX_CONNECTIONS):
            rooms.join(HERE)
        with pytest.raises(TooManyConnections):
            rooms.join(HERE)

    asyncio.run(story())


def test_draining_ends_all_and_lets_nobody_in() -> None:
    async def story() -> None:
        rooms = Rooms()
        connection = rooms.join(HERE)
        rooms.drain()
        with pytest.raises(StreamEnded, match="draining"):
            await connection.next(1)
        with pytest.raises(StreamEnded, match="draining"):
            rooms.join(HERE)

    asyncio.run(story())
