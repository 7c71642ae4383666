"""Calls through the gateway's doors and all workers: a running one with help for its agent, and files of finished ones."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from time import monotonic, sleep
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from websockets.exceptions import ConnectionClosed

from connectors.calls.book import CallBook
from connectors.calls.pacing import OnTheirWay
from parley.errors import RecordTooLarge
from schemas.call_events import CallSegmentHeard, TranscriptImported
from schemas.conversation_events import SpeechTranscribed
from schemas.outbound import MessageSettled, ReplyReady
from services.gateway import call_door, create_gateway, live_calls, routes_calls
from services.gateway.directory import key_hash
from tests.support import call_files
from tests.support.calls import AGENT, KEY, CallCentre, embedded_call_centre
from tests.support.effectors import until
from tests.support.platform import WAIT_S, events_on, records_on


@pytest.fixture(params=["memory", "sqlite"])
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CallCentre]:
    with embedded_call_centre(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def small(tmp_path: Path) -> Iterator[CallCentre]:
    with embedded_call_centre("memory", tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallCentre]:
    """For what leaves nothing behind."""
    with embedded_call_centre("memory", tmp_path_factory.mktemp("calls")) as opened:
        yield opened


def bodies(centre: CallCentre, topic: str, kind: Any) -> list[Any]:
    return [each.body for each in events_on(centre.platform, topic) if isinstance(each.body, kind)]


def test_an_agent_is_helped_while_the_customer_speaks(centre: CallCentre) -> None:
    with centre.call() as phone:
        started = phone.until("started")
        phone.says("customer", "um what does", "s1", final=False)
        partial = phone.until("segment", final=False)
        phone.says("customer", "um, what does the account cost?", "s1")
        assert phone.until("ack")["segment_id"] == "s1"
        message = phone.until("message")
        assert (message["text"], message["original"]) == (
            "what does the account cost?",
            "um, what does the account cost?",
        )
        assert message["message_id"] == partial["message_id"]
        read = phone.until("read")
        assert read["intents"][0]["intent"] == "fees"
        suggestion = phone.until("suggestion")
        assert suggestion["answers"] == message["message_id"]
        assert "4.50" in suggestion["text"]
        assert suggestion["citations"][0]["url"] == "/demo/bank/help/fees"
        phone.tell(type="hold", at_ms=5_000, by="human_agent")
        assert phone.until("state")["kind"] == "hold"
        phone.tell(type="transfer", at_ms=9_000, agent={"id": "li", "name": "Li Na"})
        assert phone.until("owner", name="Li Na")["owner"] == "human"
        phone.tell(type="hang_up", at_ms=9_900, by="customer")
        assert phone.until("closed")["by"] == "customer"
    assert bodies(centre, "chat.outbound", ReplyReady) == []
    settled = [each for body in bodies(centre, "chat.outbound", MessageSettled) for each in body.settlements]
    assert [(each.message_id, each.outcome) for each in settled] == [(message["message_id"], "handed_over")]
    again = centre.frames(started["conversation_id"], "ready")
    assert [
        each["type"] for each in again if each["type"] in ("message", "read", "suggestion", "closed")
    ] == [
        "message",
        "read",
        "suggestion",
        "closed",
    ]


def test_a_watcher_goes_on_where_it_was(small: CallCentre) -> None:
    with small.call() as phone:
        conversation = phone.until("started")["conversation_id"]
        phone.says("customer", "Where are you?", "s1")
        seen = phone.until("message")["seq"]
        phone.says("human_agent", "In Dublin.", "s2", start_ms=2_000)
        phone.until("message", text="In Dublin.")
        later = small.frames(conversation, "ready", str(seen))
    assert [each["text"] for each in later if each["type"] == "message"] == ["In Dublin."]


def test_a_call_goes_on_after_its_connection_was_lost(small: CallCentre) -> None:
    with small.call() as phone:
        first = phone.until("started")
        phone.says("customer", "Hello?", "s1")
        phone.until("ack")
    with small.call() as phone:
        again = phone.until("started")
        assert again["conversation_id"] == first["conversation_id"]
        phone.until("message", text="Hello?")
        phone.says("customer", "Hello?", "s1")
        phone.says("customer", "Anybody there?", "s2")
        phone.until("message", text="Anybody there?")
        assert [each["text"] for each in phone.got if each["type"] == "message"] == [
            "Hello?",
            "Anybody there?",
        ]
        phone.tell(type="hang_up", at_ms=3_000)
        phone.until("closed")
    with small.call() as phone, pytest.raises(ConnectionClosed) as closed:
        phone.until("started")
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4409


def test_a_segments_id_that_is_used_for_other_words_is_an_error_and_the_call_goes_on(
    small: CallCentre,
) -> None:
    with small.call() as phone:
        phone.until("started")
        phone.says("customer", "Hello?", "0")
        phone.until("ack")
    with small.call() as phone:
        phone.until("started")
        phone.says("customer", "Hello?", "0")
        phone.until("ack", segment_id="0")
        phone.says("customer", "Anybody there?", "0")
        assert phone.until("error")["segment_id"] == "0"
        phone.says("customer", "Anybody there?", "1")
        phone.until("message", text="Anybody there?")
        assert len([each for each in phone.got if each["type"] == "message"]) == 2
        phone.tell(type="hang_up", at_ms=3_000)
        phone.until("closed")
    turns = {**call_files.TURNS, "call_id": "call-1"}
    [taken] = small.imports(json.dumps(turns).encode()).json()["calls"]
    assert (taken["state"], taken["turns"]) == ("heard_live", 2)


def test_numbers_are_masked_before_the_log_and_not_shown_in_the_making(small: CallCentre) -> None:
    card = "4111 1111 1111 1111"
    with small.call() as phone:
        phone.until("started")
        phone.says("customer", "my card is 4111 1111", "s1", final=False)
        assert phone.until("segment")["text"] == "my card is •••"
        phone.says("customer", f"um my card is {card}", "s1")
        assert phone.until("message")["text"] == "my card is [card_1]"
        assert phone.until("message")["original"] == "um my card is [card_1]"
    for topic in ("call.events", "conversation.events", "chat.outbound"):
        assert not any(b"1111" in (record.value or b"") for record in records_on(small.platform, topic))
    [partial, final] = bodies(small, "call.events", CallSegmentHeard)
    assert (partial.final, final.final) == (False, True)


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        ("{", "body"),
        ("[]", "body: is no JSON object"),
        ("null", "body: is no JSON object"),
        ({"type": "shout"}, "type"),
        ({"type": "segment"}, "segment_id"),
        (
            {"type": "segment", "segment_id": "a", "speaker": "bot", "text": "x", "final": True},
            "speaker",
        ),
        (
            {
                "type": "segment",
                "segment_id": "a",
                "speaker": "customer",
                "text": "x",
                "final": True,
                "start_ms": 9,
                "end_ms": 3,
            },
            "end_ms: is before start_ms",
        ),
        (
            {
                "type": "segment",
                "segment_id": "a",
                "speaker": "customer",
                "text": "x",
                "final": True,
                "start_ms": -1,
                "end_ms": 3,
            },
            "start_ms",
        ),
        ({"type": "transfer", "at_ms": 3}, "agent: goes with transfer"),
        ({"type": "hold", "at_ms": 3, "agent": AGENT}, "agent: goes with transfer"),
        ({"type": "hold", "at_ms": 3, "colour": "red"}, "colour"),
        (
            {
                "type": "segment",
                "segment_id": "a\x00",
                "speaker": "customer",
                "text": "x",
                "final": True,
                "start_ms": 0,
                "end_ms": 3,
            },
            "segment_id: contains NUL",
        ),
        ({"type": "transfer", "at_ms": 3, "agent": {"id": "li", "name": "L\x00i"}}, "agent: contains NUL"),
    ],
)
def test_a_wrong_frame_is_answered_by_its_field_and_the_call_goes_on(
    shared: CallCentre, frame: Any, names: str
) -> None:
    with shared.call(f"wrong-{names}-{len(str(frame))}") as phone:
        phone.until("started")
        phone.tell_raw(frame if isinstance(frame, str) else json.dumps(frame))
        error = phone.until("error")
        assert names in error["detail"]
        assert error.get("segment_id") == (frame.get("segment_id") if isinstance(frame, dict) else None)
        phone.says("customer", "still here", "s9")
        phone.until("message", text="still here")


@pytest.mark.parametrize(
    ("first", "headers", "code"),
    [
        ({"type": "start", "call_id": "c", "agent": AGENT}, {"Authorization": "Bearer nobody"}, 4401),
        ({"type": "start", "call_id": "c", "agent": AGENT, "key": "x"}, {"Authorization": ""}, 4401),
        ({"type": "start", "call_id": ""}, {}, 4422),
        ({"type": "start", "call_id": "c\x00", "agent": AGENT}, {}, 4422),
        ({"type": "start", "call_id": "c", "agent": {"id": "mei", "name": "M\x00"}}, {}, 4422),
        ({"type": "start", "call_id": "c", "agent": AGENT, "started_at": "2001-01-01T00:00:00Z"}, {}, 4422),
        ({"type": "hold", "at_ms": 0}, {}, 4422),
        ({"type": "segment", "segment_id": "a"}, {}, 4422),
    ],
)
def test_a_connection_is_closed_with_the_reason(
    shared: CallCentre, first: dict[str, Any], headers: dict[str, str], code: int
) -> None:
    with shared.socket(**headers) as phone, pytest.raises(ConnectionClosed) as closed:
        phone.tell(**first)
        phone.until("started")
    assert closed.value.rcvd is not None and closed.value.rcvd.code == code


def test_what_is_told_too_fast_waits_and_is_taken(small: CallCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_calls, "FRAMES_PER_S", 10.0)
    monkeypatch.setattr(live_calls, "FRAMES_AT_ONCE", 5.0)
    with small.call() as phone:
        phone.until("started")
        began = monotonic()
        for number in range(20):
            phone.says("customer", f"word {number}", f"s{number}")
        phone.until("ack", segment_id="s19")
        assert monotonic() - began > 1.3
        assert not [each for each in phone.got if each["type"] == "error"]


def test_a_connection_ends_with_its_key(small: CallCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_calls, "KEY_CHECK_EVERY_S", 0.2)
    with small.call() as phone:
        phone.until("started")
        small.platform.store.revoke_key(key_hash(KEY), datetime.now(UTC))
        with pytest.raises(ConnectionClosed) as closed:
            phone.until("never")
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401


def test_who_tells_and_does_not_read_is_gone(small: CallCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application by itself, on a connection whose buffers are full after the first frame."""
    monkeypatch.setattr(live_calls, "SEND_WITHIN_S", 0.2)
    start = {"type": "start", "call_id": "deaf", "agent": AGENT, "key": KEY}
    coming: list[dict[str, Any]] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps(start)},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        if not coming:
            await asyncio.sleep(WAIT_S)
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] != "websocket.accept":
            await asyncio.sleep(WAIT_S)

    scope = {"type": "websocket", "path": "/v1/calls/live", "headers": [], "query_string": b""}
    app = create_gateway(replace(small.platform, registry=CollectorRegistry()))

    async def connected() -> None:
        async with app.router.lifespan_context(app), asyncio.timeout(WAIT_S / 2):
            await app({**scope, "client": ("127.0.0.1", 1), "subprotocols": []}, receive, send)

    asyncio.run(connected())
    assert [each["type"] for each in sent] == ["websocket.accept", "websocket.send"]


def test_a_finished_call_is_imported_once(centre: CallCentre) -> None:
    data = json.dumps(call_files.VCON).encode()
    first, second = centre.imports(data), centre.imports(data)
    assert (first.status_code, second.status_code) == (202, 202)
    [taken], [again] = first.json()["calls"], second.json()["calls"]
    assert (taken["turns"], taken["state"], again["state"]) == (2, "accepted", "known")
    assert again["conversation_id"] == taken["conversation_id"]
    until(
        lambda: (
            (row := centre.platform.store.conversation(taken["conversation_id"])) and row.status == "closed"
        )
    )
    frames = centre.frames(taken["conversation_id"], "ready")
    said = [(each["from"], each["text"], each["at"]) for each in frames if each["type"] == "message"]
    assert said == [
        ("human_agent", "Good morning, how can I help you?", "2026-03-01T09:30:00.500Z"),
        ("customer", "I lost my card.", "2026-03-01T09:30:02.400Z"),
    ]
    assert [each["kind"] for each in frames if each["type"] == "state"] == ["hold", "resumed"]
    assert len(bodies(centre, "conversation.events", SpeechTranscribed)) == 1


def test_what_a_file_has_and_cannot_be_read_is_told(small: CallCentre) -> None:
    second = {**call_files.VCON["dialog"][0], "start": "2026-03-01T09:31:00Z"}
    call = {**call_files.VCON, "dialog": [*call_files.VCON["dialog"], second]}
    for state in ("accepted", "known"):
        [taken] = small.imports(json.dumps(call).encode()).json()["calls"]
        assert (taken["state"], taken["turns"]) == (state, 2)
        [note] = taken["notes"]
        assert note.startswith("dialog[1] is a url, which is never fetched")


def test_an_id_that_is_another_calls_is_refused(small: CallCentre) -> None:
    small.imports(json.dumps(call_files.VCON).encode())
    other = json.loads(json.dumps(call_files.VCON))
    other["analysis"][0]["body"][1]["message"] = "I lost my keys."
    answer = small.imports(json.dumps(other).encode())
    assert answer.status_code == 409
    assert "call_id" in answer.json()["detail"]


def test_what_no_record_takes_is_told_and_no_fault_of_ours(
    shared: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise RecordTooLarge("a record of 2 MB")

    monkeypatch.setattr(CallBook, "take", too_large)
    answer = shared.imports(json.dumps(call_files.TURNS).encode())
    assert answer.status_code == 413
    assert "record" in answer.json()["detail"]


def test_a_file_has_its_slot_before_its_body_is_read(
    shared: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_door, "WAIT_FOR_IMPORT_S", 0.3)
    data = json.dumps({**call_files.TURNS, "call_id": "slot"}).encode()

    def slow() -> Iterator[bytes]:
        yield data[:10]
        began.set()
        assert answered.wait(WAIT_S)
        yield data[10:]

    began, answered = Flag(), Flag()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: shared.http.post("/v1/calls", content=slow()))
        assert began.wait(WAIT_S)
        second = shared.imports(data)
        answered.set()
    assert (second.status_code, second.headers["Retry-After"]) == (503, "5")
    assert first.result().status_code == 202
    assert shared.imports(data).status_code == 202


def test_a_body_that_comes_too_slowly_gives_its_slot_back(
    shared: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_calls, "BODY_WITHIN_S", 0.2)

    def slow() -> Iterator[bytes]:
        yield b"{"
        sleep(1.0)
        yield b"}"

    assert shared.http.post("/v1/calls", content=slow()).status_code == 408
    assert shared.imports(json.dumps(call_files.TURNS).encode()).status_code == 202


def test_with_too_many_turns_on_their_way_no_file_is_begun(
    shared: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(OnTheirWay, "too_many", lambda _: True)
        answer = shared.imports(json.dumps(call_files.TURNS).encode())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "on its way" in answer.json()["detail"]


def test_each_call_of_a_file_is_taken_or_refused_by_itself(small: CallCentre) -> None:
    calls = [{"call_id": f"c{number}", "turns": call_files.TURNS["turns"]} for number in range(3)]
    small.imports(json.dumps(calls[1]).encode())
    calls[1]["turns"] = [{"role": "caller", "text": "Good evening."}]
    answer = small.imports(json.dumps(calls).encode())
    assert answer.status_code == 202, answer.text
    first, second, third = answer.json()["calls"]
    assert [first["state"], second["state"], third["state"]] == ["accepted", "refused", "accepted"]
    assert "call_id" in second["reason"] and "conversation_id" not in second
    assert len(bodies(small, "call.events", TranscriptImported)) == 3
    again = small.imports(json.dumps([calls[1], calls[1]]).encode())
    assert again.status_code == 409 and "other calls" in again.json()["detail"]


def test_a_call_longer_than_a_record_comes_in_parts_and_is_one_conversation(small: CallCentre) -> None:
    turns = [
        {
            "speaker": "Agent" if number % 2 else "Customer",
            "text": f"{number} " + "钱" * 3_000,
            "start": number,
        }
        for number in range(120)
    ]
    answer = small.imports(json.dumps({"id": "long", "turns": turns}).encode())
    assert answer.status_code == 202, answer.text
    [taken] = answer.json()["calls"]
    until(
        lambda: (
            (row := small.platform.store.conversation(taken["conversation_id"])) and row.status == "closed"
        )
    )
    assert len(bodies(small, "call.events", TranscriptImported)) > 1
    frames = small.frames(taken["conversation_id"], "ready")
    assert [int(each["text"].split()[0]) for each in frames if each["type"] == "message"] == list(range(120))


@pytest.mark.parametrize(
    ("data", "params", "status", "says"),
    [
        (b"", {}, 400, "empty"),
        (b"PK\x03\x04....", {}, 400, "archive"),
        (b'{"vcon": "0.4.0"', {}, 400, "JSON"),
        (b"Agent: hello\nCustomer: hi", {"form": "fax"}, 400, "form"),
        (b"Agent: hello\nCustomer: hi", {"language": "english!"}, 422, "language"),
        (b"Agent: hello\nCustomer: hi", {"speaker": "Agent"}, 422, "speaker"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_written(
    shared: CallCentre, data: bytes, params: dict[str, str], status: int, says: str
) -> None:
    before = len(records_on(shared.platform, "call.events"))
    answer = shared.imports(data, **params)
    assert answer.status_code == status
    assert says.lower() in answer.json()["detail"].lower()
    assert len(records_on(shared.platform, "call.events")) == before


def test_only_an_api_key_of_the_tenant_imports_and_watches(shared: CallCentre) -> None:
    nobody = {"Authorization": "Bearer nobody"}
    assert shared.http.post("/v1/calls", content=b"x", headers=nobody).status_code == 401
    path = f"/v1/calls/{'0' * 8}-0000-0000-0000-{'0' * 12}/events"
    assert shared.http.get(path, headers=nobody).status_code == 401
    assert shared.http.get(path).status_code == 404


def test_what_was_asked_for_is_remembered_over_connections(small: CallCentre) -> None:
    with small.call() as agent:
        agent.until("started")
        agent.says("human_agent", "Can I take your card number please?", "a1")
        agent.until("message")
        with small.call() as customer:  # each side has a connection of its own
            customer.until("started")
            customer.says("customer", "four five three nine", "c1", start_ms=2_000)
            assert customer.until("message", **{"from": "customer"})["text"] == "[card_1]"
    with small.call() as again:
        again.until("started")
        again.says("customer", "1488", "c2", start_ms=4_000)
        until(lambda: len(bodies(small, "conversation.events", SpeechTranscribed)) == 3)
    assert bodies(small, "conversation.events", SpeechTranscribed)[-1].turns[0].text.startswith("[card_")


def test_a_customer_who_was_erased_does_not_come_back_with_the_same_call(small: CallCentre) -> None:
    data = json.dumps(call_files.VCON).encode()
    [taken] = small.imports(data).json()["calls"]
    chat = small.platform.store.channels.chat_of(taken["conversation_id"])
    assert chat is not None
    small.platform.keys.erase(chat.tenant, chat.customer_id)
    small.platform.store.purge([(chat.tenant, chat.customer_id)])
    answer = small.imports(data)
    assert answer.status_code == 410
    assert "erased" in answer.json()["detail"]
