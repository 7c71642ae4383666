"""Lines that begin with who speaks: `Agent: …`, `[00:01:23] 客户：…`, `Alice (01:05): …`."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from connectors.calls.formats.cues import clock_ms
from connectors.calls.speakers import speaker_of
from connectors.calls.transcript import TranscriptRefused

_TIME = r"[\[(（【]?\s?((?:\d{1,3}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?)\s?[\])）】]?"
_LINE = re.compile(
    rf"\s*(?:{_TIME}\s*[-–—|]?\s*)?"
    r"[*_]{0,2}([^\W\d_][^:：\n\[\](){}<>（）【】,，;；。！？!?\"“”/]{0,39}?)[*_]{0,2}"
    rf"\s?(?:{_TIME}\s?)?(?:[(（][^()（）\n]{{1,40}}[)）]\s?)?(?:{_TIME}\s?)?[:：](?!//)[*_]{{0,2}}\s*(.*)",
)
_MOST_WORDS = 4  # of a speaker's label: what is longer is a sentence with a colon


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line with a label that may name a speaker, "" where there is none. `text` is what follows it, `whole` the line as it stands."""

    label: str
    text: str
    whole: str
    time_ms: int | None = None


def labelled(line: str) -> Labelled:
    found = _LINE.fullmatch(line)
    if found is None or len(found[2].split()) > _MOST_WORDS:
        return Labelled("", line.strip(), line.strip())
    written = found[1] or found[3] or found[4]
    return Labelled(found[2].strip(), found[5].strip(), line.strip(), _ms(written))


def _ms(written: str | None) -> int | None:
    try:
        return None if written is None else clock_ms(written, "")
    except TranscriptRefused:
        return None  # looks like a time and is none: no part of the text either way


def voices(labels: Iterable[str], told: Collection[str] = ()) -> set[str]:
    """Which labels name speakers.

    Those that `told` (folded) names, those whose words name a side (`Agent`, `客户`), those that stand twice; and all of them where none
    has such words, as in `Alice: … Bob: …`. What remains is a sentence with a colon (`Account number: …`).
    """
    counts = Counter(label for label in labels if label)
    known = {label for label in counts if label.casefold() in told or speaker_of(label) is not None}
    if not known:
        return set(counts)
    return known | {label for label, count in counts.items() if count > 1}
