"""From a conversation of any channel to a vCon (draft-ietf-vcon-vcon-core-04, syntax 0.4.0). Pure: what was said in, a document out.

Texts are masked wherever they are kept, so what is written is the redacted child. Its parent has the same objects in the same
places with the customer's values put back, and is written only for who may see them (`revealed`).
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.calls.fields import Object
from connectors.calls.vcon.analyses import analyses
from connectors.calls.vcon.dialogs import Dialogs, Sent, stamp
from connectors.calls.vcon.lineage import lineage, redacted
from connectors.calls.vcon.roster import CUSTOMER, Roster
from parley.domain.masking.placeholders import placeholders_in
from parley.domain.readmodel import FeedbackRow
from parley.ids import named_id
from schemas.base import AnyEvent, ConversationId, CustomerId, EventId, TenantId
from schemas.outbound import CallImported
from schemas.parts import CallOrigin

SYNTAX = "0.4.0"
#: Parties' roles are the contact centre's extension.
EXTENSIONS = ["CC"]
REDACTION = "PII masked"

Reveal = Callable[[Sequence[str]], Sequence[str]]
"""The texts with values in the place of their placeholders."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a vCon is written from: the outbound events in the order of `seq`, and the verdicts on replies with opened comments.

    `bot` and `org` are the tenant's names for its assistant and itself; `has_parent` tells whether the tenant keeps what was masked.
    """

    tenant: TenantId
    conversation_id: ConversationId
    customer_id: CustomerId
    channel: str
    started_at: datetime
    bot: str
    org: str
    events: Sequence[AnyEvent]
    feedback: Sequence[FeedbackRow] = ()
    subject: str = ""
    has_parent: bool = False


def parent_id(tenant: TenantId, conversation_id: ConversationId) -> EventId:
    """The uuid of the vCon with the customer's values; it follows from the conversation, as all ids here follow from names."""
    return named_id("vcon", tenant, conversation_id)


def child_id(tenant: TenantId, conversation_id: ConversationId) -> EventId:
    """The uuid of the vCon without them."""
    return named_id("vcon", tenant, conversation_id, "masked")


def vcon(said: Conversation) -> Object:
    """The redacted child. Where the tenant keeps no values there is no parent: then it names what a call was redacted from before its import, if anything."""
    roster = Roster(said.customer_id, said.bot, said.org)
    dialogs = Dialogs.of(said.events, roster, said.channel)
    names = said.tenant, said.conversation_id
    parent: Object = {"uuid": parent_id(*names), "type": REDACTION} if said.has_parent else {}
    return {
        "vcon": SYNTAX,
        "uuid": child_id(*names),
        "extensions": EXTENSIONS,
        "created_at": stamp(_created(said)),
        "updated_at": stamp(_updated(said)),
        **({"subject": said.subject} if said.subject else {}),
        "redacted": parent or redacted(_origin(said), REDACTION),
        "parties": roster.parties,
        "dialog": dialogs.dialog,
        "analysis": analyses(dialogs, said.events, said.feedback),
        "attachments": [_attachment(each) for each in dialogs.sent],
    }


def revealed(child: Object, said: Conversation, reveal: Reveal) -> Object:
    """The parent of a child: the same with values put back in every text. What is kept no longer stays masked in it, too, and a call that came
    redacted stays so.
    """
    masked = list(dict.fromkeys(text for text in _texts(child) if placeholders_in(text)))
    values = dict(zip(masked, reveal(masked), strict=True)) if masked else {}
    parent: Object = _replaced(child, values)
    del parent["redacted"]
    return {**parent, "uuid": parent_id(said.tenant, said.conversation_id), **lineage(_origin(said))}


def _origin(said: Conversation) -> CallOrigin:
    """Of all that was imported of a call: one redacted version makes the whole a redacted one."""
    told = [event.body.origin for event in said.events if isinstance(event.body, CallImported)]
    return CallOrigin(
        redacted=any(each.redacted for each in told),
        redacted_of=next((each.redacted_of for each in reversed(told) if each.redacted_of), None),
        amended_of=next((each.amended_of for each in reversed(told) if each.amended_of), None),
    )


def _created(said: Conversation) -> datetime:
    return min([said.started_at, *(event.envelope.occurred_at for event in said.events)])


def _updated(said: Conversation) -> datetime:
    """When something was said or found out last, not when it was exported: the same conversation gives the same bytes."""
    told = (event.envelope.occurred_at for event in said.events)
    return max([said.started_at, *told, *(row.given_at for row in said.feedback)])


def _attachment(sent: Sent) -> Object:
    """By its digest, without bytes: files are no part of an export."""
    file = sent.attachment
    digest = base64.urlsafe_b64encode(bytes.fromhex(file.digest)).rstrip(b"=").decode()
    named = {} if file.name is None else {"filename": file.name}
    return {
        "purpose": file.kind,
        "start": stamp(sent.at),
        "party": CUSTOMER,
        "dialog": sent.dialog,
        "mediatype": file.media_type,
        **named,
        "content_hash": f"sha256-{digest}",
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _replaced(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, str):
        return values.get(value, value)
    if isinstance(value, dict):
        return {name: _replaced(each, values) for name, each in value.items()}
    return [_replaced(each, values) for each in value] if isinstance(value, list) else value
