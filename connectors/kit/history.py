"""What a conversation's history tells a connector."""

from collections.abc import Collection, Iterator

from parley.codec import Codec
from parley.errors import InvalidEvent
from parley.ports.bus import Record
from parley.ports.store import HistoryRow, ReadModel
from schemas.base import Body, ConversationId, Event, ReplyId
from schemas.outbound import ReplyReady
from schemas.topics import CHAT_OUTBOUND

PAGE = 200


def events_of(
    store: ReadModel, codec: Codec, conversation_id: ConversationId, types: Collection[str]
) -> Iterator[tuple[HistoryRow, Body]]:
    """Those of these types that can be read, in the order of their `seq`. Raises `NewerVersion`, `StoreUnavailable`."""
    after = 0
    while page := store.history(conversation_id, after_seq=after, limit=PAGE):
        for row in page:
            body = _opened(codec, row) if row.type in types else None
            if body is not None:
                yield row, body
        after = page[-1].seq


def was_said(store: ReadModel, codec: Codec, conversation_id: ConversationId, reply_id: ReplyId) -> bool:
    """Whether the bot's reply is one of this conversation: the history had it before the customer was sent it. Raises `StoreUnavailable`."""
    said = events_of(store, codec, conversation_id, (ReplyReady.event_type(),))
    return any(isinstance(body, ReplyReady) and body.reply_id == reply_id for _, body in said)


def _opened(codec: Codec, row: HistoryRow) -> Body | None:
    """None for one that nobody can read any more."""
    sent_ms, key = int(row.occurred_at.timestamp() * 1000), row.conversation_id.encode()
    try:
        event = codec.decode(Record(CHAT_OUTBOUND.name, 0, row.seq, sent_ms, key, row.value, row.headers))
    except InvalidEvent:
        return None
    return event.body if isinstance(event, Event) else None
