"""The common form of a finished call's transcript. Whatever technology wrote it, the importers make this of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Literal

from parley.errors import ParleyError

Speaker = Literal["customer", "human_agent"]
EventKind = Literal["joined", "hang_up", "hold", "resumed", "muted", "unmuted", "transfer", "incomplete"]

MOST_BYTES = 50_000_000
MOST_PARTIES = 100
MOST_TURNS = 20_000
MOST_EVENTS = 2_000  # besides talk: each is a record of its own in the conversation
MOST_ID_CHARS = 128
MOST_CHARACTERS = 16_384  # of one turn: the limit of the event that carries it
#: A century in milliseconds: no call ends later, and every integer up to it is exact in JSON.
MOST_MS = 100 * 366 * 86_400_000


class TranscriptRefused(ParleyError):
    """A file that is no transcript which can be read. The message names the field or line and what is allowed; it never quotes
    what was said."""


def whole(file: BinaryIO) -> bytes:
    """All of a file, read no further than it may be long. Raises `TranscriptRefused`, `OSError`."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TranscriptRefused(f"more than {MOST_BYTES:,} bytes; allowed: a transcript")
    return data


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who took part. `label` is the source's own term for them: a role, a channel, a name, an index."""

    label: str
    speaker: Speaker
    name: str | None = None
    tel: str | None = None
    mailto: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one party said, without a break.

    `party` is an index into the transcript's parties; `original` is the text as it stood, `text` the same without fillers, noise and
    stutters: empty where nothing else was there. Times are milliseconds from the call's beginning, `end_ms` never before `start_ms`; a
    turn without times stands at the time of the one before it. `confidence` (0 to 1) is the recogniser's own, where it gave one.
    """

    party: int
    speaker: Speaker
    text: str
    original: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened besides talk, where the source tells: who (an index into the parties) and when, in milliseconds.

    `party` of a transfer is who was transferred, `to` are those that the call went to; `detail` is the source's own word for why a
    call came to nothing (`busy`, `no-answer`…). Keys pressed are never kept: they may be a PIN.
    """

    kind: EventKind
    at_ms: int
    party: int | None = None
    to: tuple[int, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was checked and holds. `signer` is the certificate's subject or the key's name; `verified` tells whether the
    signer is known: by a given key, or by a chain to a given root."""

    verified: bool
    signer: str


@dataclass(frozen=True, slots=True)
class Prior:
    """The vCon that this one was made of, by what this one says; it is never looked for."""

    uuid: str | None = None
    type: str | None = None
    url: str | None = None
    content_hash: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A finished call. `turns` are in the order they began; overlapping ones are kept as they overlap.

    `call_id` is the source's own id, or a hash of its content, so that the same file gives the same id. `source` is the form's name.
    `redacted` tells that the source says of itself that something was taken out, `redacted_of` from what; `amended_of` is what something was
    added to. `timed` is False where the source has no times: then all turns stand at 0.
    `notes` tell what else the source has and cannot be read, such as a recording without a transcript: by its place, without its words. A call
    that came to nothing has no turns.
    """

    call_id: str
    started_at: datetime | None
    parties: tuple[Party, ...]
    turns: tuple[Turn, ...]
    events: tuple[CallEvent, ...]
    source: str
    language: str | None
    redacted: bool
    timed: bool = True
    signature: Signature | None = None
    notes: tuple[str, ...] = ()
    redacted_of: Prior | None = None
    amended_of: Prior | None = None

    @property
    def spoken(self) -> tuple[Turn, ...]:
        """The turns for the workers: those that hold more than noise."""
        return tuple(turn for turn in self.turns if turn.text)
