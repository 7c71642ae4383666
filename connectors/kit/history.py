"""What a conversation's history tells a door."""

from parley.codec import Codec
from parley.errors import InvalidEvent
from parley.ports.bus import Record
from parley.ports.store import HistoryRow, ReadModel
from schemas.base import AnyEvent, ConversationId, Event, ReplyId
from schemas.outbound import ReplyReady
from schemas.topics import CHAT_OUTBOUND

PAGE = 200


def was_said(store: ReadModel, codec: Codec, conversation_id: ConversationId, reply_id: ReplyId) -> bool:
    """Whether the bot's reply is one of this conversation: the history had it before the customer was sent it. Raises `StoreUnavailable`."""
    after = 0
    while page := store.history(conversation_id, after_seq=after, limit=PAGE):
        for row in page:
            event = _opened(codec, row) if row.type == ReplyReady.event_type() else None
            if event is not None and isinstance(event.body, ReplyReady) and event.body.reply_id == reply_id:
                return True
        after = page[-1].seq
    return False


def _opened(codec: Codec, row: HistoryRow) -> AnyEvent | None:
    """None for one that nobody can read any more."""
    sent_ms, key = int(row.occurred_at.timestamp() * 1000), row.conversation_id.encode()
    try:
        event = codec.decode(Record(CHAT_OUTBOUND.name, 0, row.seq, sent_ms, key, row.value, row.headers))
    except InvalidEvent:
        return None
    return event if isinstance(event, Event) else None
