"""An agent's message that reads otherwise now, on a channel: which of the channel's messages it is there."""

from collections.abc import Sequence
from dataclasses import replace

from connectors.kit.channel import Message
from parley.codec import Codec
from parley.ports.channels import ChannelStore, Delivery
from parley.ports.store import ReadModel
from parley.runtime.history import events_of
from schemas.base import ConversationId, MessageId
from schemas.outbound import AgentMessage, AgentMessageEdited

Place = str | None
"""The channel's own name for a message; None for one whose name nobody knows, or that never was there."""


def places_of(
    store: ReadModel,
    channels: ChannelStore,
    codec: Codec,
    conversation_id: ConversationId,
    message_id: MessageId,
    before_seq: int,
) -> list[Place]:
    """Where an agent's message stands in the chat, part by part, after its edits before `before_seq`. Raises `StoreUnavailable`."""
    types = (AgentMessage.event_type(), AgentMessageEdited.event_type())
    became = [
        event.envelope.event_id
        for event in events_of(store, codec, conversation_id, types)
        if isinstance(event.body, AgentMessage | AgentMessageEdited)
        and event.body.seq < before_seq
        and event.body.message_id == message_id
    ]
    deliveries = channels.deliveries(became)
    return _newest([[each for each in deliveries if each.outbound_id == name] for name in became])


def _newest(versions: Sequence[Sequence[Delivery]]) -> list[Place]:
    """Each version of the message, oldest first, takes the places of the one before, and has as many as it has parts."""
    places: list[Place] = []
    for version in versions:
        if version:
            before, places = places, [None] * (version[-1].part + 1)
            for each in version:
                held = before[each.part] if each.part < len(before) else None
                places[each.part] = each.external_id if each.state == "sent" else held
    return places


def in_place(messages: Sequence[Message], places: Sequence[Place]) -> list[Message]:
    """The parts of a message as it reads now, each in the place of an earlier one as far as there are such; the rest is sent."""
    return [
        replace(message, replaces=places[part]) if part < len(places) and places[part] else message.anew
        for part, message in enumerate(messages)
    ]
