"""What a reader of one form hands on: who said what and when, in the source's own terms. `assembling` makes a `Transcript` of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.calls.transcript import CallEvent, Prior, Signature


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn as a form has it. `voice` names who spoke in the source's terms, "" where it does not say; `at` is the place in the
    file, for what is refused. Times are milliseconds from the call's beginning, or a clock's (`start_at`, in UTC)."""

    voice: str
    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    confidence: float | None = None
    at: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """What a source says about a party besides the label in its turns: `role` decides who it is before the label does."""

    role: str = ""
    name: str | None = None
    tel: str | None = None
    mailto: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """`voices` by label, in the order of the parties; those that only turns name follow them.

    `notes` tell what else the source has and cannot be read, by place; `wordless` that nobody spoke, as the source says itself.
    """

    form: str
    heard: Sequence[Heard]
    call_id: str | None = None
    started_at: datetime | None = None
    language: str | None = None
    redacted: bool = False
    voices: dict[str, Voice] = field(default_factory=dict)
    events: tuple[CallEvent, ...] = ()
    signature: Signature | None = None
    notes: tuple[str, ...] = ()
    wordless: bool = False
    redacted_of: Prior | None = None
    amended_of: Prior | None = None
