"""What came from a chat as it is kept until it can be taken: JSON, without what masking takes out. Pure but for the masking it is given."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from connectors.kit.http import first_fault
from connectors.telegram.sharing import Shared
from connectors.telegram.translate import Arrival, Commanded, Said
from parley.domain.masking import Masked

log = logging.getLogger(__name__)

Parcel = tuple[int, Arrival | None]
"""A position, and what is there; None for what this build cannot read."""
ARRIVAL: TypeAdapter[Arrival] = TypeAdapter(Arrival)


def pack(
    arrival: Arrival, mask: Callable[[str], Masked], safe_name: Callable[[str | None], str | None]
) -> tuple[int, bytes]:
    """Its position and its content. Raises what the masking raises."""
    meaning = arrival.meaning
    if isinstance(meaning, Said):
        masked = mask(meaning.text)
        meaning = replace(meaning, text=masked.text, file=_named(meaning.file, safe_name))
    elif isinstance(meaning, Commanded):
        masked = mask(meaning.argument)
        meaning = replace(meaning, argument=masked.text)
    else:
        masked = Masked("")
    kept = replace(arrival, meaning=meaning, masked=masked.kinds)
    return arrival.update_id, ARRIVAL.dump_json(kept)


def unpack(position: int, content: bytes) -> Parcel:
    try:
        return position, ARRIVAL.validate_json(content)
    except ValidationError as error:
        log.error("telegram: update %d was kept and is passed over: %s", position, first_fault(error))
        return position, None


def captions_first(parcels: Sequence[Parcel]) -> list[Parcel]:
    """In their order, but of an album what has a caption before the rest: it says what they are."""
    first: dict[str, int] = {}
    for number, (_, arrival) in enumerate(parcels):
        if (album := _album(arrival)) is not None:
            first.setdefault(album, number)

    def place(number: int) -> tuple[int, bool, int]:
        arrival = parcels[number][1]
        album = _album(arrival)
        return first[album] if album is not None else number, not _words(arrival), number

    return [parcels[number] for number in sorted(range(len(parcels)), key=place)]


def lack_caption(parcels: Sequence[Parcel]) -> bool:
    """Whether they end in an album without a caption so far."""
    album = _album(parcels[-1][1]) if parcels else None
    return album is not None and not any(_words(each) for _, each in parcels if _album(each) == album)


def _album(arrival: Arrival | None) -> str | None:
    return None if arrival is None else arrival.album


def _words(arrival: Arrival | None) -> bool:
    return arrival is not None and isinstance(arrival.meaning, Said) and bool(arrival.meaning.text)


def _named(file: Shared | None, safe_name: Callable[[str | None], str | None]) -> Shared | None:
    return None if file is None else replace(file, name=safe_name(file.name))
