"""Everything that is held about a customer, as one document: records of the log, rows of every table, texts opened with the key; and what files there are.

What cannot be opened is there all the same, with the reason: a customer is told of it too.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from parley.codec import Codec, Erased
from parley.errors import InvalidEvent
from parley.ports.bus import Record
from parley.ports.channels import waiting_context
from parley.ports.keys import CustomerKeys
from parley.ports.media import MediaStore
from parley.ports.store import PrivacyStore
from parley.ports.vault import MaskedValue
from parley.runtime.deadletters import exhume, original
from schemas.base import AnyEvent, CustomerId, TenantId, rfc3339
from schemas.outbound import AgentMessage, AgentMessageEdited, CustomerMessage, ReplyReady
from schemas.topics import CHAT_OUTBOUND, TOPICS, dead_letter_topic

FORMAT = 1
LOG_TOPICS = tuple(
    name
    for topic in TOPICS
    for name in ((topic.name, dead_letter_topic(topic.name)) if topic.dead_letters else (topic.name,))
)
"""Every topic there is, dead letters with them."""

SPEAKER = {
    CustomerMessage: "customer",
    ReplyReady: "bot",
    AgentMessage: "human_agent",
    AgentMessageEdited: "human_agent",
}


class Disclosure:
    """One customer's. `records` in `document` are to be all of the log's since the key was made; others' are passed over."""

    def __init__(
        self,
        store: PrivacyStore,
        keys: CustomerKeys,
        media: MediaStore,
        codec: Codec,
        tenant: TenantId,
        customer: CustomerId,
    ) -> None:
        self._store = store
        self._keys = keys
        self._media = media
        self._codec = codec
        self._tenant = tenant
        self._customer = customer

    def document(self, records: Iterable[Record], now: datetime) -> dict[str, Any]:
        """Raises `KeyErased`, `StoreUnavailable`, `BusUnavailable`."""
        self._keys.get(self._tenant, self._customer)  # without it there is nothing to read
        held = self._store.held(self._tenant, self._customer)
        made_at = self._keys.made_at(self._tenant, self._customer)
        return {
            "parley_disclosure": FORMAT,
            "tenant": self._tenant,
            "customer_id": self._customer,
            "exported_at": rfc3339(now),
            "key_made_at": None if made_at is None else rfc3339(made_at),
            "conversations": self._conversations(held),
            "events": [self._record(record) for record in records if self._is_ours(record)],
            "files": [
                {"stored_as": name, "sealed_bytes": size}
                for name, size in self._media.held(self._tenant, self._customer).items()
            ],
            "tables": {table: [self._row(table, row) for row in rows] for table, rows in held.items()},
        }

    def _is_ours(self, record: Record) -> bool:
        found = dict(record.headers)
        return (found.get("tenant"), found.get("customer_id")) == (
            self._tenant.encode(),
            self._customer.encode(),
        )

    # -- what was said ------------------------------------------------------------------------------------------------

    def _conversations(self, held: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        said: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(held.get("history", ()), key=lambda row: (row["conversation_id"], row["seq"])):
            event = self._decode(_outbound(row))
            if not isinstance(event, str) and type(event.body) in SPEAKER:
                said.setdefault(row["conversation_id"], []).append(_line(event))
        known = {row["conversation_id"]: _plain(row) for row in held.get("conversations", ())}
        return [
            {**known.get(name, {"conversation_id": name}), "said": said.get(name, [])}
            for name in {**known, **said}
        ]

    # -- the log ------------------------------------------------------------------------------------------------------

    def _record(self, record: Record) -> dict[str, Any]:
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        letter = exhume(record) if record.topic.endswith(dead_letter_topic("")) else None
        event = self._decode(record if letter is None else original(letter))
        if isinstance(event, str):
            kept = (record.value or b"").decode(errors="replace")
            return {**place, "headers": headers, "unreadable": event, "value": kept}
        return {**place, "headers": headers, "body": json.loads(event.body.model_dump_json())}

    def _decode(self, record: Record) -> AnyEvent | str:
        """The event, or why there is none."""
        try:
            event = self._codec.decode(record)
        except InvalidEvent as error:
            return str(error)
        return "erased" if isinstance(event, Erased) else event

    # -- tables -------------------------------------------------------------------------------------------------------

    def _row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        opened = dict(row)
        if table in ("history", "parked"):
            event = self._decode(_outbound(row))
            opened["value"] = event if isinstance(event, str) else json.loads(event.body.model_dump_json())
            del opened["headers"]
        elif table == "waiting":
            opened["value"] = self._waiting(row)
        elif table == "states":
            opened["value"] = self._state(row)
        elif table == "feedback" and row["comment"]:
            sealer = self._codec.sealer_of(self._tenant, self._customer, row["event_id"])
            opened["comment"] = sealer.unseal(row["comment"], "comment")
        elif table == "masked_values" and row["sealed"]:
            opened["original"] = self._original(MaskedValue(**row))
            del opened["sealed"]
        return _plain(opened)

    def _original(self, value: MaskedValue) -> str:
        sealed = bytes(value.sealed or b"")
        return self._codec.unseal_for(self._tenant, self._customer, sealed, *value.sealed_under).decode()

    def _waiting(self, row: Mapping[str, Any]) -> Any:
        context = waiting_context(row["conversation_id"], row["position"])
        return json.loads(self._codec.unseal_for(self._tenant, self._customer, bytes(row["value"]), *context))

    def _state(self, row: Mapping[str, Any]) -> Any:
        """A decider's state: sealed under its names where it holds texts, else as it is."""
        value = bytes(row["value"])
        with suppress(InvalidEvent):
            value = self._codec.unseal_for(
                self._tenant, self._customer, value, row["group_name"], row["state_key"]
            )
        return json.loads(value)


def _outbound(row: Mapping[str, Any]) -> Record:
    """The record that a row of the history, or one that waits to be sent, was."""
    headers = row["headers"]
    if isinstance(headers, bytes):
        headers = tuple((name, value.encode()) for name, value in json.loads(headers))
    key, value = row["conversation_id"].encode(), bytes(row["value"])
    return Record(CHAT_OUTBOUND.name, 0, row["seq"], 0, key, value, headers)


def _line(event: AnyEvent) -> dict[str, Any]:
    body = event.body
    assert isinstance(body, CustomerMessage | ReplyReady | AgentMessage | AgentMessageEdited)  # of SPEAKER
    line: dict[str, Any] = {
        "from": SPEAKER[type(body)],
        "at": rfc3339(event.envelope.occurred_at),
        "text": body.text,
    }
    if isinstance(body, AgentMessageEdited):
        line["edits"] = body.message_id
    elif isinstance(body, AgentMessage):
        line["message_id"] = body.message_id
    elif isinstance(body, CustomerMessage) and body.attachments:
        line["attachments"] = [each.model_dump() for each in body.attachments]
    return line


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it; of bytes that nothing here can read, how many there are."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    return {"bytes": len(value)} if isinstance(value, bytes) else value
