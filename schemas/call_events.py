"""`call.events`: what a call's connector says of it, keyed by the call's conversation. The call worker makes a conversation of it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import Body, Contract, Moment, Sealed
from schemas.conversation_events import Name
from schemas.parts import CallOrigin, Language

CallId = Annotated[str, Field(min_length=1, max_length=128), Sealed("call_id")]
"""The telephone system's own name for the call, which may tell who called."""
HumanAgentId = Annotated[str, Field(min_length=1, max_length=128)]
CallSpeaker = Literal["customer", "human_agent"]
Millis = Annotated[int, Field(ge=0)]
Heard = Annotated[str, Field(max_length=16_384), Sealed("original")]


class CallStarted(Body):
    """A human agent talks to a customer; from now on pieces of what they say come in as they say it."""

    call_id: CallId
    source: Annotated[str, Field(min_length=1, max_length=64)]
    started_at: Moment
    language: Language | None = None
    human_agent_id: HumanAgentId
    human_agent_name: Name


class CallSegmentHeard(Body):
    """A piece of a running call's transcript; a later one with the same `segment_id` replaces it until `final`.

    `text` is without fillers and noise, and empty where nothing else was there; `original` is as it was heard, where that differs.
    """

    version: ClassVar[int] = 2

    segment_id: str
    speaker: CallSpeaker
    text: Annotated[str, Field(max_length=4_000), Sealed("text")]
    final: bool
    start_ms: Millis
    end_ms: Millis
    original: Heard | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None


class CallProgressed(Body):
    """Something that happened on a running or a finished call besides talk. A transfer says which human agent goes on."""

    kind: Literal["hold", "resumed", "muted", "unmuted", "joined", "transfer", "hang_up", "incomplete"]
    at_ms: Millis
    by: CallSpeaker | None = None
    human_agent_id: HumanAgentId | None = None
    human_agent_name: Name | None = None
    detail: Annotated[str, Field(max_length=200)] = ""


class TranscriptTurn(Contract):
    """One turn of a finished call. `name` is the human agent's, where the source names whoever spoke."""

    speaker: CallSpeaker
    text: Annotated[str, Field(max_length=16_384), Sealed("text")]
    start_ms: Millis
    end_ms: Millis
    original: Heard | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    name: Name | None = None


class TranscriptImported(Body):
    """A finished call with its turns in the order they began, or a part of one: as much as one record holds.

    Parts are counted from 1, and come in their order. `events` are those of this part, in time. `grown` counts the later versions of
    the same call that had more to tell: such a one has what is new in it alone.
    """

    version: ClassVar[int] = 2

    call_id: CallId
    source: str
    turns: tuple[TranscriptTurn, ...]
    part: Annotated[int, Field(ge=1)] = 1
    parts: Annotated[int, Field(ge=1)] = 1
    started_at: Moment | None = None
    language: Language | None = None
    human_agent_id: HumanAgentId | None = None
    human_agent_name: Name | None = None
    events: tuple[CallProgressed, ...] = ()
    origin: CallOrigin | None = None
    grown: Annotated[int, Field(ge=0)] = 0
