"""What of an edited message is new: an edit may change nothing that is read here, such as a link's preview, or a caption and not its file.

In memory, and as hashes alone. After a restart an edit counts as new, as whatever was edited counts as a new message.
"""

from dataclasses import dataclass, replace

from cachetools import LRUCache

from connectors.telegram.translate import Arrival, Commanded, Said

REMEMBERED = 20_000
Content = tuple[int, int | None]
"""Hashes of a text and of the file with it, of this process alone."""


@dataclass(frozen=True, slots=True)
class _Version:
    update_id: int
    before: Content | None
    content: Content


class Versions:
    """One bot's. Belongs to one event loop."""

    def __init__(self) -> None:
        self._versions: LRUCache[tuple[int, int], _Version] = LRUCache(REMEMBERED)

    def changed(self, arrival: Arrival) -> Arrival | None:
        """The arrival without a file that it had before; None where nothing has changed. The same for a repeat."""
        content = _content(arrival)
        if content is None or arrival.message_id is None:
            return arrival
        at = (arrival.chat, arrival.message_id)
        held = self._versions.get(at)
        before = None if held is None else held.content
        if held is not None and held.update_id == arrival.update_id:
            before = held.before
        self._versions[at] = _Version(arrival.update_id, before, content)
        if not arrival.edited or before is None or not isinstance(arrival.meaning, Said | Commanded):
            return arrival
        return None if content == before else _without_known_file(arrival, content, before)


def _content(arrival: Arrival) -> Content | None:
    match arrival.meaning:
        case Said(text=text, file=file):
            return hash(text), None if file is None else hash(file.unique)
        case Commanded(command=command, argument=argument):
            return hash(("/", command, argument)), None
    return None


def _without_known_file(arrival: Arrival, content: Content, before: Content) -> Arrival | None:
    said = arrival.meaning
    if not isinstance(said, Said) or said.file is None or content[1] != before[1]:
        return arrival
    return replace(arrival, meaning=replace(said, file=None)) if said.text else None
