"""What is written in place of what rules find: `[card_1]`. How placeholders are numbered, and found again in a text.

Within a conversation a value has one placeholder from its first mention on, and no other value has it: a number that is counted
anew in each message would tell the language model, and the human agent, that two cards are one. Who remembers them is not known here
(`parley.runtime.vault`); `mask` numbers a text that is alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from parley.domain.masking.found import ANY_PLACEHOLDER

Named = tuple[str, str]
"""Kind and value."""

NEVER_KEPT = frozenset({"code"})
"""PINs, passwords, security codes: PCI DSS (3.3) forbids keeping those of cards, sealed or not, and nobody needs to read one again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A value where it stands in the text as it was written; `value` is its one spelling."""

    start: int
    end: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was found in it; `kinds` in the order of their first appearance, each once."""

    text: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What is to be taken out of a text, in order; `brought` are the placeholders that it has already, as kinds and numbers."""

    text: str
    taken: tuple[Taken, ...] = ()
    brought: tuple[Named, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.kind for each in self.taken))

    def originals(self) -> dict[Named, str]:
        """Each value as it was written where it first stands."""
        found: dict[Named, str] = {}
        for each in self.taken:
            found.setdefault((each.kind, each.value), self.text[each.start : each.end])
        return found

    def numbered(self, known: Mapping[Named, int], highest: Mapping[str, int]) -> dict[Named, int]:
        """A number for each value: the known one, or the next of its kind behind all that are there."""
        last = {kind: highest.get(kind, 0) for kind in self.kinds}
        for kind, number in self.brought:
            last[kind] = max(last.get(kind, 0), int(number))
        numbers: dict[Named, int] = {}
        for name in self.originals():
            if name not in known:
                last[name[0]] += 1
            numbers[name] = known.get(name, last[name[0]])
        return numbers

    def masked(self) -> Masked:
        """The text with placeholders that are numbered within it."""
        return self.written(self.numbered({}, {})) if self.taken else Masked(self.text)

    def written(self, numbers: Mapping[Named, int]) -> Masked:
        """The text with placeholders of these numbers."""
        pieces: list[str] = []
        position = 0
        for each in self.taken:
            pieces += (
                self.text[position : each.start],
                placeholder(each.kind, numbers[each.kind, each.value]),
            )
            position = each.end
        return Masked("".join(pieces) + self.text[position:], self.kinds)


BETWEEN = "\x1e"
"""Stands between texts that are written together; whoever joins them has taken it out of each."""


def together(findings: Sequence[Findings]) -> Findings:
    """Of several texts as of one, so that what is in them is numbered and stored at once; `apart` takes the written text apart again."""
    taken: list[Taken] = []
    start = 0
    for each in findings:
        taken += (replace(one, start=one.start + start, end=one.end + start) for one in each.taken)
        start += len(each.text) + len(BETWEEN)
    text = BETWEEN.join(each.text for each in findings)
    return Findings(text, tuple(taken), tuple(one for each in findings for one in each.brought))


def apart(masked: Masked) -> list[str]:
    return masked.text.split(BETWEEN)


def placeholder(kind: str, number: int) -> str:
    return f"[{kind}_{number}]"


def placeholders_in(text: str) -> frozenset[str]:
    return frozenset(found[0] for found in ANY_PLACEHOLDER.finditer(text))


def quotable_in(texts: Iterable[str]) -> frozenset[str]:
    """The placeholders in what a customer wrote that an answer may have too, where originals are put back for that customer."""
    found = (each for text in texts for each in ANY_PLACEHOLDER.finditer(text))
    return frozenset(each[0] for each in found if each[1] not in NEVER_KEPT)


def put_back(text: str, originals: Mapping[str, str]) -> str:
    """The text with each placeholder's original, where there is one; what is put back is not looked through again."""
    return ANY_PLACEHOLDER.sub(lambda found: originals.get(found[0], found[0]), text)
