"""Calls on their way into the log: finished ones whole, running ones piece by piece; masked and sealed before the first write."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Literal
from uuid import uuid4

import orjson
from cachetools import TTLCache

from connectors.calls.fitting import fitted
from connectors.calls.languages import language_for
from connectors.calls.listening import Listening
from connectors.calls.noise import normalise
from connectors.calls.parts import MOST_NAME, agent_of, parts_of
from connectors.calls.transcript import MOST_CHARACTERS, MOST_ID_CHARS, Party, Transcript
from connectors.calls.versions import Version, claim_name, digests
from connectors.kit.channel import Doorway
from connectors.kit.pen import Pen
from parley.domain.masking.partial import hidden
from parley.errors import KeyErased, ParleyError
from parley.ids import named_id
from parley.ports.channels import Chat
from parley.ports.store import Claim
from parley.runtime.digests import derive_key, text_digest
from parley.runtime.history import history
from schemas.base import ConversationId, CustomerId, EventId, MessageId, TenantId
from schemas.call_events import (
    CallProgressed,
    CallSegmentHeard,
    CallSpeaker,
    CallStarted,
    TranscriptTurn,
)
from schemas.outbound import AgentMessage, CustomerMessage

MOST_SEGMENT_CHARS = 2_000
"""Of one piece of a running call: more than a minute of talk without a pause."""
MOST_SHOWN_CHARS = 4_000
"""Of its masked text: the limit of the event that carries it."""
LISTENED_TO = 10_000
LISTENED_FOR_S = 600.0
"""So long after its last word a call's names are remembered: they are a customer's, and must not outlive an erasure for long."""
HEARD_BEFORE = 40
"""Events of a call's history in which a number may have been asked for that is told now."""
LIVE = "live"
"""Stands in the place of a transcript's digest where a call was heard as it ran: whoever came first has the call."""
CALL_WORKER = "calls"
"""The decider that makes a conversation of what is imported."""


State = Literal["accepted", "grown", "known", "heard_live"]


class CallRefused(ParleyError):
    """A call that cannot be taken. The message names the field and what is allowed."""


class CallKnown(CallRefused):
    """The call's id stands for something else already: another transcript, or a call that has ended."""


class SegmentReused(CallRefused):
    """The segment's id stands for other words already; nothing was written."""


class CallErased(CallRefused):
    """The call's customer was erased."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a finished call. `known`: it was here already, and nothing was written that was not. `grown`: it was here with fewer turns, and
    has the new ones now. `heard_live`: it was heard while it ran, and stays as it was heard. `turns` are the transcript's, and `notes` tell what
    else its file has and was left out; `signature` is the file's, of which `signed_by` is the signer.
    """

    call_id: str
    conversation_id: ConversationId
    turns: int
    state: State
    notes: tuple[str, ...] = ()
    signature: Literal["unsigned", "unverified", "verified"] = "unsigned"
    signed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """A call that begins. `call_id` is the telephone system's own."""

    call_id: str
    source: str
    started_at: datetime
    human_agent_id: str
    human_agent_name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of what is being said; one with the same id replaces it until `final`. Times in milliseconds from the call's beginning."""

    segment_id: str
    speaker: CallSpeaker
    text: str
    final: bool
    start_ms: int
    end_ms: int
    confidence: float | None = None


class CallBook:
    """One tenant's. Thread-safe. Every method waits for the log, and raises `BusUnavailable`, `StoreUnavailable`, `UnknownTenant`."""

    def __init__(self, opened: Doorway, tenant: TenantId) -> None:
        self._opened = opened
        self._tenant = tenant
        self._pen = Pen(opened, "call", tenant)
        secret = opened.settings.signing_secret()
        self._secret = derive_key(secret, "call-transcript-digest")
        self._customers = derive_key(secret, "call-customer")
        self._segments = derive_key(secret, "call-segment-digest")
        self._listening: TTLCache[ConversationId, Listening] = TTLCache(LISTENED_TO, LISTENED_FOR_S)
        self._lock = Lock()

    def take(self, transcript: Transcript, language: str | None = None) -> Taken:
        """A finished call, or what a later version of one has more. Raises `CallKnown` for an id that was another call's, `CallErased`."""
        language = language_for(transcript, self._pen.config(), language)
        transcript = replace(transcript, language=language)
        chat, now = self._chat(transcript.call_id, language), self._opened.clock.now()
        versions = self._versions(chat, transcript, now)
        if not versions:
            return replace(_accepted(transcript, chat), state="heard_live")
        for version in versions:
            if not (version.known and self._is_whole(version)):
                self._publish(chat, transcript, version, now)
        *before, last = versions
        state: State = "known" if last.known else "grown" if before else "accepted"
        return replace(_accepted(transcript, chat), state=state)

    def begin(self, opening: Opening) -> "LiveCall":
        """A running call, or one that goes on after its connection was lost, or after a long silence. Raises `CallKnown` for one that has ended."""
        chat = self._chat(opening.call_id, opening.language)
        self._claimed(chat, LIVE, self._opened.clock.now())
        row = self._opened.store.conversation(chat.conversation_id)
        if row is not None and row.status == "closed" and row.human_agent_id is None:
            raise CallKnown(f"call_id: {opening.call_id!r} has ended; allowed: an id for each call")
        started = CallStarted(
            call_id=opening.call_id,
            source=opening.source,
            started_at=opening.started_at,
            language=self._pen.config().spoken(opening.language),
            human_agent_id=opening.human_agent_id,
            human_agent_name=opening.human_agent_name,
        )
        event_id = named_id(chat.conversation_id, "started")
        self._pen.publish([self._pen.event(chat, started, event_id, self._opened.clock.now())])
        listening = partial(self._listening_to, chat)
        listening().meet("human_agent", opening.human_agent_name)
        return LiveCall(self._opened, self._pen, chat, listening, self._segments)

    def close(self) -> None:
        self._pen.close()

    def _chat(self, call_id: str, language: str | None) -> Chat:
        if not 0 < len(call_id) <= MOST_ID_CHARS:
            raise CallRefused(f"call_id: {len(call_id)} characters; allowed: 1 to {MOST_ID_CHARS}")
        try:
            chat = self._pen.chat(call_id) or self._pen.open_chat(
                call_id, self._pen.config().spoken(language), self._customer(call_id)
            )
            self._opened.keys.get(chat.tenant, chat.customer_id)
        except KeyErased as error:
            raise CallErased("the customer of this call was erased; allowed: calls of others") from error
        return chat

    def _customer(self, call_id: str) -> CustomerId:
        """The call's own, so that one who was erased is known as such when the same call comes again: nothing else is kept of it."""
        name = hmac.digest(self._customers, f"{self._tenant}\x1f{call_id}".encode(), "sha256").hex()
        return CustomerId(named_id("call-customer", name))

    def _listening_to(self, chat: Chat) -> Listening:
        """One for all connections of a call; for one that another process has heard so far, from its last turns."""
        with self._lock:
            found = self._listening.get(chat.conversation_id)
            if found is not None:
                self._listening[chat.conversation_id] = found  # its time begins anew
        if found is None:
            found = Listening(self._pen.masker)
            row = self._opened.store.conversation(chat.conversation_id)
            after = max(0, row.seq - HEARD_BEFORE) if row is not None else 0
            told = history(self._opened.store, self._opened.codec, chat.conversation_id, after)
            for _, _, event in told:
                if event is not None and isinstance(event.body, CustomerMessage | AgentMessage):
                    by_agent = isinstance(event.body, AgentMessage)
                    if isinstance(event.body, AgentMessage):
                        found.meet("human_agent", event.body.human_agent_name)
                    found.find(event.body.text, event.body.text, "human_agent" if by_agent else "customer")
            with self._lock:
                found = self._listening.setdefault(chat.conversation_id, found)
        return found

    def _claimed(self, chat: Chat, digest: str, now: datetime, grown: int = 0) -> Claim:
        """The claim that holds: this one, or an earlier one of another's."""
        name = claim_name(grown)
        message_id = MessageId(named_id(chat.conversation_id, name))
        [held] = self._opened.store.claim([Claim(chat.conversation_id, name, message_id, digest, now)])
        return held

    def _versions(self, chat: Chat, transcript: Transcript, now: datetime) -> list[Version]:
        """All that this transcript consists of, itself the last: each begins with the turns of the one before it. Empty where the call was heard
        live. Raises `CallKnown` for one that has not the turns that were imported before.
        """
        found = digests(self._secret, chat.conversation_id, transcript.turns)
        versions: list[Version] = []
        begun = 0
        while True:
            held = self._claimed(chat, found[-1], now, len(versions))
            if held.text_digest == LIVE:
                return []
            if held.text_digest not in found:
                raise CallKnown(
                    f"call_id: {transcript.call_id!r} was imported with another transcript; allowed: an id for each call, or the same turns and more"
                )
            ended, known = found.index(held.text_digest), held.claimed_at != now
            versions.append(Version(chat.conversation_id, len(versions), begun, ended, known))
            if held.text_digest == found[-1]:
                return versions
            begun = ended

    def _publish(self, chat: Chat, transcript: Transcript, version: Version, now: datetime) -> None:
        """What is new in a version. Also of one before the last that was cut off: without it, what follows would have no place."""
        turns = self._turns(chat, transcript, version, now)
        parts = parts_of(version.alone(transcript), turns, transcript.language, version.grown)
        self._pen.publish([self._pen.event(chat, part, version.part_id(part), now) for part in parts])

    def _is_whole(self, version: Version) -> bool:
        """Whether the call worker has had the last part. A call of which it has not may be cut off, also where it was closed for silence."""
        return bool(self._opened.store.seen(CALL_WORKER, [version.last_id]))

    def _turns(
        self, chat: Chat, transcript: Transcript, version: Version, now: datetime
    ) -> list[TranscriptTurn]:
        """Those that are new in this version, masked; what was asked for before them counts."""
        listening = Listening(self._pen.masker)
        for party in transcript.parties:
            listening.meet(party.speaker, party.name)
        every = [listening.find(turn.text, turn.original, turn.speaker) for turn in transcript.turns]
        heard = every[version.begun : version.ended]
        said = transcript.turns[version.begun : version.ended]
        findings = [each.text for each in heard] + [each.original for each in heard if each.original]
        masked = self._pen.masked_all(chat, findings, version.id("1"), now)
        originals = iter(masked[len(said) :])
        agent = agent_of(transcript)
        return [
            TranscriptTurn(
                speaker=turn.speaker,
                text=fitted(text, MOST_CHARACTERS),
                original=fitted(next(originals), MOST_CHARACTERS) if each.original else None,
                start_ms=turn.start_ms,
                end_ms=turn.end_ms,
                confidence=turn.confidence,
                name=_other_agent(transcript.parties[turn.party], agent),
            )
            for turn, each, text in zip(said, heard, masked, strict=False)
        ]


def _accepted(transcript: Transcript, chat: Chat) -> Taken:
    said = len(transcript.turns)
    taken = Taken(transcript.call_id, chat.conversation_id, said, "accepted", transcript.notes)
    signed = transcript.signature
    if signed is None:
        return taken
    return replace(taken, signature="verified" if signed.verified else "unverified", signed_by=signed.signer)


def _other_agent(party: Party, agent: Party | None) -> str | None:
    """The name of a human agent who is not the call's first."""
    if party.speaker != "human_agent" or party is agent or party.name is None:
        return None
    return party.name[:MOST_NAME] or None


class LiveCall:
    """One running call. Its pieces are given one after the other."""

    def __init__(
        self, opened: Doorway, pen: Pen, chat: Chat, listening: Callable[[], Listening], secret: bytes
    ) -> None:
        self._opened = opened
        self._pen = pen
        self.chat = chat
        self._listening = listening
        self._secret = secret

    def hear(self, segment: Segment) -> None:
        """A repeated final segment has the same id in the log, and is said once. Raises `SegmentReused`, `KeyErased`."""
        now = self._opened.clock.now()
        place = (self.chat.conversation_id, "segment", segment.segment_id)
        event_id = named_id(*place, "final") if segment.final else EventId(str(uuid4()))
        if segment.final:
            self._claim(segment, event_id, now)
        said = normalise(segment.text)
        text, original = self._masked(segment, said, event_id, now)
        body = CallSegmentHeard(
            segment_id=segment.segment_id,
            speaker=segment.speaker,
            text=fitted(text, MOST_SHOWN_CHARS),
            final=segment.final,
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            original=None if original is None else fitted(original, MOST_CHARACTERS),
            confidence=segment.confidence,
        )
        self._pen.publish([self._pen.event(self.chat, body, event_id, now)])

    def _claim(self, segment: Segment, event_id: EventId, now: datetime) -> None:
        """A recogniser that counts from 0 on each connection would have its words taken for those it said before."""
        # Of who was erased not even a claim is written.
        self._opened.keys.get(self.chat.tenant, self.chat.customer_id)
        said = orjson.dumps((segment.speaker, segment.text, segment.start_ms)).decode()
        digest = text_digest(self._secret, self.chat.conversation_id, said)
        claim = Claim(self.chat.conversation_id, f"segment:{event_id}", MessageId(event_id), digest, now)
        [held] = self._opened.store.claim([claim])
        if held.text_digest != digest:
            raise SegmentReused(
                "segment_id: was used for other words; allowed: an id for each segment of a call"
            )

    def progress(self, body: CallProgressed) -> None:
        """Twice the same at one time is once: by the same side, to the same agent."""
        what = (body.kind, str(body.at_ms), body.by or "", body.human_agent_id or "")
        event_id = named_id(self.chat.conversation_id, "progress", *what)
        if body.kind == "transfer":
            self._listening().meet("human_agent", body.human_agent_name)
        self._pen.publish([self._pen.event(self.chat, body, event_id, self._opened.clock.now())])

    def _masked(
        self, segment: Segment, said: str, event_id: EventId, now: datetime
    ) -> tuple[str, str | None]:
        """The text, and the original where that is another. Of what is still being said numbers are left out."""
        if not segment.final:
            return hidden(self._pen.findings(said), expected=self._listening().expecting), None
        heard = self._listening().find(said, segment.text, segment.speaker, segment.segment_id)
        findings = [heard.text, heard.original] if heard.original else [heard.text]
        text, *originals = self._pen.masked_all(self.chat, findings, event_id, now)
        return text, originals[0] if originals else None
