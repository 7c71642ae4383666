"""What several parts of the platform know of calls."""

from parley.ids import named_id
from schemas.base import ConversationId, MessageId


def message_of(conversation_id: ConversationId, segment_id: str) -> MessageId:
    """The id of the message that a segment becomes: whoever shows its partial text knows it beforehand."""
    return MessageId(named_id(conversation_id, "segment", segment_id))
