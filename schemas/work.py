"""`work.understand`, `work.answer`, `work.analyse`, `inference.requests`, `inference.control`: what the effectors are asked to do."""

from typing import Annotated

from pydantic import Field

from schemas.base import Body, GenerationId, MessageId, Moment
from schemas.conversation_events import MessageText
from schemas.parts import Answering, Language, Passage


class UnderstandingRequested(Body):
    """Find language, intents, entities and risks of one message."""

    message_id: MessageId
    text: MessageText
    language_hint: Language | None = None
    epoch: Annotated[int, Field(ge=0)]
    deadline: Moment


class AnswerRequested(Answering, Body):
    """Look up what answers the question, then have it written."""


class AnalysisRequested(Body):
    """Find out what a finished conversation was about, as far as `up_to_seq` of its history."""

    up_to_seq: Annotated[int, Field(ge=1)]
    language: Language
    deadline: Moment


class GenerationRequested(Answering, Body):
    """Write the answer from these passages, best first."""

    passages: tuple[Passage, ...]


class GenerationCancelled(Body):
    """Whoever writes this generation may stop: its words would be thrown away. Lossy, an optimisation only."""

    generation_id: GenerationId
    epoch: int
