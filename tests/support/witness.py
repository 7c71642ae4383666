"""Two customers whose words stand nowhere else, and a look at everything that a platform has written down.

`Witness` works on a running platform, in either form, as people do: by HTTP and by the `parley` command in processes of their own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

import httpx

from parley.ports.bus import Bus, Record
from parley.runtime.deadletters import bury
from parley.runtime.disclosing import LOG_TOPICS
from parley.runtime.exports import read_records
from parley.runtime.publishing import publish
from parley.settings import Settings
from schemas.base import AnyEvent, CustomerId, Event, TenantId
from schemas.conversation_events import MessageReceived
from tests.support.processes import ROOT
from workers.wiring import Platform, open_platform

TENANT = TenantId("mobile")
WITHIN_S = 60.0


@dataclass(frozen=True)
class Words:
    """What one customer says: no rule of masking knows any of it, and nothing else in the world has it."""

    messages: tuple[str, ...]
    comment: str
    buried: str
    failed: str
    markers: tuple[str, ...]


ERASED = Words(
    messages=(
        "How do I activate my eSIM? Quintrella Vexmoor from Wobblethorpe Crescent asks, zorblaxia",
        "我的账单为什么这么贵？鱻龘来自靐齉路",
    ),
    comment="frumious bandersnatchery 麤毳 helped",
    buried="a dead letter about glimmerquop",
    failed="it failed on snarkelbeeft",
    markers=(
        "Quintrella",
        "Wobblethorpe",
        "zorblaxia",
        "鱻龘",
        "靐齉",
        "bandersnatchery",
        "麤毳",
        "glimmerquop",
        "snarkelbeeft",
    ),
)
KEPT = Words(
    messages=("How do I port my number? tuvalumbria of Ploverstead asks", "怎么充值？驫羴住在灥瀾路"),
    comment="jabberwockling 猋骉 was fine",
    buried="a dead letter about mimsyborogove",
    failed="it failed on vorpalwhiff",
    markers=(
        "tuvalumbria",
        "Ploverstead",
        "驫羴",
        "灥瀾",
        "jabberwockling",
        "猋骉",
        "mimsyborogove",
        "vorpalwhiff",
    ),
)


@dataclass
class Customer:
    """A customer who talks, by HTTP."""

    url: str
    words: Words
    conversation_id: str
    token: str
    customer_id: CustomerId = field(init=False)

    def write(self, text: str, name: str) -> httpx.Response:
        return self._call("POST", "messages", json={"client_message_id": name, "text": text})

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "messages").raise_for_status().json()["messages"]
        return found

    def read(self) -> httpx.Response:
        return self._call("GET", "messages")

    def say(self, text: str, name: str) -> dict[str, Any]:
        """Write, and wait for the reply to it."""
        message_id = self.write(text, name).raise_for_status().json()["message_id"]
        until = monotonic() + WITHIN_S
        while monotonic() < until:
            told = self.history()
            at = next((n for n, each in enumerate(told) if each.get("message_id") == message_id), len(told))
            for each in told[at:]:
                if each["from"] == "bot":
                    return each
            sleep(0.1)
        raise AssertionError(f"no reply within {WITHIN_S:g} s")

    def rate(self, reply: dict[str, Any], comment: str) -> None:
        body = {"reply_id": reply["reply_id"], "score": 1, "comment": comment}
        self._call("POST", "feedback", json=body).raise_for_status()

    def _call(self, method: str, door: str, **request: Any) -> httpx.Response:
        path = f"{self.url}/v1/conversations/{self.conversation_id}/{door}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, path, headers=headers, timeout=30.0, **request)


class Witness:
    """`environment` are the platform's settings, `url` is its gateway's address."""

    def __init__(self, environment: Mapping[str, str], url: str) -> None:
        self.environment = dict(environment)
        self.url = url
        self.api_key = self.parley_json("keys", "create", "--tenant", TENANT, "--kind", "api")["key"]

    # -- as people do -------------------------------------------------------------------------------------------------

    def parley(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "parley.cli.main", *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )

    def parley_json(self, *arguments: str) -> Any:
        done = self.parley(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def begin(self, words: Words) -> Customer:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        begun = httpx.post(f"{self.url}/v1/conversations", json={"tenant": TENANT}, headers=headers)
        answer = begun.raise_for_status().json()
        return Customer(self.url, words, answer["conversation_id"], answer["token"])

    def converse(self, words: Words) -> Customer:
        """A whole conversation: messages with their replies, a verdict, a dead letter and a record that failed."""
        customer = self.begin(words)
        for number, text in enumerate(words.messages):
            reply = customer.say(text, f"m-{number}")
        customer.rate(reply, words.comment)
        found = self.parley_json("privacy", "find", customer.conversation_id)
        assert found["tenant"] == TENANT
        customer.customer_id = CustomerId(found["customer_id"])
        with self.opened() as opened:
            self._bury(opened, customer)
            self._wait_for_all(opened, customer)
        return customer

    def opened(self) -> "OpenPlatform":
        return OpenPlatform(self.environment)

    # -- the records that something is wrong with ---------------------------------------------------------------------

    def _bury(self, opened: Platform, customer: Customer) -> None:
        """A record that no reader can read, and one that was given up, as the dialogue worker writes it."""
        first = next(
            record
            for record in read_records(opened.bus, ["conversation.events"])
            if ("customer_id", customer.customer_id.encode()) in record.headers
            and ("type", b"MessageReceived") in record.headers
        )
        event = opened.codec.decode(first)
        assert isinstance(event, Event) and isinstance(event.body, MessageReceived)
        unreadable = opened.codec.encode(_another(event, event.body, customer.words.buried))
        failed = opened.codec.encode(_another(event, event.body, customer.words.failed))
        record = first._replace(key=failed.key, value=failed.value, headers=failed.headers)
        letter = bury(record, "brought the dialogue worker down 3 times", "dialogue", opened.clock.now())
        spoilt = unreadable.value[:-1] + b',"more":1}'
        producer = opened.bus.producer()
        producer.send(unreadable.topic, key=unreadable.key, value=spoilt, headers=unreadable.headers).result(
            30
        )
        publish(producer, [letter])
        producer.close()

    def _wait_for_all(self, opened: Platform, customer: Customer) -> None:
        """Until the verdict is in the read model and both dead letters are there."""
        until = monotonic() + WITHIN_S
        while monotonic() < until:
            held = opened.store.held(TENANT, customer.customer_id)
            letters = [r for r in records_of(opened.bus, customer.customer_id) if r.topic.endswith(".dlq")]
            if held["feedback"] and len(letters) == 2:
                return
            sleep(0.2)
        raise AssertionError("the verdict or a dead letter did not come")


class OpenPlatform:
    """The platform's own connections, for a look inside."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        values = {name.removeprefix("PARLEY_").lower(): value for name, value in environment.items()}
        self._settings = Settings(**values)  # type: ignore[arg-type]  # pydantic reads each

    def __enter__(self) -> Platform:
        self._opened = open_platform(self._settings)
        return self._opened

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def _another(event: AnyEvent, body: MessageReceived, text: str) -> Event[MessageReceived]:
    from parley.ids import derived_id

    event_id = derived_id(event.envelope.event_id, text)
    return Event(
        event.envelope.model_copy(update={"event_id": event_id}),
        body.model_copy(update={"message_id": event_id, "text": text}),
    )


def records_of(bus: Bus, customer: CustomerId) -> list[Record]:
    """Every record of the log that names the customer, dead letters with them."""
    name = ("customer_id", customer.encode())
    return [record for record in read_records(bus, LOG_TOPICS) if name in record.headers]
