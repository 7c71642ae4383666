"""The gateway's doors over HTTP, in process: in-memory bus, SQLite store. What gets in, what comes out, what is refused."""

import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from parley.ports.store import AccessKey
from schemas.base import Event, GenerationId, MessageId, ReplyId, TenantId
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.other_events import FeedbackGiven
from schemas.outbound import AgentMessage, CustomerMessage, MessageSettled, ReplyReady, Typing
from schemas.parts import Citation, Settlement
from services.gateway.directory import key_hash
from tests.support.asgi import InProcess
from tests.support.doors import API_KEY, ORIGIN, OTHER_KEY, WIDGET_KEY, Doors, open_doors

WIDGET = {"X-Widget-Key": WIDGET_KEY, "Origin": ORIGIN}


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with open_doors(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(doors: Doors) -> Iterator[InProcess]:
    with InProcess(doors.app) as opened:
        yield opened


class Visitor:
    """A customer with a conversation."""

    def __init__(self, client: InProcess, started: Response) -> None:
        assert started.status_code == 201, started.text
        self.client = client
        self.conversation_id = str(started.json()["conversation_id"])
        self.headers = {"Authorization": f"Bearer {started.json()['token']}"}
        self.path = f"/v1/conversations/{self.conversation_id}"

    def write(self, text: str, client_message_id: str = "m-1", **headers: str) -> Response:
        body = {"client_message_id": client_message_id, "text": text}
        return self.client.post(f"{self.path}/messages", json=body, headers={**self.headers, **headers})


@pytest.fixture
def visitor(client: InProcess) -> Visitor:
    return Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))


def problem(response: Response, status: int, field: str | None = None) -> dict[str, Any]:
    """The problem, which must have the one shape, this status, and a line for this field."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert set(found) == {"type", "title", "status", "detail", "errors"}
    assert found["status"] == status
    assert found["type"].startswith("urn:parley:problem:")
    if field is not None:
        assert field in [error["field"] for error in found["errors"]], found
    return found


# --- Beginning -------------------------------------------------------------------------------------------------------


def test_a_conversation_begins_with_an_event(client: InProcess, doors: Doors) -> None:
    started = client.post("/v1/conversations", json={"tenant": "bank", "language": "zh-Hans"}, headers=WIDGET)
    assert started.status_code == 201
    assert set(started.json()) == {"conversation_id", "token"}
    (event,) = doors.events("conversation.events")
    assert event.body == ConversationStarted(channel="web", language="zh")
    assert event.envelope.conversation_id == started.json()["conversation_id"]
    assert event.envelope.traceparent is not None


def test_a_language_that_the_tenant_does_not_speak_is_left_to_it(client: InProcess, doors: Doors) -> None:
    client.post("/v1/conversations", json={"tenant": "bank", "language": "de-AT"}, headers=WIDGET)
    assert doors.events("conversation.events")[0].body == ConversationStarted(channel="web", language=None)


def test_an_api_key_needs_no_origin(client: InProcess, doors: Doors) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    visitor = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=headers))
    assert visitor.write("hello").status_code == 202
    assert [event.body.channel for event in doors.events("conversation.events") if hasattr(event.body, "channel")] == ["api", "api"]  # fmt: skip


def test_a_key_may_be_bound_to_pages_of_its_own(client: InProcess, doors: Doors) -> None:
    campaign = "https://campaign.example"
    doors.store.put_key(
        AccessKey(key_hash("pk_own"), TenantId("bank"), "widget", "own", (campaign,), doors.clock.now())
    )
    headers = {"X-Widget-Key": "pk_own", "Origin": campaign}
    visitor = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=headers))
    assert visitor.write("hello", Origin=campaign).status_code == 202
    problem(
        client.post("/v1/conversations", json={"tenant": "bank"}, headers={**headers, "Origin": ORIGIN}),
        403,
        "Origin",
    )


def test_a_revoked_key_opens_nothing(client: InProcess, doors: Doors) -> None:
    doors.store.revoke_key(key_hash(WIDGET_KEY), doors.clock.now())
    problem(client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET), 401, "X-Widget-Key")


def test_the_widget_learns_what_it_shows(client: InProcess) -> None:
    answer = client.get("/v1/widget", params={"tenant": "bank"}, headers=WIDGET)
    assert answer.status_code == 200
    assert answer.json() == {
        "tenant": "bank",
        "name": {"en": "Test Bank", "zh": "（Test Bank）"},
        "assistant": {
            "name": {"en": "Helper", "zh": "（Helper）"},
            "greeting": {"en": "Hello!", "zh": "（Hello!）"},
            "suggestions": {},
        },
        "languages": ["en", "zh"],
        "default_language": "en",
    }


@pytest.mark.parametrize(
    ("headers", "body", "status", "field"),
    [
        ({}, {"tenant": "bank"}, 401, "X-Widget-Key"),
        ({"X-Widget-Key": "pk_wrong", "Origin": ORIGIN}, {"tenant": "bank"}, 401, "X-Widget-Key"),
        ({"X-Widget-Key": API_KEY, "Origin": ORIGIN}, {"tenant": "bank"}, 401, "X-Widget-Key"),
        ({"Authorization": f"Bearer {WIDGET_KEY}"}, {"tenant": "bank"}, 401, "Authorization"),
        (WIDGET, {"tenant": "bnak"}, 404, "tenant"),
        ({"X-Widget-Key": OTHER_KEY, "Origin": ORIGIN}, {"tenant": "bank"}, 403, "tenant"),
        ({"X-Widget-Key": WIDGET_KEY}, {"tenant": "bank"}, 403, "Origin"),
        ({"X-Widget-Key": WIDGET_KEY, "Origin": "https://evil.example"}, {"tenant": "bank"}, 403, "Origin"),
        ({"X-Widget-Key": WIDGET_KEY, "Origin": "https://shop.example"}, {"tenant": "bank"}, 403, "Origin"),
        ({"X-Widget-Key": WIDGET_KEY, "Origin": "null"}, {"tenant": "bank"}, 403, "Origin"),
        (WIDGET, {}, 422, "tenant"),
        (WIDGET, {"tenant": 7}, 422, "tenant"),
        (WIDGET, {"tenant": "Bank"}, 422, "tenant"),
        (WIDGET, {"tenant": "bank", "language": "english please"}, 422, "language"),
        (WIDGET, {"tenant": "bank", "name": "x"}, 422, "name"),
        (WIDGET, ["bank"], 422, "body"),
    ],
)
def test_a_conversation_does_not_begin(
    client: InProcess, doors: Doors, headers: dict[str, str], body: object, status: int, field: str
) -> None:
    problem(client.post("/v1/conversations", json=body, headers=headers), status, field)
    assert doors.records() == []


# --- Writing ---------------------------------------------------------------------------------------------------------


def received(doors: Doors) -> list[Event[MessageReceived]]:
    return [
        Event(event.envelope, event.body)
        for event in doors.events("conversation.events")
        if isinstance(event.body, MessageReceived)
    ]


def test_a_message_is_masked_and_sealed_before_it_is_written(visitor: Visitor, doors: Doors) -> None:
    answer = visitor.write("My card 4111 1111 1111 1111 is lost, mail a@b.ie")
    assert answer.status_code == 202
    (event,) = received(doors)
    assert event.body.text == "My card [card_1] is lost, mail [email_1]"
    assert event.body.masked == ("card", "email")
    assert event.body.message_id == answer.json()["message_id"]
    assert event.envelope.occurred_at == doors.clock.now()
    raw = b"".join(record.value or b"" for record in doors.records())
    assert b"lost" not in raw
    assert b"4111" not in raw


def test_the_same_message_again_is_the_same_event_to_the_byte(visitor: Visitor, doors: Doors) -> None:
    first = visitor.write("hello")
    doors.clock.move(9)
    again = visitor.write("hello")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    one, two = [record for record in doors.records() if ("type", b"MessageReceived") in record.headers]
    assert (one.key, one.value, one.headers) == (two.key, two.value, two.headers)


def test_the_same_id_with_another_text_is_a_conflict(visitor: Visitor, doors: Doors) -> None:
    visitor.write("hello")
    problem(visitor.write("goodbye"), 409, "client_message_id")
    assert len(received(doors)) == 1


def test_the_same_id_in_another_conversation_is_another_message(client: InProcess, visitor: Visitor) -> None:
    other = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
    assert visitor.write("hello").json() != other.write("hello").json()


def test_a_trace_goes_on(visitor: Visitor, doors: Doors) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    visitor.write("hello", traceparent=trace)
    visitor.write("hello again", "m-2", traceparent="nonsense")
    first, second = (event.envelope.traceparent or "" for event in received(doors))
    assert first.split("-")[1] == trace.split("-")[1]
    assert first != trace
    assert second.startswith("00-")


def test_many_at_once_are_each_written_once(visitor: Visitor, doors: Doors) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: visitor.write(f"text {n % 20}", f"m-{n % 20}"), range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["message_id"] for answer in answers}) == 20
    assert len({event.envelope.event_id for event in received(doors)}) == 20


def test_of_two_texts_under_one_id_at_the_same_time_one_wins(visitor: Visitor, doors: Doors) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: visitor.write(f"text {n % 2}"), range(40)))
    assert sorted({answer.status_code for answer in answers}) == [202, 409]
    assert len({event.body.text for event in received(doors)}) == 1


BAD_TEXTS = [
    ("", "empty"),
    ("  \n\t\u3000", "white space"),
    ("\u200b\ufeff\u2060", "white space"),
    ("a\x00b", "NUL"),
    ("x" * 4001, "4000"),
    ("\U0001f600" * 4001, "4000"),
]


@pytest.mark.parametrize(("text", "said"), BAD_TEXTS, ids=[said for _, said in BAD_TEXTS])
def test_a_bad_text_is_refused_and_says_what_is_allowed(
    visitor: Visitor, doors: Doors, text: str, said: str
) -> None:
    before = len(doors.records())
    found = problem(visitor.write(text), 422, "text")
    assert "1 to 4000 characters" in found["errors"][0]["allowed"]
    assert len(doors.records()) == before


def test_the_longest_text_is_taken(visitor: Visitor, doors: Doors) -> None:
    assert visitor.write("\U0001f600" * 4000).status_code == 202
    assert len(received(doors)[0].body.text) == 4000


def test_a_text_that_masking_makes_too_long_is_refused(visitor: Visitor) -> None:
    found = problem(visitor.write("PIN 123 " * 499), 422, "text")
    assert "masked" in found["errors"][0]["message"]


BAD_BODIES: list[tuple[bytes, int, str]] = [
    (b"", 400, "body"),
    (b"{", 400, "body"),
    (b'{"client_message_id": "m", "text": "hi"} trailing', 400, "body"),
    (b'{"client_message_id": "m", "text": "\xff"}', 400, "body"),
    (b"\xef\xbb\xbf{}", 400, "body"),
    (b"[" * 60_000, 400, "body"),
    (b'{"text": ' + b"9" * 5_000 + b"}", 400, "body"),
    (b"null", 422, "body"),
    (b'"text"', 422, "body"),
    (b"{}", 422, "text"),
    (b'{"client_message_id": "m", "text": null}', 422, "text"),
    (b'{"client_message_id": "m", "text": 5}', 422, "text"),
    (b'{"client_message_id": "m", "text": "\\ud83d"}', 422, "text"),
    (b'{"client_message_id": "m", "text": "\\ude00 low"}', 422, "text"),
    (b'{"client_message_id": "m", "text": "a\\u0000b"}', 422, "text"),
    (b'{"client_message_id": 1, "text": "hi"}', 422, "client_message_id"),
    (b'{"client_message_id": "", "text": "hi"}', 422, "client_message_id"),
    (b'{"client_message_id": "a b", "text": "hi"}', 422, "client_message_id"),
    (b'{"client_message_id": "m\\n", "text": "hi"}', 422, "client_message_id"),
    (b'{"client_message_id": "' + b"m" * 65 + b'", "text": "hi"}', 422, "client_message_id"),
    (b'{"client_message_id": "m", "text": "hi", "role": "system"}', 422, "role"),
    (b'{"client_message_id": "m", "text": "hi", "\\ud800": 1}', 422, "body"),
]


@pytest.mark.parametrize(
    ("body", "status", "field"), BAD_BODIES, ids=[str(body[:48]) for body, _, _ in BAD_BODIES]
)
def test_a_bad_body_is_refused(visitor: Visitor, doors: Doors, body: bytes, status: int, field: str) -> None:
    before = len(doors.records())
    headers = {**visitor.headers, "Content-Type": "application/json"}
    found = problem(
        visitor.client.post(f"{visitor.path}/messages", content=body, headers=headers), status, field
    )
    assert all(error.get("allowed") for error in found["errors"])
    assert len(doors.records()) == before


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
def test_only_json_is_read(visitor: Visitor, content_type: str | None) -> None:
    headers = (
        dict(visitor.headers) if content_type is None else {**visitor.headers, "Content-Type": content_type}
    )
    answer = visitor.client.post(
        f"{visitor.path}/messages", content=b'{"client_message_id":"m","text":"hi"}', headers=headers
    )
    problem(answer, 415, "Content-Type")


def test_json_with_a_charset_is_json(visitor: Visitor) -> None:
    headers = {**visitor.headers, "Content-Type": "application/json; charset=utf-8"}
    body = json.dumps({"client_message_id": "m", "text": "谢谢"}, ensure_ascii=False).encode()
    assert visitor.client.post(f"{visitor.path}/messages", content=body, headers=headers).status_code == 202


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """Sent without saying how long it will be."""
    yield body[:1000]
    yield body[1000:]


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_over_64_kb_is_refused(visitor: Visitor, doors: Doors, chunked: bool) -> None:
    before = len(doors.records())
    body = b'{"client_message_id": "m", "text": "' + b"x" * 65_536 + b'"}'
    headers = {**visitor.headers, "Content-Type": "application/json"}
    content: Any = in_pieces(body) if chunked else body
    problem(visitor.client.post(f"{visitor.path}/messages", content=content, headers=headers), 413, "body")
    assert len(doors.records()) == before


# --- Who may ---------------------------------------------------------------------------------------------------------

TOKEN_DOORS = [("POST", "messages"), ("GET", "messages"), ("POST", "feedback"), ("GET", "events")]


@pytest.mark.parametrize(("method", "door"), TOKEN_DOORS)
@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer x.y", "Basic dTpw", f"Bearer {API_KEY}"]
)
def test_without_a_token_nothing_opens(
    visitor: Visitor, method: str, door: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = visitor.client.request(method, f"{visitor.path}/{door}", headers=headers)
    problem(answer, 401, "Authorization")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "door"), TOKEN_DOORS)
def test_an_expired_token_opens_nothing(visitor: Visitor, doors: Doors, method: str, door: str) -> None:
    doors.clock.move(3600 * doors.settings.token_ttl_hours)
    answer = visitor.client.request(method, f"{visitor.path}/{door}", headers=visitor.headers)
    assert "expired" in problem(answer, 401, "Authorization")["detail"]


@pytest.mark.parametrize(("method", "door"), TOKEN_DOORS)
def test_another_conversations_token_opens_nothing(
    client: InProcess, visitor: Visitor, method: str, door: str
) -> None:
    other = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
    problem(client.request(method, f"{visitor.path}/{door}", headers=other.headers), 403, "conversation_id")


@pytest.mark.parametrize(("method", "door"), TOKEN_DOORS)
@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example", "http://bank.example"])
def test_a_foreign_page_may_not_use_a_token(visitor: Visitor, method: str, door: str, origin: str) -> None:
    headers = {**visitor.headers, "Origin": origin}
    problem(visitor.client.request(method, f"{visitor.path}/{door}", headers=headers), 403, "Origin")


def test_an_erased_customer_is_gone(visitor: Visitor, doors: Doors) -> None:
    (started,) = doors.events("conversation.events")
    doors.keys.erase(started.envelope.tenant, started.envelope.customer_id)
    problem(visitor.write("hello"), 410)


# --- Browsers --------------------------------------------------------------------------------------------------------


def test_a_preflight_from_a_tenants_page_passes(client: InProcess) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-widget-key",
    }
    answer = client.options("/v1/conversations", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Widget-Key" in answer.headers["access-control-allow-headers"]
    assert "Origin" in answer.headers["vary"]


def test_a_preflight_from_elsewhere_does_not(client: InProcess) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/conversations", headers=headers)
    problem(answer, 403, "Origin")
    assert "access-control-allow-origin" not in answer.headers


def test_a_tenants_page_may_read_answers_and_refusals(visitor: Visitor) -> None:
    for answer in (visitor.write("hi", Origin=ORIGIN), visitor.write("", Origin=ORIGIN)):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-expose-headers"] == "Retry-After"


# --- Too much --------------------------------------------------------------------------------------------------------


def test_a_conversation_may_not_write_too_much(tmp_path: Path) -> None:
    with open_doors(tmp_path, messages_per_minute=3) as doors, InProcess(doors.app) as client:
        visitor = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
        answers = [visitor.write("hi", f"m-{n}") for n in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        problem(answers[-1], 429, "messages")
        assert len(received(doors)) == 3


def test_a_key_may_not_begin_too_many(tmp_path: Path) -> None:
    with open_doors(tmp_path, conversations_per_minute=20) as doors, InProcess(doors.app) as client:
        answers = [
            client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET) for _ in range(11)
        ]
        problem(answers[-1], 429, "conversations")
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert len(doors.records()) == 10


def test_addresses_are_told_apart_behind_a_proxy(tmp_path: Path) -> None:
    with (
        open_doors(tmp_path, conversations_per_minute=20, proxies=1) as doors,
        InProcess(doors.app) as client,
    ):
        for last in range(15):
            headers = {**WIDGET, "X-Forwarded-For": f"203.0.113.9, 198.51.100.{last}"}
            assert (
                client.post("/v1/conversations", json={"tenant": "bank"}, headers=headers).status_code == 201
            )


def test_a_tenant_is_held_to_its_rate(tmp_path: Path) -> None:
    with open_doors(tmp_path, limits={"messages_per_second": 2.0}) as doors, InProcess(doors.app) as client:
        visitor = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
        answers = [visitor.write("hi", f"m-{n}") for n in range(8)]
        assert [answer.status_code for answer in answers[:4]] == [202] * 4
        problem(answers[-1], 429, "messages")


def test_a_tenant_is_held_to_its_unsettled_messages(tmp_path: Path) -> None:
    with open_doors(tmp_path, limits={"unsettled": 2}) as doors, InProcess(doors.app) as client:
        visitor = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
        answers = [visitor.write("hi", f"m-{n}") for n in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_the_history_holds_what_was_said_page_by_page(client: InProcess, doors: Doors) -> None:
    pen = doors.pen()
    pen.say(CustomerMessage, message_id=MessageId("m1"), text="What does it cost?")
    pen.say(Typing, who="bot", on=True)
    source = Citation(id="fees", title="Fees", url="/demo/bank/help/fees")
    pen.say(
        ReplyReady, reply_id=ReplyId("r1"), kind="answer", answers=(MessageId("m1"),), text="€4.50", language="en",
        citations=(source,), generation_id=GenerationId("g"),
    )  # fmt: skip
    pen.say(MessageSettled, settlements=(Settlement(message_id=MessageId("m1"), outcome="answered"),))
    pen.say(
        AgentMessage, message_id=MessageId("m2"), human_agent_id="7", human_agent_name="Ada", text="Hello"
    )
    headers = {"Authorization": f"Bearer {pen.token()}"}
    path = f"/v1/conversations/{pen.conversation_id}/messages"
    whole = client.get(path, headers=headers).json()
    assert [(m["from"], m["text"], m["seq"]) for m in whole["messages"]] == [
        ("customer", "What does it cost?", 1),
        ("bot", "€4.50", 3),
        ("human_agent", "Hello", 5),
    ]
    assert whole["messages"][1]["citations"] == [source.model_dump()]
    assert whole["messages"][1]["reply_id"] == "r1"
    assert whole["next"] is None
    pages, after = [], 0
    while after is not None:
        page = client.get(path, params={"after": after, "limit": 1}, headers=headers).json()
        pages.append([m["seq"] for m in page["messages"]])
        after = page["next"]
    assert pages == [[1], [3], [5]]


def test_a_conversation_without_words_has_an_empty_history(visitor: Visitor) -> None:
    answer = visitor.client.get(f"{visitor.path}/messages", headers=visitor.headers)
    assert answer.json() == {"messages": [], "next": None}


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"after": -1}, {"limit": 0}, {"limit": 201}, {"after": "9" * 30}]
)
def test_a_bad_page_is_refused(visitor: Visitor, query: dict[str, str]) -> None:
    answer = visitor.client.get(f"{visitor.path}/messages", params=query, headers=visitor.headers)
    problem(answer, 422, next(iter(query)))


# --- Feedback --------------------------------------------------------------------------------------------------------


def test_feedback_is_masked_and_written(visitor: Visitor, doors: Doors) -> None:
    body = {"reply_id": "r-1", "score": -1, "comment": "wrong, call 087 123 4567"}
    answer = visitor.client.post(f"{visitor.path}/feedback", json=body, headers=visitor.headers)
    assert answer.status_code == 202
    (event,) = doors.events("feedback.events")
    assert event.body == FeedbackGiven(reply_id=ReplyId("r-1"), score=-1, comment="wrong, call [phone_1]")
    assert event.envelope.conversation_id == visitor.conversation_id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reply_id": "r", "score": 0}, "score"),
        ({"reply_id": "r", "score": "1"}, "score"),
        ({"reply_id": "r", "score": True}, "score"),
        ({"reply_id": "r"}, "score"),
        ({"reply_id": "", "score": 1}, "reply_id"),
        ({"reply_id": "r", "score": 1, "comment": "x" * 2001}, "comment"),
        ({"reply_id": "r", "score": 1, "comment": "\x00"}, "comment"),
        ({"reply_id": "r", "score": 1, "stars": 5}, "stars"),
    ],
)
def test_bad_feedback_is_refused(visitor: Visitor, doors: Doors, body: dict[str, object], field: str) -> None:
    answer = visitor.client.post(f"{visitor.path}/feedback", json=body, headers=visitor.headers)
    problem(answer, 422, field)
    assert doors.records("feedback.events") == []


# --- The rest --------------------------------------------------------------------------------------------------------


def test_unknown_addresses_and_methods_are_problems_too(client: InProcess) -> None:
    problem(client.get("/v1/nothing"), 404)
    answer = client.request("PUT", "/v1/conversations", headers=WIDGET)
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_it_says_that_it_is_alive_and_ready_and_what_it_did(client: InProcess, visitor: Visitor) -> None:
    visitor.write("card 4111111111111111")
    visitor.write("")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    metrics = client.get("/metrics").text
    assert 'parley_gateway_messages_accepted_total{tenant="bank"} 1.0' in metrics
    assert 'parley_gateway_masked_total{kind="card"} 1.0' in metrics
    assert 'parley_gateway_refused_total{status="422"} 1.0' in metrics


def test_every_error_is_documented_as_a_problem(client: InProcess) -> None:
    document = client.get("/openapi.json").json()
    seen = 0
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    seen += 1
                    assert list(response["content"]) == ["application/problem+json"]
    assert seen > 40
    assert {"/v1/conversations", "/v1/widget", "/healthz", "/readyz", "/metrics"} <= set(document["paths"])
