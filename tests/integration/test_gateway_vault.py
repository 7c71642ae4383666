"""Masking with a tenant's own patterns, and its vault, through the doors: what is written, what comes back, to whom, and until when."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from schemas.base import MessageId, TenantId
from schemas.other_events import FeedbackGiven
from schemas.outbound import CustomerMessage, ReplyReady
from schemas.privacy import MaskPattern, Privacy
from schemas.tenant import TenantConfig
from services.gateway import GatewayServer
from services.gateway.directory import TENANT_TTL_S
from tests.support.doors import NOW, WIDGET, Doors, Pen, open_doors, running
from tests.support.small_tenant import CONTENT
from tests.support.sse import WAIT_S, event_stream
from tests.support.steps import asks, reply

CARD, PHONE = "4111 1111 1111 1111", "+353 87 123 4567"
CONTRACT = MaskPattern(name="contract", regex="AB-[0-9]{6}")
KEPT = Privacy(vault=True, vault_days=7, patterns=(CONTRACT,))


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with open_doors(tmp_path) as opened:
        allow(opened, KEPT, "bank", "1" * 16)
        allow(opened, Privacy(vault=True), "shop", "2" * 16)
        yield opened


@pytest.fixture
def url(doors: Doors) -> Iterator[str]:
    with running(GatewayServer(doors.app, "127.0.0.1", 0)) as server:
        yield server.url


def allow(doors: Doors, privacy: Privacy, tenant: str, version: str) -> TenantConfig:
    """A new version of the tenant, with nothing else changed."""
    held = doors.store.config(TenantId(tenant), doors.store.current(TenantId(tenant)))
    config = held.model_copy(update={"privacy": privacy})
    doors.store.put(version, config, CONTENT, NOW)
    return config


class Customer:
    """Writes by HTTP; `pen` says what the dialogue worker would."""

    def __init__(self, doors: Doors, url: str, pen: Pen | None = None) -> None:
        self.doors = doors
        self.pen = pen or doors.pen()
        self.url = f"{url}/v1/conversations/{self.pen.conversation_id}"
        self.headers = {"Authorization": f"Bearer {self.pen.token()}"}

    def write(self, text: str, name: str = "m-1") -> httpx.Response:
        body = {"client_message_id": name, "text": text}
        return httpx.post(f"{self.url}/messages", json=body, headers=self.headers, timeout=WAIT_S)

    def logged(self) -> list[str]:
        mine = self.pen.conversation_id
        return [event.body.text for event in self.doors.received() if event.envelope.conversation_id == mine]

    def history(self) -> list[str]:
        found = httpx.get(f"{self.url}/messages", headers=self.headers, timeout=WAIT_S).json()
        return [entry["text"] for entry in found["messages"]]

    def seen(self, count: int) -> list[dict[str, Any]]:
        with event_stream(self.url.partition("/v1")[0], self.pen.conversation_id, self.pen.token()) as stream:
            return [frame.data for frame in stream.take(count)]


def until(holds: Any) -> None:
    end = monotonic() + WAIT_S
    while not holds():
        assert monotonic() < end
        sleep(0.05)


def test_a_customer_sees_their_own_words_again_and_the_log_never_does(
    doors: Doors, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    anna = Customer(doors, url)
    assert anna.write(f"card {CARD}, call {PHONE}, contract AB-123456, PIN 43217654").status_code == 202
    [text] = anna.logged()
    assert text == "card [card_1], call [phone_1], contract [contract_1], PIN [code_1]"
    asks(anna.pen, text)
    reply(anna.pen, text="We call [phone_1] about [contract_1], never about [code_1] or [card_9].")
    mine = f"card {CARD}, call {PHONE}, contract AB-123456, PIN [code_1]"
    theirs = f"We call {PHONE} about AB-123456, never about [code_1] or [card_9]."
    assert anna.history() == [mine, theirs]
    assert [frame["text"] for frame in anna.seen(2)] == [mine, theirs]
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    everything += b"".join(record.value or b"" for record in doors.records())
    everything += httpx.get(f"{url}/metrics", timeout=WAIT_S).content + caplog.text.encode()
    for secret in (b"4111 1111", b"41111111", b"123 4567", b"871234567", b"AB-123456", b"43217654"):
        assert secret not in everything, secret


def test_what_comes_live_is_put_back_too(doors: Doors, url: str) -> None:
    anna = Customer(doors, url)
    anna.write(f"call {PHONE}")
    with event_stream(url, anna.pen.conversation_id, anna.pen.token()) as stream:
        stream.until("ready")
        anna.pen.delta(0, "We call [phone_1]. ")
        anna.pen.delta(1, "Today.")
        assert [frame.data["text"] for frame in stream.take(2)] == [f"We call {PHONE}. ", "Today."]
        reply(anna.pen, text="We call [phone_1]. Today.")
        assert stream.take(1)[0].data["text"] == f"We call {PHONE}. Today."


def test_no_other_customers_placeholder_is_put_back(doors: Doors, url: str) -> None:
    anna, ben = Customer(doors, url), Customer(doors, url)
    anna.write(f"card {CARD}")
    asks(ben.pen, "card [card_1]")
    assert ben.history() == ["card [card_1]"]
    ben.write(f"call {PHONE}")
    asks(ben.pen, "call [phone_1], card [card_1]")
    assert ben.history()[1] == f"call {PHONE}, card [card_1]"
    other = httpx.post(
        f"{url}/v1/conversations", json={"tenant": "bank"}, headers=WIDGET, timeout=WAIT_S
    ).json()
    hers = f"{url}/v1/conversations/{anna.pen.conversation_id}/messages"
    refused = httpx.get(hers, headers={"Authorization": f"Bearer {other['token']}"}, timeout=WAIT_S)
    assert refused.status_code in (403, 404)


def test_the_same_value_has_the_same_placeholder_in_every_message_and_comment(doors: Doors, url: str) -> None:
    anna = Customer(doors, url)
    anna.write(f"card {CARD}", "m-1")
    anna.write("or 5555 5555 5555 4444", "m-2")
    anna.write(f"no, {CARD}", "m-3")
    assert anna.logged() == ["card [card_1]", "or [card_2]", "no, [card_1]"]
    assert anna.write("or 5555 5555 5555 4444", "m-2").status_code == 202  # the same message again
    assert anna.write(f"or {CARD}", "m-2").status_code == 409
    reply(anna.pen)
    body = {"reply_id": f"r{anna.pen.seq}", "score": 1, "comment": "my card is 5555 5555 5555 4444"}
    path = f"{anna.url}/feedback"
    assert httpx.post(path, json=body, headers=anna.headers, timeout=WAIT_S).status_code == 202
    [given] = [each.body for each in doors.events("feedback.events") if isinstance(each.body, FeedbackGiven)]
    assert given.comment == "my card is [card_2]"


def test_a_new_version_is_in_force_without_a_restart(doors: Doors, url: str) -> None:
    """Its patterns for what is written from then on; its vault for what is shown."""
    anna = Customer(doors, url)
    anna.write("contract AB-123456, policy P/12345", "m-1")
    asks(anna.pen, anna.logged()[0])
    assert anna.history() == ["contract AB-123456, policy P/12345"]
    policy = MaskPattern(name="policy", regex="P/[0-9]{5}")
    allow(doors, Privacy(patterns=(policy,)), "bank", "3" * 16)
    until(lambda: anna.history() == ["contract [contract_1], policy P/12345"])
    anna.write("contract AB-123456, policy P/12345", "m-2")
    assert anna.logged()[1] == "contract AB-123456, policy [policy_1]"
    [received] = doors.received()[1:]
    assert received.envelope.tenant_version == "3" * 16
    assert received.body.masked == ("policy",)
    assert TENANT_TTL_S <= 2


def test_after_an_erasure_nothing_is_put_back_and_nothing_is_taken_in(doors: Doors, url: str) -> None:
    anna = Customer(doors, url)
    anna.write(f"card {CARD}")
    doors.keys.erase(anna.pen.tenant, anna.pen.customer_id)
    assert httpx.get(f"{anna.url}/messages", headers=anna.headers, timeout=WAIT_S).status_code == 410
    assert anna.write(f"card {CARD}", "m-2").status_code == 410
    [row] = doors.store.values(anna.pen.conversation_id)
    assert row.sealed is not None  # unreadable from now on; the purge takes it away


def test_originals_are_shown_until_their_term_is_over(doors: Doors, url: str) -> None:
    anna = Customer(doors, url)
    anna.write(f"card {CARD}")
    asks(anna.pen, "card [card_1]")
    doors.clock.move(timedelta(days=7).total_seconds() - 1)
    anna.headers = {"Authorization": f"Bearer {anna.pen.token()}"}
    assert anna.history() == [f"card {CARD}"]
    doors.clock.move(1)
    assert anna.history() == ["card [card_1]"]


def test_events_that_hold_placeholders_alone_are_what_workers_get(doors: Doors, url: str) -> None:
    """What leaves for customers is put back at the door, so staff, exports and models have the record as it is."""
    anna = Customer(doors, url)
    anna.write(f"call {PHONE}")
    anna.pen.say(CustomerMessage, message_id=MessageId("m-1"), text="call [phone_1]")
    reply(anna.pen, text="We call [phone_1].")
    assert anna.history() == [f"call {PHONE}", f"We call {PHONE}."]
    said = [
        each.body.text
        for each in doors.events("chat.outbound")
        if isinstance(each.body, CustomerMessage | ReplyReady)
    ]
    assert said == ["call [phone_1]", "We call [phone_1]."]


def test_a_text_that_numbers_make_too_long_is_refused(doors: Doors, url: str) -> None:
    anna = Customer(doors, url)
    for number in range(10):
        anna.write(f"+353 87 123 45{number:02d}", f"m-{number}")
    text = "+353 87 123 4599"
    whole = text + " a" * ((4000 - len("[phone_1]")) // 2)
    answer = anna.write(whole + "a" * (4000 - len("[phone_1]") - len(whole) + len(text)), "m-99")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "text"
