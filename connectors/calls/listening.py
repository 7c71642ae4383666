"""What is to be masked on one call: in what the workers read of a turn, and in what was heard of it, with what was asked for in the turns before,
and with the names that the call states."""

from collections import Counter, deque
from dataclasses import dataclass
from threading import Lock

from connectors.calls.transcript import Speaker
from parley.domain.masking import Findings, Masker
from parley.domain.masking.dictated import Dictation
from parley.domain.masking.placeholders import BETWEEN
from parley.domain.masking.told_names import ToldNames

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
    """One call's, for all of its connections. Thread-safe. It remembers which number is expected and the names that were told, and no text besides."""

    def __init__(self, masker: Masker) -> None:
        self._texts, self._originals = Dictation(masker), Dictation(masker)
        self._names = ToldNames()
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._lock = Lock()

    @property
    def expecting(self) -> bool:
        return self._texts.expecting

    def meet(self, speaker: Speaker, name: str | None) -> None:
        """The call states somebody's name."""
        with self._lock:
            (self._names.of_agent if speaker == "human_agent" else self._names.of_customer)(name)

    def find(self, text: str, original: str, speaker: Speaker, name: str = "") -> Heard:
        """Of the next turn. One of the same `name` as an earlier one is a repetition, and changes nothing of what is expected."""
        with self._lock:
            again = bool(name) and name in self._told
            if name and not again:
                self._told.append(name)
            by_agent = speaker == "human_agent"
            found, heard = (
                self._names.find(dictation.find(_whole(said), again=again), by_agent=by_agent)
                for dictation, said in ((self._texts, text), (self._originals, original))
            )
            if not again:
                self._names.hear(_whole(text), by_agent=by_agent)
        same = original == text or _values(found) != _values(heard)
        return Heard(found, None if same else heard)


def _whole(text: str) -> str:
    return text.replace(BETWEEN, " ")


def _values(findings: Findings) -> Counter[tuple[str, str]]:
    return Counter((each.kind, each.value) for each in findings.taken)
