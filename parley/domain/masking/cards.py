"""Card numbers (ISO/IEC 7812-1: 13 to 19 digits, Luhn), however their digits are grouped and separated."""

import re
from collections.abc import Iterator

from parley.domain.masking.amounts import DATE, THOUSANDS
from parley.domain.masking.checksums import luhn
from parley.domain.masking.found import Found

_CHAIN = re.compile(r"[0-9]+(?:(?: {0,2}[-_.,/|] {0,2}| {1,3})[0-9]+)*+")
_GROUP = re.compile(r"[0-9]+")

_LENGTHS = (19, 16, 15, 14, 13, 18, 17)
"""What wins where several fit: the longest of the common ones, since the rest of a number is personal too."""
_SHORTEST, _LONGEST = min(_LENGTHS), max(_LENGTHS)
_FIRST_DIGITS = frozenset("234569")
_FIRST = re.compile(r"2[2-7]|[34569]")
"""How payment cards begin. Counters of milliseconds begin with 1, time stamps with 20."""
_SHORT_FIRST = re.compile(r"30|36|38|39|4|50|56|58|63|67")
"""How those of 13 and 14 digits begin: Diners Club, the first Visa cards, Maestro."""
_LAYOUTS = frozenset(
    [(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4)] + [(length,) for length in _LENGTHS]
)
"""How numbers are printed: looked for first, so that no expiry date or code beside the number joins in."""
_HALVES = frozenset([(6, 13), (8, 8), (8, 11), (6, 10)])
"""How they are read off in two; with a comma or a slash between them they may be two telephone numbers."""
_MOST_PRINTED, _MOST_MIXED, _MOST_SHORT = 5, 7, 4
"""Groups of a printed layout, of several sizes, and of several sizes with 13 or 14 digits together."""
_MOST_DIGITS = 6
"""In a group that is not of a printed layout."""


def is_card_number(digits: str) -> bool:
    """Length, first digits and checksum of one."""
    begins = _SHORT_FIRST if len(digits) < 15 else _FIRST
    return len(digits) in _LENGTHS and begins.match(digits) is not None and luhn(digits)


def cards(plain: str) -> Iterator[Found]:
    chains = [hit.span() for hit in _CHAIN.finditer(plain) if hit.end() - hit.start() >= _SHORTEST]
    amounts = {at for hit in THOUSANDS.finditer(plain) for at in range(*hit.span())} if chains else set()
    for start, end in chains:
        yield from _Chain(plain, start, end).cards(amounts)


class _Chain:
    """Groups of digits with separators between them."""

    def __init__(self, plain: str, start: int, end: int) -> None:
        self._plain = plain
        self._groups = [hit.span() for hit in _GROUP.finditer(plain, start, end)]
        self._sizes = tuple(end - start for start, end in self._groups)
        self._digits = _GROUP.findall(plain, start, end)
        self._between = [
            plain[left[1] : right[0]].strip(" -_")
            for left, right in zip(self._groups, self._groups[1:], strict=False)
        ]
        """What stands between a group and the next: blanks, hyphens and underscores are one."""

    def cards(self, amounts: set[int]) -> list[Found]:
        taken = self._elsewhere(amounts)
        found: list[Found] = []
        for printed in (True, False):
            first = 0
            while first < len(self._groups):
                begins = first not in taken and self._plain[self._groups[first][0]] in _FIRST_DIGITS
                last = self._last(first, taken, printed=printed) if begins else None
                if last is not None:
                    taken.update(range(first, last + 1))
                    found.append(self._found(first, last))
                first = first + 1 if last is None else last + 1
        return sorted(found, key=lambda one: one.start)

    def _found(self, first: int, last: int) -> Found:
        digits = "".join(self._digits[first : last + 1])
        return Found(self._groups[first][0], self._groups[last][1], "card", digits)

    def _elsewhere(self, amounts: set[int]) -> set[int]:
        """The groups that belong to an amount or to a date, which has three."""
        found = set()
        for at, (start, _) in enumerate(self._groups):
            if start in amounts:
                found.add(at)
            elif self._sizes[at] in (1, 2, 4) and DATE.match(self._plain, start):
                found.update((at, at + 1, at + 2))
        return found

    def _last(self, first: int, taken: set[int], *, printed: bool) -> int | None:
        """The last group of the card that begins with group `first`; `_LENGTHS` says which length wins where several fit."""
        fitting: dict[int, int] = {}
        length = 0
        for last in range(first, min(first + (_MOST_PRINTED if printed else _LONGEST), len(self._groups))):
            length += self._sizes[last]
            if last in taken or length > _LONGEST or not self._alike(first, last):
                break
            if length >= _SHORTEST and self._is_card(first, last, printed=printed):
                fitting[length] = last
        return next((fitting[length] for length in _LENGTHS if length in fitting), None)

    def _alike(self, first: int, last: int) -> bool:
        return last == first or self._between[last - 1] == self._between[first]

    def _is_card(self, first: int, last: int, *, printed: bool) -> bool:
        sizes = self._sizes[first : last + 1]
        halves = sizes in _HALVES and not self._between[first]
        if not (sizes in _LAYOUTS or halves if printed else _handwritten(sizes)):
            return False
        return is_card_number("".join(self._digits[first : last + 1]))


def _handwritten(sizes: tuple[int, ...]) -> bool:
    """A few short groups, or many of one size: single digits, pairs."""
    if max(sizes) > _MOST_DIGITS:
        return False
    if len(set(sizes[:-1])) == 1 and (sizes[0] == 1 or sum(sizes) >= 15):
        return True
    return len(sizes) <= (_MOST_MIXED if sum(sizes) >= 15 else _MOST_SHORT)
