"""A vCon's parties, and the many ways in which the rest of it names them."""

import re
from collections.abc import Iterator
from typing import Any

from connectors.calls.draft import Voice
from connectors.calls.fields import Object, objects, placed, text_at
from connectors.calls.speakers import side_of, speaker_of
from connectors.calls.transcript import MOST_PARTIES, TranscriptRefused

_NUMBER = re.compile(r"(?:tel:)?\+?[\d\s().-]{1,40}", re.ASCII | re.IGNORECASE)
_NOT_DIALLED = re.compile(r"\D", re.ASCII)


def label(number: int) -> str:
    return f"party {number}"


def parties_of(document: Object) -> dict[str, Voice]:
    """By label, in their order."""
    found = list(objects(document.get("parties"), "parties"))
    if len(found) > MOST_PARTIES:
        raise TranscriptRefused(f"parties: {len(found):,}; allowed are {MOST_PARTIES}")
    return {label(number): _party(party, at) for number, (at, party) in enumerate(found)}


def _party(party: Object, at: str) -> Voice:
    meta = party.get("meta")
    role = party.get("role") or (meta.get("role") if isinstance(meta, dict) else None)
    return Voice(
        role=role if isinstance(role, str) else "",
        name=text_at(party, "name", at) or None,
        tel=text_at(party, "tel", at) or None,
        mailto=text_at(party, "mailto", at) or text_at(party, "email", at) or None,
    )


def index(value: Any, at: str, count: int, of: str) -> int:
    """A place in one of the vCon's lists; earlier drafts wrote it as text."""
    number = (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
        else value
    )
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise TranscriptRefused(f"{at} must be an index into {of}, which has {count}")
    return number


def indices(value: Any, at: str, count: int, of: str) -> list[int | None]:
    """One index or a list, in which several that share a channel are a list of their own, and nobody is null."""
    if value is None:
        return []
    if not isinstance(value, list):
        return [index(value, at, count, of)]
    return list(_flat(value, at, count, of))


def _flat(values: list[Any], at: str, count: int, of: str) -> Iterator[int | None]:
    for number, each in enumerate(values):
        where = placed(at, number)
        if isinstance(each, list):
            yield from (index(one, placed(where, place), count, of) for place, one in enumerate(each))
        else:
            yield None if each is None else index(each, where, count, of)


def matching(voice: str, said: Voice | None, parties: dict[str, Voice], at: str) -> str:
    """The party that a transcript's own label means: by index, by name or address, by the one party of that side, or by the one of no known
    side where there is none of that; else the label itself.
    """
    if voice in parties:
        return voice
    if voice.startswith("party ") and voice[6:].isdigit():
        raise TranscriptRefused(f"{at}: {voice} does not exist; parties has {len(parties)}")
    terms = [term for term in (said.role if said else "", said.name if said else "", voice) if term]
    for term in terms:
        named = [key for key, party in parties.items() if _is_called(party, term)]
        if len(named) == 1:
            return named[0]
    side = next((side for term in terms if (side := speaker_of(term)) is not None), None)
    sides = {key: side_of("", party) for key, party in parties.items()}
    of_side = [key for key in parties if sides[key] == side] or [key for key in parties if sides[key] is None]
    return of_side[0] if side is not None and len(of_side) == 1 else voice


def _is_called(party: Voice, term: str) -> bool:
    """By name, mail address or telephone number, however that is written."""
    if term.casefold() in (
        (party.name or "").casefold(),
        (party.mailto or "").casefold().removeprefix("mailto:"),
    ):
        return True
    return party.tel is not None and _dialled(party.tel) == _dialled(term) != ""


def _dialled(number: str) -> str:
    """The digits of a telephone number; "" for what is none."""
    return _NOT_DIALLED.sub("", number) if _NUMBER.fullmatch(number.strip()) else ""
