"""Plain text: a line a turn, beginning with who speaks and, where known, when. Lines that name nobody go on with the turn before."""

from collections.abc import Collection
from dataclasses import replace

from connectors.calls.draft import Draft, Heard
from connectors.calls.formats.labels import labelled, voices
from connectors.calls.transcript import TranscriptRefused

ALLOWED = "lines must begin with who speaks, like `Agent: …` or `[00:01:23] 客户：…`"

_MOST_TITLE_LINES = 10


def looks_labelled(text: str) -> bool:
    """Whether the first line with words names a speaker, and a fifth of all lines do: any text has a colon somewhere."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [bool(labelled(line).label) for line in lines]
    return bool(found) and any(found[:3]) and sum(found) * 5 >= len(found)


def read(text: str, told: Collection[str] = ()) -> Draft:
    """A few lines before the first that names a speaker are a title. Raises `TranscriptRefused` where no line names one, or too late."""
    lines = [(number, labelled(line)) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    names = voices((line.label for _, line in lines), told)
    if not names:
        raise TranscriptRefused(f"no line names a speaker; {ALLOWED}")
    title = next(place for place, (_, line) in enumerate(lines) if line.label in names)
    if title > _MOST_TITLE_LINES:
        raise TranscriptRefused(
            f"line {lines[0][0]}: {title} lines before the first that names a speaker; {ALLOWED}"
        )
    turns: list[Heard] = []
    said: list[str] = []
    for number, line in lines[title:]:
        if line.label in names:
            turns, said = _closed(turns, said), [line.text]
            turns.append(Heard(line.label, "", line.time_ms, at=f"line {number}"))
        else:
            said.append(line.whole)
    return Draft("text", _closed(turns, said))


def _closed(turns: list[Heard], said: list[str]) -> list[Heard]:
    """The last turn with all that was said in it."""
    if turns:
        turns[-1] = replace(turns[-1], text="\n".join(said).strip())
    return turns
