"""Event streams on a real server: in order, complete, resumed after every cut, fenced, bounded, and ended in good order."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx
import pytest
from prometheus_client import CollectorRegistry

from parley.errors import ConfigurationError
from parley.runtime.vault import Vault
from schemas.base import MessageId
from schemas.outbound import CustomerMessage
from services.gateway import Deps, GatewayServer, create_app
from services.gateway.rooms import MAX_CONNECTIONS
from tests.support.doors import Doors, Pen, open_doors, running
from tests.support.media import memory_media
from tests.support.sse import WAIT_S, Seen, event_stream
from tests.support.steps import asks, claims, closes, raises, reply, settles, types


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with open_doors(tmp_path) as opened:
        yield opened


@pytest.fixture
def url(doors: Doors) -> Iterator[str]:
    with running(GatewayServer(doors.app, "127.0.0.1", 0)) as server:
        yield server.url


#: A whole conversation, step by step, with how many frames each step brings a customer who is there: a question,
#: a stream, an interruption, another stream, a human agent, the end.
SCRIPT: tuple[tuple[Callable[[Pen], None], int], ...] = (
    (asks, 1),
    (lambda pen: pen.delta(0, "It ", "g1"), 1),
    (lambda pen: pen.delta(1, "costs ", "g1"), 1),
    (asks, 1),
    (raises, 1),
    (lambda pen: pen.delta(0, "Both ", "g2"), 1),
    (lambda pen: pen.delta(1, "are ", "g2"), 1),
    (lambda pen: reply(pen, "g2"), 1),
    (settles, 0),
    (lambda pen: pen.delta(2, "late", "g2"), 0),
    (types, 1),
    (claims, 1),
    (asks, 1),
    (closes, 1),
)
PLACED = ["1.0", "2.0", "4.1", "7.1", "8.1", "9.1"]
"""Cursors of the frames that a customer gets from `SCRIPT`; between them are staff's events, typing and the raise."""


def placed(frames: list[Seen]) -> list[str]:
    return [str(seen.id) for seen in frames if seen.id is not None and seen.name != "ready"]


def test_a_stream_begins_with_the_history_and_says_when_it_has_caught_up(doors: Doors, url: str) -> None:
    pen = doors.pen()
    asks(pen)
    reply(pen)
    settles(pen)
    with event_stream(url, pen.conversation_id, pen.token()) as stream:
        frames = stream.until("ready")
    assert [(seen.name, seen.id) for seen in frames] == [
        ("message", "1.0"),
        ("reply", "2.0"),
        ("ready", "3.0"),
    ]
    assert frames[0].data["text"] == "What does it cost?"


def test_what_happens_now_comes_now(doors: Doors, url: str) -> None:
    pen = doors.pen()
    with event_stream(url, pen.conversation_id, pen.token()) as stream:
        assert [seen.name for seen in stream.until("ready")] == ["ready"]
        frames: list[Seen] = []
        for (
            step,
            count,
        ) in SCRIPT:  # two topics have no common order: wait for each step's frames before the next
            step(pen)
            frames += stream.take(count) if count else []
    assert [seen.name for seen in frames] == [
        "message", "delta", "delta", "message", "retracted", "delta", "delta", "reply", "typing", "owner", "message", "closed",
    ]  # fmt: skip
    assert placed(frames) == PLACED
    assert [seen.data["text"] for seen in frames if seen.name == "delta"] == [
        "It ",
        "costs ",
        "Both ",
        "are ",
    ]


def test_another_conversations_events_do_not_come(doors: Doors, url: str) -> None:
    mine, other = doors.pen(), doors.pen()
    with event_stream(url, mine.conversation_id, mine.token()) as stream:
        stream.until("ready")
        asks(other, "not for you")
        asks(mine, "for you")
        assert stream.take(1)[0].data["text"] == "for you"


@pytest.mark.parametrize("away", [0, 1, 3], ids=lambda steps: f"away-{steps}")
@pytest.mark.parametrize("cut", range(1, len(SCRIPT)), ids=lambda step: f"cut-{step}")
def test_a_stream_cut_after_any_frame_goes_on_without_a_gap_or_a_repeat(
    doors: Doors, url: str, cut: int, away: int
) -> None:
    """The cursor is what the client handled last; the conversation goes on for a few steps while it is away."""
    pen = doors.pen()
    before: list[Seen] = []
    with event_stream(url, pen.conversation_id, pen.token()) as stream:
        stream.until("ready")
        for step, frames in SCRIPT[:cut]:
            step(pen)
            before += stream.take(frames) if frames else []
    cursor = next((seen.id for seen in reversed(before) if seen.id is not None), None)
    for step, _ in SCRIPT[cut : cut + away]:
        step(pen)
    with event_stream(url, pen.conversation_id, pen.token(), cursor) as stream:
        after = stream.until("ready")
        for step, _ in SCRIPT[cut + away :]:
            step(pen)
        if PLACED[-1] not in placed(after):
            after += stream.until("closed")
    assert placed(before) + placed(after) == PLACED
    assert_deltas_follow_each_other(after)


def assert_deltas_follow_each_other(frames: list[Seen]) -> None:
    """What is shown in part begins with the first piece and has no gap."""
    expected: dict[str, int] = {}
    for seen in frames:
        if seen.name == "delta":
            generation = seen.data["generation_id"]
            assert seen.data["index"] == expected.get(generation, 0)
            expected[generation] = seen.data["index"] + 1


def test_a_reconnect_in_mid_stream_gets_the_running_reply_from_its_first_word_on(
    doors: Doors, url: str
) -> None:
    pen = doors.pen()
    asks(pen)
    with event_stream(url, pen.conversation_id, pen.token()) as stream:
        stream.until("ready")
        pen.delta(0, "It ")
        pen.delta(1, "costs ")
        stream.take(2)
    pen.delta(2, "four ")
    with event_stream(url, pen.conversation_id, pen.token(), "1.0") as stream:
        assert [seen.name for seen in stream.until("ready")] == ["ready"]
        assert [seen.data["text"] for seen in stream.take(3)] == ["It ", "costs ", "four "]
        pen.delta(3, "fifty")
        reply(pen)
        assert [seen.name for seen in stream.take(2)] == ["delta", "reply"]


def test_a_reconnect_after_the_reply_is_not_shown_its_pieces_again(doors: Doors, url: str) -> None:
    pen = doors.pen()
    asks(pen)
    reply(pen)
    with event_stream(url, pen.conversation_id, pen.token()) as watcher:
        watcher.until("ready")
        pen.delta(0, "late")  # on the bus behind its own reply: two topics have no common order
        asks(pen)
        assert [seen.name for seen in watcher.take(1)] == ["message"]
    with event_stream(url, pen.conversation_id, pen.token(), "3.0") as stream:
        stream.until("ready")
        asks(pen)
        assert [seen.name for seen in stream.take(1)] == ["message"]


def test_another_gateway_takes_a_stream_over(doors: Doors, url: str) -> None:
    pen = doors.pen()
    with running(GatewayServer(doors.gateway(), "127.0.0.1", 0)) as second:
        asks(pen)
        with event_stream(url, pen.conversation_id, pen.token()) as stream:
            stream.until("ready")
            pen.delta(0, "It ")
            stream.take(1)
        with event_stream(second.url, pen.conversation_id, pen.token(), "1.0") as stream:
            stream.until("ready")
            assert [seen.data["text"] for seen in stream.take(1)] == ["It "]
            reply(pen)
            assert [seen.id for seen in stream.take(1)] == ["2.0"]


def test_what_is_committed_but_not_yet_published_comes_once(doors: Doors, url: str) -> None:
    """The worker stands between its commit and its publishing while somebody connects."""
    pen = doors.pen()
    event = pen.commit(CustomerMessage, message_id=MessageId("m1"), text="committed")
    with event_stream(url, pen.conversation_id, pen.token()) as stream:
        assert [seen.id for seen in stream.until("ready")] == ["1.0", "1.0"]
        pen.publish(event)
        pen.publish(event)  # and a worker that took over publishes it again
        asks(pen)
        assert [seen.id for seen in stream.take(1)] == ["2.0"]


def test_an_event_that_the_tail_did_not_bring_is_read_from_the_history(doors: Doors, url: str) -> None:
    pen = doors.pen()
    with event_stream(url, pen.conversation_id, pen.token()) as stream:
        stream.until("ready")
        for text in ("one", "two"):
            pen.commit(CustomerMessage, message_id=MessageId(text), text=text)
        asks(pen, "three")
        assert [seen.data["text"] for seen in stream.take(3)] == ["one", "two", "three"]


def test_nothing_is_lost_between_history_and_tail_while_somebody_writes_all_the_time(
    doors: Doors, url: str
) -> None:
    pen, total = doors.pen(), 400

    def write() -> None:
        for number in range(total):
            asks(pen, str(number))

    writer = threading.Thread(target=write)
    seen: list[str] = []
    cursor: str | None = None
    writer.start()
    while len(seen) < total:
        with event_stream(url, pen.conversation_id, pen.token(), cursor) as stream:
            for event in stream:
                if event.name == "message":
                    seen.append(event.data["text"])
                    cursor = event.id
                    if len(seen) % 7 == 0 or len(seen) == total:
                        break
    writer.join()
    assert seen == [str(n) for n in range(total)]


def test_an_erased_customer_has_no_stream(doors: Doors, url: str) -> None:
    pen = doors.pen()
    asks(pen)
    doors.keys.erase(pen.tenant, pen.customer_id)
    headers = {"Authorization": f"Bearer {pen.token()}"}
    for door in ("events", "messages"):
        answer = httpx.get(f"{url}/v1/conversations/{pen.conversation_id}/{door}", headers=headers)
        assert answer.status_code == 410, door


@pytest.mark.parametrize("cursor", ["99.9", "0.0", ""])
def test_a_cursor_that_this_database_never_gave_starts_anew(doors: Doors, url: str, cursor: str) -> None:
    pen = doors.pen()
    asks(pen)
    with event_stream(url, pen.conversation_id, pen.token(), cursor) as stream:
        assert [seen.id for seen in stream.until("ready")] == ["1.0", "1.0"]


@pytest.mark.parametrize("cursor", ["x", "1", "-1.0", "1.0; 2.0"])
def test_what_is_no_cursor_is_refused(doors: Doors, url: str, cursor: str) -> None:
    pen = doors.pen()
    headers = {"Authorization": f"Bearer {pen.token()}", "Last-Event-ID": cursor}
    answer = httpx.get(f"{url}/v1/conversations/{pen.conversation_id}/events", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


def test_silence_is_filled_with_pings(doors: Doors) -> None:
    deps = Deps(
        doors.bus,
        doors.store,
        doors.codec,
        Vault(doors.store, doors.codec),
        doors.keys,
        memory_media(doors.codec),
        doors.settings,
        doors.clock,
        CollectorRegistry(),
    )
    pen = doors.pen()
    with (
        running(GatewayServer(create_app(deps, ping_s=0.05), "127.0.0.1", 0)) as server,
        event_stream(server.url, pen.conversation_id, pen.token()) as stream,
    ):
        events = iter(stream)
        assert next(events).name == "ready"
        assert [next(events).comment for _ in range(3)] == ["ping"] * 3


def test_one_conversation_has_only_so_many_streams(doors: Doors, url: str) -> None:
    pen = doors.pen()
    with ExitStack() as stack:
        opened = [event_stream(url, pen.conversation_id, pen.token()) for _ in range(MAX_CONNECTIONS)]
        streams = [stack.enter_context(stream) for stream in opened]
        for stream in streams:
            stream.until("ready")
        headers = {"Authorization": f"Bearer {pen.token()}"}
        answer = httpx.get(f"{url}/v1/conversations/{pen.conversation_id}/events", headers=headers)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1


def test_a_client_that_does_not_read_is_cut_off_and_resumes(doors: Doors, url: str) -> None:
    pen = doors.pen()
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET /v1/conversations/{pen.conversation_id}/events HTTP/1.1\r\nHost: x\r\n"
        deaf.sendall(f"{request}Authorization: Bearer {pen.token()}\r\n\r\n".encode())
        deaf.recv(1)
        while "parley_gateway_overflows_total 1.0" not in httpx.get(f"{url}/metrics").text:
            for _ in range(100):
                asks(pen, "x" * 4000)
    with event_stream(url, pen.conversation_id, pen.token(), f"{pen.seq - 2}.0") as stream:
        assert [seen.id for seen in stream.until("ready")][:2] == [f"{pen.seq - 1}.0", f"{pen.seq}.0"]


def test_stopping_ends_streams_at_once(doors: Doors) -> None:
    pen = doors.pen()
    server = GatewayServer(doors.app, "127.0.0.1", 0)
    server.start()
    server.wait_ready()
    with event_stream(server.url, pen.conversation_id, pen.token()) as stream:
        stream.until("ready")
        began = monotonic()
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert list(stream) == []
        stopping.join(WAIT_S)
    assert not stopping.is_alive()
    assert monotonic() - began < 3


def test_a_taken_port_is_one_clear_line(doors: Doors, url: str) -> None:
    port = int(url.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=f"PARLEY_PORT: cannot listen on 127.0.0.1:{port} .*in use"):
        GatewayServer(doors.app, "127.0.0.1", port).start()
