"""What is to be masked on one call: in what the workers read of a turn, and in what was heard of it, with what was asked for in the turns before."""

from collections import Counter, deque
from dataclasses import dataclass
from threading import Lock

from parley.domain.masking import Findings, Masker
from parley.domain.masking.dictated import Dictation
from parley.domain.masking.placeholders import BETWEEN

REMEMBERED = 64
"""Segments that a client may tell again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """`original` is None where it says nothing more than the text, and where it is not certain that as much is masked in it: fillers may
    stand between the digits of a number.
    """

    text: Findings
    original: Findings | None


class Listening:
    """One call's, for all of its connections. Thread-safe. It remembers which number is expected, and no text."""

    def __init__(self, masker: Masker) -> None:
        self._texts, self._originals = Dictation(masker), Dictation(masker)
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._lock = Lock()

    @property
    def expecting(self) -> bool:
        return self._texts.expecting

    def find(self, text: str, original: str, name: str = "") -> Heard:
        """Of the next turn. One of the same `name` as an earlier one is a repetition, and changes nothing of what is expected."""
        with self._lock:
            again = bool(name) and name in self._told
            if name and not again:
                self._told.append(name)
            found = self._texts.find(_whole(text), again=again)
            heard = self._originals.find(_whole(original), again=again)
        same = original == text or _values(found) != _values(heard)
        return Heard(found, None if same else heard)


def _whole(text: str) -> str:
    return text.replace(BETWEEN, " ")


def _values(findings: Findings) -> Counter[tuple[str, str]]:
    return Counter((each.kind, each.value) for each in findings.taken)
