"""A conversation's events as a vCon's dialog: texts, transfers, what came to nothing, and the parties' history.

Objects stand in the order of `seq`. Drafts, deltas and what only fences them are no part of a conversation and are passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.calls.fields import Object
from connectors.calls.vcon.roster import CUSTOMER, Roster
from schemas.base import AnyEvent, Body, rfc3339
from schemas.outbound import (
    AgentMessage,
    AgentMessageEdited,
    CallStateChanged,
    Closed,
    CustomerMessage,
    Outbound,
    OwnerChanged,
    ReplyReady,
)
from schemas.parts import Attachment, Spoken

CALL = "call"
#: The draft's reasons why a call came to nothing; any other one is a failure.
DISPOSITIONS = ("no-answer", "congestion", "failed", "busy", "hung-up", "voicemail-no-message")
HISTORY = {"hold": "hold", "resumed": "unhold", "muted": "mute", "unmuted": "unmute", "joined": "join"}


def stamp(moment: datetime) -> str:
    """As JMAP's `Date` (RFC 8620, section 1.4) wants it: no fraction where it is zero."""
    return rfc3339(moment).replace(".000Z", "Z")


@dataclass(frozen=True, slots=True)
class Wording:
    """How a turn was heard, or an earlier wording of one: what `dialog` has instead is elsewhere."""

    dialog: int
    text: str
    at: datetime
    spoken: Spoken | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that came with the message of this dialog."""

    dialog: int
    at: datetime
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class Remark:
    """What was told of a call's state in words of its own, for which the draft has no place. `dialog` None: nothing was said yet."""

    dialog: int | None
    at: datetime
    kind: str
    detail: str


@dataclass(slots=True)
class Dialogs:
    """`by_seq`, `by_message` and `by_event` lead to a text's place in `dialog`, by the three names that other events give it."""

    roster: Roster
    channel: str
    dialog: list[Object] = field(default_factory=list)
    by_seq: dict[int, int] = field(default_factory=dict)
    by_message: dict[str, int] = field(default_factory=dict)
    by_event: dict[str, int] = field(default_factory=dict)
    heard: list[Wording] = field(default_factory=list)
    edited: list[Wording] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    _owner: int | None = None
    _human_agent: int | None = None
    _span: list[int] = field(default_factory=list)
    _waiting: list[Object] = field(default_factory=list)

    @classmethod
    def of(cls, events: Sequence[AnyEvent], roster: Roster, channel: str) -> "Dialogs":
        """A call has no owner until it is told; any other conversation begins with the bot."""
        made = cls(roster, channel)
        for event in events:
            if (write := WRITERS.get(type(event.body))) is not None:
                write(made, event, event.body)
        return made

    @property
    def texts(self) -> list[int]:
        return [place for place, each in enumerate(self.dialog) if each["type"] == "text"]

    # -- what was said --------------------------------------------------------------------------------------------------

    def customer_said(self, event: AnyEvent, body: CustomerMessage) -> None:
        owner = self._owned()
        place = self._text(event, body, CUSTOMER, owner, body.message_id, body.text, body.spoken)
        self.sent += [Sent(place, event.envelope.occurred_at, each) for each in body.attachments]

    def bot_said(self, event: AnyEvent, body: ReplyReady) -> None:
        self._owned()
        self._text(event, body, self.roster.bot(), CUSTOMER, body.reply_id, body.text, None)

    def human_agent_said(self, event: AnyEvent, body: AgentMessage) -> None:
        self._human_agent = self.roster.human_agent(body.human_agent_id, body.human_agent_name)
        self._text(event, body, self._human_agent, CUSTOMER, body.message_id, body.text, body.spoken)

    def edited_to(self, event: AnyEvent, body: AgentMessageEdited) -> None:
        """The newest wording counts; the one before it is kept beside the dialog."""
        place = self.by_message.get(body.message_id)
        if place is None:
            return
        self.edited.append(Wording(place, self.dialog[place]["body"], event.envelope.occurred_at))
        self.dialog[place]["body"] = body.text

    def _text(
        self,
        event: AnyEvent,
        body: Outbound,
        speaker: int,
        listener: int | None,
        message_id: str,
        text: str,
        spoken: Spoken | None,
    ) -> int:
        """The first party of a text is its originator; the draft wants `originator` only where it is another one."""
        at = event.envelope.occurred_at
        entry: Object = {
            "type": "text",
            "start": stamp(at),
            "parties": [speaker] if listener is None else [speaker, listener],
            "mediatype": "text/plain",
            "body": text,
            "encoding": "none",
            "application": self.channel,
            "message_id": message_id,
        }
        place = self._add(entry)
        self.by_seq[body.seq] = self.by_message[message_id] = self.by_event[event.envelope.event_id] = place
        if spoken is not None:
            entry["duration"] = max(0, spoken.end_ms - spoken.start_ms) / 1000
            if spoken.original is not None or spoken.confidence is not None:
                self.heard.append(Wording(place, spoken.original or text, at, spoken))
        if speaker == self._owner or (speaker == CUSTOMER and listener is not None):
            self._span.append(place)
        return place

    def _add(self, entry: Object) -> int:
        self.dialog.append(entry)
        if self._waiting and entry["type"] != "transfer":
            entry["party_history"], self._waiting = self._waiting, []
        return len(self.dialog) - 1

    # -- who may speak --------------------------------------------------------------------------------------------------

    def _owned(self) -> int | None:
        """The owner's party; the bot's where nobody was told and this is no call."""
        if self._owner is None and self.channel != CALL:
            self._owner = self.roster.bot()
        return self._owner

    def owner_changed(self, event: AnyEvent, body: OwnerChanged) -> None:
        """A transfer, unless nothing was said before it, or the conversation was closed: then somebody merely begins."""
        before = self._owner
        self._owner = self._party_of(body)
        if body.owner == "human":
            self._human_agent = self._owner
        if before is None or before == self._owner:
            return
        original, self._span = self._span, []
        self._add(
            {
                "type": "transfer",
                "start": stamp(event.envelope.occurred_at),
                "transferee": CUSTOMER,
                "transferor": before,
                "transfer_target": self._owner,
                "original": original,
                "target_dialog": self._span,  # grows with what is said to the new owner
            }
        )

    def _party_of(self, body: OwnerChanged) -> int:
        if body.owner == "human":
            return self.roster.human_agent(body.human_agent_id, body.human_agent_name)
        return self.roster.queue() if body.owner == "queue" else self.roster.bot()

    def closed(self, event: AnyEvent, body: Closed) -> None:
        """Whoever ends it leaves; of a call that ended by itself it is the customer. One in which nothing was said came to nothing."""
        at = event.envelope.occurred_at
        if self.channel == CALL and not self.dialog:
            self._came_to_nothing(at, "hung-up")
        elif body.by != "system" or self.channel == CALL:
            self._happened("drop", self._side(body.by), at)
        self._owner, self._span = None, []

    # -- what happened on a call ----------------------------------------------------------------------------------------

    def call_changed(self, event: AnyEvent, body: CallStateChanged) -> None:
        at = event.envelope.occurred_at
        place: int | None
        if body.kind == "incomplete":
            place = self._came_to_nothing(at, body.detail if body.detail in DISPOSITIONS else "failed")
        else:
            place = self._happened(HISTORY[body.kind], self._side(body.by), at)
        if body.detail and body.detail not in DISPOSITIONS:
            self.remarks.append(Remark(place, at, body.kind, body.detail))

    def _came_to_nothing(self, at: datetime, disposition: str) -> int:
        with_whom = [] if self._owner is None else [self._owner]
        return self._add(
            {
                "type": "incomplete",
                "start": stamp(at),
                "parties": [CUSTOMER, *with_whom],
                "disposition": disposition,
                "application": self.channel,
            }
        )

    def _happened(self, what: str, party: int, at: datetime) -> int | None:
        """Noted at the last dialog that is no transfer; where there is none, at the first one that comes. Returns the dialog's place."""
        entry = {"party": party, "time": stamp(at), "event": what}
        held = [place for place, each in enumerate(self.dialog) if each["type"] != "transfer"]
        if not held:
            self._waiting.append(entry)
            return None
        self.dialog[held[-1]].setdefault("party_history", []).append(entry)
        return held[-1]

    def _side(self, by: str | None) -> int:
        """Whose doing it was; the customer's where nobody is named, for a history entry must name a party."""
        if by != "human_agent":
            return CUSTOMER
        if self._human_agent is None:
            self._human_agent = self.roster.human_agent(None, None)
        return self._human_agent


Writer = Callable[[Dialogs, AnyEvent, Any], None]
WRITERS: dict[type[Body], Writer] = {
    CustomerMessage: Dialogs.customer_said,
    ReplyReady: Dialogs.bot_said,
    AgentMessage: Dialogs.human_agent_said,
    AgentMessageEdited: Dialogs.edited_to,
    OwnerChanged: Dialogs.owner_changed,
    Closed: Dialogs.closed,
    CallStateChanged: Dialogs.call_changed,
}
