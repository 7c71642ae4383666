"""Histories for the vCon writer, made by hand, and the working group's schema where it is."""

import json
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from connectors.calls.formats import read
from connectors.calls.transcript import Transcript
from connectors.calls.vcon.writing import Conversation
from schemas.base import AnyEvent, Body, ConversationId, CustomerId
from schemas.outbound import Outbound
from tests.support.small_tenant import TENANT
from tests.support.stories import NINE, event

DATA = Path(os.environ.get("PARLEY_DATA", "../shared/data"))
SCHEMA = DATA / "vcon" / "vcon_json_schema.json"


@cache
def _validator() -> Draft7Validator:
    if not SCHEMA.exists():
        pytest.skip("vcon/vcon_json_schema.json is not below PARLEY_DATA")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def problems(document: Any) -> list[str]:
    """What the working group's schema has against a vCon; skips the test where the schema is not there."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(document)]


def imported(document: Any) -> Transcript:
    """What our own importer makes of it."""
    (call,) = read(json.dumps(document).encode())
    return call


class History:
    """Outbound events one after the other, each a second later than the one before it."""

    def __init__(self, conversation: str = "c-1", began: datetime = NINE) -> None:
        self.conversation = conversation
        self.at = began
        self.events: list[AnyEvent] = []

    def add(self, kind: type[Outbound], /, at: datetime | None = None, **fields: Any) -> AnyEvent:
        self.at = at or self.at + timedelta(seconds=1)
        seq = len(self.events) + 1
        body: Body = kind(seq=seq, epoch=0, **fields)
        made = event(body, seq, at=self.at, conversation=self.conversation)
        self.events.append(made)
        return made

    def said(self, **fields: Any) -> Conversation:
        return conversation(self.events, conversation=self.conversation, **fields)


def conversation(events: Sequence[AnyEvent], *, conversation: str = "c-1", **fields: Any) -> Conversation:
    told: dict[str, Any] = {
        "tenant": TENANT,
        "conversation_id": ConversationId(conversation),
        "customer_id": CustomerId(f"customer-of-{conversation}"),
        "channel": "web",
        "started_at": NINE,
        "bot": "Helper",
        "org": "Test Bank",
        "events": events,
        "has_parent": True,
    }
    return Conversation(**{**told, **fields})
