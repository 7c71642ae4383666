"""A conversation's history out of the read model, opened with the customer's key."""

from collections.abc import Collection, Iterator

from parley.codec import Codec, Erased
from parley.errors import InvalidEvent
from parley.ports.bus import Record
from parley.ports.store import HistoryRow, ReadModel
from schemas.base import AnyEvent, ConversationId
from schemas.topics import CHAT_OUTBOUND

PAGE = 500

Told = tuple[int, int, AnyEvent | None]
"""An event of the history under its `seq` and epoch; None where it cannot be read (any more)."""


def history(
    store: ReadModel, codec: Codec, conversation_id: ConversationId, after_seq: int = 0
) -> Iterator[Told]:
    """What was said behind `after_seq`, in order; read as it is asked for. Raises `NewerVersion`, `StoreUnavailable`."""
    for row in _rows(store, conversation_id, after_seq):
        yield row.seq, row.epoch, _open_row(codec, row)


def events_of(
    store: ReadModel, codec: Codec, conversation_id: ConversationId, types: Collection[str]
) -> Iterator[AnyEvent]:
    """Those of these types that can be read, in order; no other is opened. Raises as `history`."""
    for row in _rows(store, conversation_id, 0):
        event = _open_row(codec, row) if row.type in types else None
        if event is not None:
            yield event


def _rows(store: ReadModel, conversation_id: ConversationId, after_seq: int) -> Iterator[HistoryRow]:
    while True:
        page = store.history(conversation_id, after_seq=after_seq, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after_seq = page[-1].seq


def opened(codec: Codec, record: Record) -> AnyEvent | None:
    """The record's event; None where it cannot be read (any more). Raises `NewerVersion`, `StoreUnavailable`."""
    try:
        event = codec.decode(record)
    except InvalidEvent:
        return None
    return None if isinstance(event, Erased) else event


def _open_row(codec: Codec, row: HistoryRow) -> AnyEvent | None:
    sent_ms, key = int(row.occurred_at.timestamp() * 1000), row.conversation_id.encode()
    return opened(codec, Record(CHAT_OUTBOUND.name, 0, row.seq, sent_ms, key, row.value, row.headers))
