"""The gateway's doors over HTTP, in process: in-memory bus, SQLite store. What gets in, what comes out, what is refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from parley.ports.store import AccessKey
from schemas.base import GenerationId, MessageId, ReplyId, TenantId
from schemas.conversation_events import ConversationStarted
from schemas.other_events import FeedbackGiven
from schemas.outbound import AgentMessage, CustomerMessage, MessageSettled, ReplyReady, Typing
from schemas.parts import Citation, Settlement
from services.gateway.directory import key_hash
from tests.support.asgi import InProcess
from tests.support.doors import (
    API_KEY,
    ORIGIN,
    OTHER_KEY,
    WIDGET,
    WIDGET_KEY,
    Doors,
    Pen,
    Visitor,
    open_doors,
    problem,
)
from tests.support.steps import asks, reply


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with open_doors(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(doors: Doors) -> Iterator[InProcess]:
    with InProcess(doors.app) as opened:
        yield opened


@pytest.fixture
def visitor(client: InProcess) -> Visitor:
    return Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))


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


@pytest.mark.parametrize("revoked", [False, True])
def test_a_conversation_goes_on_only_on_the_pages_of_its_key(
    client: InProcess, doors: Doors, revoked: bool
) -> None:
    campaign = "https://campaign.example"
    key = AccessKey(key_hash("pk_own"), TenantId("bank"), "widget", "own", (campaign,), doors.clock.now())
    doors.store.put_key(key)
    ours, theirs = {"X-Widget-Key": "pk_own", "Origin": campaign}, WIDGET
    own = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=ours))
    other = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=theirs))
    if revoked:
        doors.store.revoke_key(key.key_hash, doors.clock.now())
    assert own.write("hello", Origin=campaign).status_code == 202
    assert other.write("hello", Origin=ORIGIN).status_code == 202
    problem(own.write("hello", Origin=ORIGIN), 403, "Origin")
    problem(other.write("hello", Origin=campaign), 403, "Origin")
    assert len(doors.received()) == 2


def test_any_origin_may_be_allowed_but_a_widget_key_still_needs_one(tmp_path: Path) -> None:
    with open_doors(tmp_path) as doors, InProcess(doors.app) as client:
        anywhere = ("*",)
        doors.store.put_key(
            AccessKey(key_hash("pk_any"), TenantId("bank"), "widget", "any", anywhere, doors.clock.now())
        )
        key = {"X-Widget-Key": "pk_any"}
        answer = client.post("/v1/conversations", json={"tenant": "bank"}, headers=key)
        assert problem(answer, 403, "Origin")["errors"][0]["message"] == "is missing"
        far = {**key, "Origin": "https://far.example"}
        assert client.post("/v1/conversations", json={"tenant": "bank"}, headers=far).status_code == 201


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


def test_a_message_is_masked_and_sealed_before_it_is_written(visitor: Visitor, doors: Doors) -> None:
    answer = visitor.write("My card 4111 1111 1111 1111 is lost, mail a@b.ie")
    assert answer.status_code == 202
    (event,) = doors.received()
    assert event.body.text == "My card [card_1] is lost, mail [email_1]"
    assert event.body.masked == ("card", "email")
    assert event.body.message_id == answer.json()["message_id"]
    assert event.envelope.occurred_at == doors.clock.now()
    raw = b"".join(record.value or b"" for record in doors.records())
    assert b"lost" not in raw
    assert b"4111" not in raw


def test_the_same_message_again_is_the_same_event_told_later(visitor: Visitor, doors: Doors) -> None:
    first = visitor.write("hello")
    doors.clock.move(9)
    again = visitor.write("hello")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    one, two = [record for record in doors.records() if ("type", b"MessageReceived") in record.headers]
    assert (one.key, one.value) == (two.key, two.value)
    before, after = doors.received()
    assert after.envelope == before.envelope.model_copy(update={"occurred_at": doors.clock.now()})


def test_the_same_id_with_another_text_is_a_conflict(visitor: Visitor, doors: Doors) -> None:
    visitor.write("hello")
    problem(visitor.write("goodbye"), 409, "client_message_id")
    assert len(doors.received()) == 1


def test_the_same_id_in_another_conversation_is_another_message(client: InProcess, visitor: Visitor) -> None:
    other = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
    assert visitor.write("hello").json() != other.write("hello").json()


def test_a_trace_goes_on(visitor: Visitor, doors: Doors) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    visitor.write("hello", traceparent=trace)
    visitor.write("hello again", "m-2", traceparent="nonsense")
    first, second = (event.envelope.traceparent or "" for event in doors.received())
    assert first.split("-")[1] == trace.split("-")[1]
    assert first != trace
    assert second.startswith("00-")


def test_many_at_once_are_each_written_once(visitor: Visitor, doors: Doors) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: visitor.write(f"text {n % 20}", f"m-{n % 20}"), range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["message_id"] for answer in answers}) == 20
    assert len({event.envelope.event_id for event in doors.received()}) == 20


def test_of_two_texts_under_one_id_at_the_same_time_one_wins(visitor: Visitor, doors: Doors) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: visitor.write(f"text {n % 2}"), range(40)))
    assert sorted({answer.status_code for answer in answers}) == [202, 409]
    assert len({event.body.text for event in doors.received()}) == 1


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
    "query",
    [
        {"after": each}
        for each in ("x", "-1", "9" * 30, "9" * 5000, "1_0", "1.0", "1e3", "+1", " 1", "٩", "", "\x00")
    ]
    + [{"limit": each} for each in ("0", "201", "true", "1.0", "")],
)
def test_a_bad_page_is_refused(visitor: Visitor, query: dict[str, str]) -> None:
    answer = visitor.client.get(f"{visitor.path}/messages", params=query, headers=visitor.headers)
    (field,) = query
    (error,) = problem(answer, 422, field)["errors"]
    assert (
        error["allowed"]
        == {"after": "the last `seq` seen, 0 to 1000000000000000", "limit": "1 to 200"}[field]
    )


def test_a_missing_parameter_is_named_with_what_is_allowed(client: InProcess) -> None:
    (error,) = problem(client.get("/v1/widget", headers=WIDGET), 422, "tenant")["errors"]
    assert error["allowed"] == "a tenant's id, such as bank"


# --- Feedback --------------------------------------------------------------------------------------------------------


def rate(client: InProcess, pen: Pen, **body: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {pen.token()}"}
    return client.post(f"/v1/conversations/{pen.conversation_id}/feedback", json=body, headers=headers)


def test_feedback_is_masked_and_written(client: InProcess, doors: Doors) -> None:
    pen = doors.pen()
    reply(pen)
    assert rate(client, pen, reply_id="r1", score=-1, comment="wrong, call 087 123 4567").status_code == 202
    (event,) = doors.events("feedback.events")
    assert event.body == FeedbackGiven(reply_id=ReplyId("r1"), score=-1, comment="wrong, call [phone_1]")
    assert event.envelope.conversation_id == pen.conversation_id


def test_feedback_on_a_reply_that_nobody_gave_is_refused(client: InProcess, doors: Doors) -> None:
    pen, other = doors.pen(), doors.pen()
    reply(other)
    asks(pen)
    for reply_id in ("r1", "m1", "00000000-0000-0000-0000-000000000000"):
        problem(rate(client, pen, reply_id=reply_id, score=1), 404, "reply_id")
    assert doors.records("feedback.events") == []


def test_feedback_of_an_erased_customer_is_gone(client: InProcess, doors: Doors) -> None:
    pen = doors.pen()
    reply(pen)
    doors.keys.erase(pen.tenant, pen.customer_id)
    problem(rate(client, pen, reply_id="r1", score=1), 410)


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


def test_allow_names_every_method_of_the_address(client: InProcess, visitor: Visitor) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        answer = client.request(method, f"{visitor.path}/messages", headers=visitor.headers)
        problem(answer, 405)
        assert answer.headers["allow"] == "GET, POST"
    assert client.post("/healthz").headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/v1/conversations/", "/v1/widget/", "/healthz/", "/widget.js/"])
def test_an_address_has_no_slash_at_its_end(client: InProcess, path: str) -> None:
    problem(client.get(path, headers=WIDGET), 404)


@pytest.mark.parametrize(
    "tenant", ["%00", "bank%00", "b", "Bank", "bank%0A", "%ED%A0%80", "b" * 60, "%F0%9F%8F%A6"]
)
def test_what_cannot_be_a_tenants_name_is_never_looked_up(
    client: InProcess, doors: Doors, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors.store, "current", lambda name: pytest.fail(f"{name!r} was looked up"))
    problem(client.get(f"/v1/widget?tenant={tenant}", headers=WIDGET), 404, "tenant")
    problem(client.get(f"/demo/{tenant}"), 404)


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
