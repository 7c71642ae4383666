"""Every topic: which events it carries, how it is keyed, how long it lives, who writes and who reads it.

Partition counts never change once in use: a key's order depends on them.
"""

from dataclasses import dataclass
from typing import Literal

from schemas import call_events as call
from schemas import conversation_events as conversation
from schemas import other_events as other
from schemas import outbound, work
from schemas.base import Body

DAY_MS = 86_400_000
MINUTE_MS = 60_000

KeyKind = Literal["conversation", "tenant", "call", "tenant_shard", "adapter"]


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_ms` None keeps for ever; a compacted topic keeps the last record of each key.

    `dead_letters` tells whether an unreadable record of this topic is kept in `<name>.dlq`.
    """

    name: str
    key: KeyKind
    partitions: int
    retention_ms: int | None
    events: tuple[type[Body], ...]
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    compacted: bool = False
    dead_letters: bool = True


CONVERSATION_EVENTS = Topic(
    name="conversation.events",
    key="conversation",
    partitions=12,
    retention_ms=400 * DAY_MS,
    events=(
        conversation.ConversationStarted,
        conversation.MessageReceived,
        conversation.SpeechTranscribed,
        conversation.CallStateReported,
        conversation.ClaimRequested,
        conversation.ReleaseRequested,
        conversation.AgentMessageSubmitted,
        conversation.AgentEditSubmitted,
        conversation.DraftRequested,
        conversation.CloseRequested,
        conversation.MessageUnderstood,
        conversation.UnderstandingFailed,
        conversation.NothingFound,
        conversation.RetrievalFailed,
        conversation.ReplyGenerated,
        conversation.GenerationFailed,
        conversation.AssignmentMade,
        conversation.AssignmentFailed,
        conversation.ConversationAnalysed,
        conversation.TimerFired,
        conversation.DeliveryReported,
        conversation.MessageFailed,
    ),
    written_by=(
        "connectors",
        "console",
        "calls",
        "intent",
        "rag",
        "inference",
        "assignment",
        "analysis",
        "dialogue (timers)",
    ),
    read_by=("dialogue",),
)
WORK_UNDERSTAND = Topic(
    name="work.understand",
    key="conversation",
    partitions=12,
    retention_ms=7 * DAY_MS,
    events=(work.UnderstandingRequested,),
    written_by=("dialogue",),
    read_by=("intent",),
)
WORK_ANSWER = Topic(
    name="work.answer",
    key="conversation",
    partitions=12,
    retention_ms=7 * DAY_MS,
    events=(work.AnswerRequested,),
    written_by=("dialogue",),
    read_by=("rag",),
)
WORK_ANALYSE = Topic(
    name="work.analyse",
    key="conversation",
    partitions=6,
    retention_ms=7 * DAY_MS,
    events=(work.AnalysisRequested,),
    written_by=("dialogue",),
    read_by=("analysis",),
)
INFERENCE_REQUESTS = Topic(
    name="inference.requests",
    key="tenant_shard",
    partitions=12,
    retention_ms=7 * DAY_MS,
    events=(work.GenerationRequested,),
    written_by=("rag",),
    read_by=("inference",),
)
INFERENCE_CONTROL = Topic(
    name="inference.control",
    key="conversation",
    partitions=1,
    retention_ms=10 * MINUTE_MS,
    events=(work.GenerationCancelled,),
    written_by=("dialogue",),
    read_by=("inference",),
    dead_letters=False,
)
CHAT_OUTBOUND = Topic(
    name="chat.outbound",
    key="conversation",
    partitions=12,
    retention_ms=30 * DAY_MS,
    events=(
        outbound.CustomerMessage,
        outbound.CustomerArrived,
        outbound.ReplyReady,
        outbound.AgentMessage,
        outbound.AgentMessageEdited,
        outbound.DraftReady,
        outbound.MessageRead,
        outbound.CallStateChanged,
        outbound.CallImported,
        outbound.AnalysisReady,
        outbound.EpochRaised,
        outbound.OwnerChanged,
        outbound.Typing,
        outbound.Closed,
        outbound.MessageSettled,
        outbound.CommandRejected,
        outbound.DeliveryChanged,
    ),
    written_by=("dialogue",),
    read_by=("gateway", "telegram", "console"),
)
CHAT_DELTAS = Topic(
    name="chat.deltas",
    key="conversation",
    partitions=12,
    retention_ms=10 * MINUTE_MS,
    events=(outbound.ReplyDelta,),
    written_by=("inference",),
    read_by=("gateway", "telegram", "console"),
    dead_letters=False,
)
CALL_EVENTS = Topic(
    name="call.events",
    key="call",
    partitions=6,
    retention_ms=30 * DAY_MS,
    events=(call.CallStarted, call.CallSegmentHeard, call.CallProgressed, call.TranscriptImported),
    written_by=("calls connector",),
    read_by=("calls", "gateway"),
)
ASSIGNMENT_EVENTS = Topic(
    name="assignment.events",
    key="tenant",
    partitions=4,
    retention_ms=30 * DAY_MS,
    events=(other.QueueJoined, other.QueueLeft, other.PresenceChanged),
    written_by=("dialogue", "console"),
    read_by=("assignment",),
)
FEEDBACK_EVENTS = Topic(
    name="feedback.events",
    key="conversation",
    partitions=4,
    retention_ms=400 * DAY_MS,
    events=(other.FeedbackGiven,),
    written_by=("connectors", "console", "dialogue"),
    read_by=("feedback",),
)
ADAPTERS_UPDATES = Topic(
    name="adapters.updates",
    key="adapter",
    partitions=1,
    retention_ms=None,
    events=(other.AdapterPublished, other.AdapterRetired),
    written_by=("publication", "trainer"),
    read_by=("inference",),
    compacted=True,
)
TENANTS_UPDATES = Topic(
    name="tenants.updates",
    key="tenant",
    partitions=1,
    retention_ms=None,
    events=(other.TenantImported,),
    written_by=("import", "console"),
    read_by=("all workers",),
    compacted=True,
)

TOPICS: tuple[Topic, ...] = (
    CONVERSATION_EVENTS,
    WORK_UNDERSTAND,
    WORK_ANSWER,
    WORK_ANALYSE,
    INFERENCE_REQUESTS,
    INFERENCE_CONTROL,
    CHAT_OUTBOUND,
    CHAT_DELTAS,
    CALL_EVENTS,
    ASSIGNMENT_EVENTS,
    FEEDBACK_EVENTS,
    ADAPTERS_UPDATES,
    TENANTS_UPDATES,
)

TOPIC_OF: dict[str, Topic] = {body.event_type(): topic for topic in TOPICS for body in topic.events}
BODY_OF: dict[str, type[Body]] = {body.event_type(): body for topic in TOPICS for body in topic.events}

SOLE_WRITER: dict[str, str] = {
    **{body.event_type(): t.written_by[0] for t in TOPICS if len(t.written_by) == 1 for body in t.events},
    **{body.event_type(): "dialogue" for body in (other.QueueJoined, other.QueueLeft)},
    **{
        body.event_type(): "calls"
        for body in (conversation.SpeechTranscribed, conversation.CallStateReported)
    },
    **{
        body.event_type(): "assignment"
        for body in (conversation.AssignmentMade, conversation.AssignmentFailed)
    },
}
"""Who writes this type of event, where it is one alone, be there other writers on its topic."""


def dead_letter_topic(name: str) -> str:
    return f"{name}.dlq"
