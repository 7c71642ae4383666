"""The calls of one file, each taken by itself: one that cannot be taken keeps no other back."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from connectors.calls.book import CallRefused, Taken
from connectors.calls.transcript import Transcript
from parley.errors import RecordTooLarge


@dataclass(frozen=True, slots=True)
class Refused:
    """A call of which nothing was written."""

    call_id: str
    error: CallRefused | RecordTooLarge

    @property
    def reason(self) -> str:
        """Names the field, and what is allowed."""
        return str(self.error)


class Takes(Protocol):
    """A `CallBook`, or one that is paced."""

    def take(self, transcript: Transcript, language: str | None = None) -> Taken: ...


def take_one(book: Takes, call: Transcript, language: str | None = None) -> Taken | Refused:
    """Raises what `CallBook` does of the log and the database."""
    try:
        return book.take(call, language)
    except (CallRefused, RecordTooLarge) as error:
        return Refused(call.call_id, error)


def take_each(book: Takes, calls: Iterable[Transcript], language: str | None = None) -> list[Taken | Refused]:
    """In their order. Raises what `CallBook` does of the log and the database."""
    return [take_one(book, call, language) for call in calls]


def signatures(taken: Iterable[Taken | Refused]) -> str:
    """Of the calls that were taken, as it may be logged: a signer is named where the tenant knows it, for any other name is a stranger's words."""
    found = Counter(_signature(each) for each in taken if isinstance(each, Taken))
    return "; ".join(f"{count:,} {told}" for told, count in found.items()) or "none"


def _signature(taken: Taken) -> str:
    if taken.signature != "verified":
        return "not signed" if taken.signature == "unsigned" else "signed, not verified"
    signer = "".join(each if each.isprintable() else "?" for each in taken.signed_by or "")
    return f"signed by {signer}, verified"
