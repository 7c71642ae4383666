"""The state of one conversation: who owns it, the turn that the bot is working on, and what prompts may remember.

Only the shape and the small questions one asks of it; the rules that change it are in `workers.dialogue`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from parley.domain.evolving import evolve
from schemas.base import ConversationId, CustomerId, EventId, GenerationId, MessageId, ReplyId, TenantId
from schemas.parts import Channel, HistoryTurn, OwnerKind, RiskKind, ScoredIntent, Speaker

HISTORY_TURNS = 12
HISTORY_CHARS = 6_000
"""How much of a conversation a prompt may see; also bounds the size of the stored state."""

QUESTION_CHARS = 6_000
"""How much text one question may have, however many messages it is made of (`in_full`)."""

LEAST_SHOWN = 2
"""Lines of history below which there is nothing to leave out."""

MERGE_MESSAGES = 10
"""A turn takes in no more messages than this; what comes later waits for the next turn."""

MERGE_SHARE = 0.5
"""After this share of its time a turn takes in no more messages, so that somebody who keeps typing is answered too."""

AGENT_MESSAGES = 50
"""How many of the human agents' last messages can still be edited."""


@dataclass(frozen=True)
class Reading:
    """What was understood of a message; without intents where nothing was."""

    language: str
    intents: tuple[ScoredIntent, ...] = ()
    risks: tuple[RiskKind, ...] = ()


@dataclass(frozen=True)
class TurnMessage:
    """A message that is not settled yet; without a text it is a file. `arrived_at` is missing in states that a release before it has stored."""

    message_id: MessageId
    text: str
    reading: Reading | None = None
    arrived_at: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """Messages that are answered together. `deadline` and `timer_id` are the first one's, `began_at` is when it arrived.

    `shortened` is how often the history was halved because the prompt did not fit.
    """

    messages: tuple[TurnMessage, ...]
    began_at: datetime
    deadline: datetime
    timer_id: EventId
    generation_id: GenerationId | None = None
    intent: str | None = None
    reply: str | None = None
    shortened: int = 0

    @property
    def message_ids(self) -> tuple[MessageId, ...]:
        return tuple(message.message_id for message in self.messages)

    @property
    def understood(self) -> bool:
        return all(message.reading is not None for message in self.messages)

    def takes(self, at: datetime) -> bool:
        """May a message that arrives at this time still be merged into this turn?"""
        merge_for: timedelta = (self.deadline - self.began_at) * MERGE_SHARE
        return len(self.messages) < MERGE_MESSAGES and at < self.began_at + merge_for

    def read(self, message_id: MessageId, reading: Reading) -> "Turn":
        """The turn with one message understood; itself where the message is not (or no longer) waiting for that."""
        messages = tuple(
            evolve(message, reading=reading)
            if message.message_id == message_id and message.reading is None
            else message
            for message in self.messages
        )
        return evolve(self, messages=messages) if messages != self.messages else self


@dataclass(frozen=True)
class Draft:
    """A suggestion in the making for a human agent. `deadline` and `question` are missing in states that a release before them has stored.

    `command_id` is the agent's own request, None for help on a call, which nobody has to ask for; `answers` is the message that it is for, if
    it is for one. `approved` is a text of the tenant's own that was offered at once. `shortened` is how often the history was halved because the
    prompt did not fit.
    """

    generation_id: GenerationId
    command_id: EventId | None
    deadline: datetime | None = None
    shortened: int = 0
    answers: MessageId | None = None
    intent: str | None = None
    question: str = ""
    approved: str = ""


@dataclass(frozen=True)
class FilesAnswered:
    """The reply that said what becomes of files, and when the last file came that it stands for."""

    reply_id: ReplyId
    last_at: datetime


@dataclass(frozen=True)
class AgentWords:
    """A human agent's message; by `mark` (`text_mark`) its line in the history is known."""

    message_id: MessageId
    human_agent_id: str
    mark: str


@dataclass(frozen=True)
class Conversation:
    """One conversation. `seq` is the last outbound number, `later` what waits until the running turn is settled.

    `ticket` is the id of the `QueueJoined` under which it waits for a human agent: an assignment has it as its cause. Of a call, `heard` is
    what the customer said last, `asking` the pieces of their question that no suggestion was given for yet, the last of which ended `asking_until_ms`
    after the call's beginning, `heard_at` when anything was heard last, `held` whether it is on hold, `watch_id` the timer that ends it where
    nothing more is heard, `lapsed` that this timer did, and `late_id` the one after which words behind the end are analysed. A call that has ended
    still names its last human agent. `worded_album` is the last album that came with words.
    """

    conversation_id: ConversationId
    tenant: TenantId
    customer_id: CustomerId
    channel: Channel
    language: str
    started_at: datetime
    updated_at: datetime
    owner: OwnerKind = "bot"
    human_agent_id: str | None = None
    human_agent_name: str | None = None
    status: Literal["open", "closed"] = "open"
    epoch: int = 0
    seq: int = 0
    turn: Turn | None = None
    later: tuple[TurnMessage, ...] = ()
    history: tuple[HistoryTurn, ...] = ()
    asked_about: str | None = None
    last_intent: str | None = None
    draft: Draft | None = None
    ticket: EventId | None = None
    heard: TurnMessage | None = None
    asking: tuple[TurnMessage, ...] = ()
    asking_until_ms: int = 0
    heard_at: datetime | None = None
    held: bool = False
    watch_id: EventId | None = None
    lapsed: bool = False
    late_id: EventId | None = None
    files_answered: FilesAnswered | None = None
    worded_album: str | None = None
    agent_words: tuple[AgentWords, ...] = ()

    @property
    def open_messages(self) -> int:
        return len(self.later) + (len(self.turn.messages) if self.turn is not None else 0)

    def remember(self, speaker: Speaker, text: str) -> "Conversation":
        """With one more line of history, the oldest dropped beyond the limits."""
        lines = (*self.history, HistoryTurn(speaker=speaker, text=text))[-HISTORY_TURNS:]
        return evolve(self, history=lines[-in_full([line.text for line in lines], HISTORY_CHARS) :])


def text_mark(text: str) -> str:
    """By which a text is known again without being kept twice."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def shown(history: tuple[HistoryTurn, ...], shortened: int) -> tuple[HistoryTurn, ...]:
    """The part of the history that a prompt may have which was halved so often: the newest half, quarter …"""
    keep = len(history) >> shortened
    return history[len(history) - keep :]


def can_shorten(history: tuple[HistoryTurn, ...], shortened: int) -> bool:
    """Whether anything is left to leave out but the question itself, which is the last line."""
    return len(shown(history, shortened)) >= LEAST_SHOWN


def in_full(texts: Sequence[str], chars: int) -> int:
    """How many of the newest texts, which stand last, fit whole into so many characters; the newest counts in any case."""
    room = chars
    for newer, text in enumerate(reversed(texts)):
        room -= len(text)
        if room < 0 and newer:
            return newer
    return len(texts)


def question_of(texts: Sequence[str]) -> str:
    """One question of several texts: the newest whole, and before it those older ones for which `QUESTION_CHARS` leave room."""
    return "\n".join(texts[-in_full(texts, QUESTION_CHARS) :])
