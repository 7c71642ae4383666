"""What the doors refuse: bad bodies, wrong tokens and pages, too much; always the one shape, and nothing written."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from parley.ports.store import Claim
from schemas.base import ConversationId, MessageId
from tests.support.asgi import InProcess
from tests.support.doors import (
    API_KEY,
    ORIGIN,
    OTHER_KEY,
    WIDGET,
    Doors,
    Visitor,
    open_doors,
    problem,
)


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


# --- Bodies -----------------------------------------------------------------------------------------------------------


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
    assert len(doors.received()[0].body.text) == 4000


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
    unclaimed = Claim(
        ConversationId(visitor.conversation_id), "m-1", MessageId("new"), "new", doors.clock.now()
    )
    assert doors.store.claim([unclaimed]) == [unclaimed], "not even the client's id was written"


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
        assert len(doors.received()) == 3


def test_a_key_may_not_begin_too_many(tmp_path: Path) -> None:
    with open_doors(tmp_path, conversations_per_minute=20) as doors, InProcess(doors.app) as client:
        answers = [
            client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET) for _ in range(11)
        ]
        found = problem(answers[-1], 429, "conversations")
        assert found["errors"][0]["allowed"] == "10 a minute from one address"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert len(doors.records()) == 10


def test_what_one_limit_refuses_costs_nothing_of_the_other(tmp_path: Path) -> None:
    with (
        open_doors(tmp_path, conversations_per_minute=12, proxies=1) as doors,
        InProcess(doors.app) as client,
    ):
        for last in range(12):
            headers = {**WIDGET, "X-Forwarded-For": f"198.51.100.{last}"}
            assert (
                client.post("/v1/conversations", json={"tenant": "bank"}, headers=headers).status_code == 201
            )
        headers = {**WIDGET, "X-Forwarded-For": "198.51.100.99"}
        found = problem(client.post("/v1/conversations", json={"tenant": "bank"}, headers=headers), 429)
        assert found["errors"][0]["allowed"] == "12 a minute with one key"
        other = {
            "X-Widget-Key": OTHER_KEY,
            "Origin": "https://shop.example",
            "X-Forwarded-For": "198.51.100.99",
        }
        answers = [
            client.post("/v1/conversations", json={"tenant": "shop"}, headers=other) for _ in range(10)
        ]
        assert {answer.status_code for answer in answers} == {201}


def test_what_is_refused_uses_up_no_rate(tmp_path: Path) -> None:
    with (
        open_doors(tmp_path, conversations_per_minute=20, messages_per_minute=3) as doors,
        InProcess(doors.app) as client,
    ):
        bad: list[tuple[dict[str, str], dict[str, object], int]] = [
            (WIDGET, {"tenant": 5}, 422),
            (WIDGET, {"tenant": "bnak"}, 404),
            ({**WIDGET, "Origin": "https://shop.example"}, {"tenant": "bank"}, 403),
            ({"X-Widget-Key": "pk_wrong"}, {"tenant": "bank"}, 401),
        ]
        for headers, body, status in bad * 25:
            problem(client.post("/v1/conversations", json=body, headers=headers), status)
        visitor = Visitor(client, client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET))
        feedback = {"reply_id": "nobody-said-this", "score": 1}
        for number in range(100):
            problem(visitor.write("" if number % 2 else "PIN 123 " * 499), 422, "text")
            answer = client.post(f"{visitor.path}/feedback", json=feedback, headers=visitor.headers)
            problem(answer, 404, "reply_id")
        assert [visitor.write("hi", f"m-{n}").status_code for n in range(4)] == [202, 202, 202, 429]


def test_a_flood_of_what_is_refused_is_cut_off(tmp_path: Path) -> None:
    with open_doors(tmp_path, refusals_per_minute=5, proxies=1) as doors, InProcess(doors.app) as client:
        flood, other = ({**WIDGET, "X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
        for _ in range(5):
            problem(client.post("/v1/conversations", json={"tenant": 5}, headers=flood), 422)
        for body in ({"tenant": 5}, {"tenant": "bank"}):
            answer = client.post("/v1/conversations", json=body, headers=flood)
            found = problem(answer, 429, "refused requests")
            assert found["errors"][0]["allowed"] == "5 a minute from one address"
            assert 1 <= int(answer.headers["retry-after"]) <= 12
            assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert client.post("/v1/conversations", json={"tenant": "bank"}, headers=other).status_code == 201
        assert client.get("/healthz", headers=flood).status_code == 200


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
