"""The regular expressions in which tenants write their numbers: a part of the language that cannot be slow, read and checked here.

`[A-Z]{2}-?[0-9]{8}`: characters, lists of them, `\\d`, groups, alternatives, and counts that say how often at most. What may be tried in how
many ways is counted, so no text makes a search slow, however it was made. A shape is read as text is when rules see it
(`parley.domain.masking.folding`): in small letters and ASCII digits.
"""

from dataclasses import dataclass

from parley.domain.masking.folding import fold

MOST_WAYS = 256
"""In which an expression may be tried at one place of a text: `[0-9]{5,8}` has four, `(?:[0-9]{4} ?){4}` sixteen."""
FEWEST_DIGITS = 3
LONGEST = 40
_MANY = 10**9
"""Beyond it nobody counts: numbers of ways grow out of all bounds in a few brackets."""
_META = ".^$*+?{}[]()|\\"
_DIGITS, _LETTERS = frozenset("0123456789"), frozenset("abcdefghijklmnopqrstuvwxyz")


class ShapeRefused(ValueError):
    """An expression that is none of ours; the text says at which character, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`written` for Python's `re`; how long it is, how many digits it has at least, in how many ways it may be tried, of what it is made."""

    written: str
    shortest: int
    longest: int
    digits: int
    ways: int
    made_of: frozenset[str] = frozenset()

    def then(self, other: "Shape") -> "Shape":
        return Shape(
            self.written + other.written,
            self.shortest + other.shortest,
            self.longest + other.longest,
            self.digits + other.digits,
            self.ways * other.ways,
            self.made_of | other.made_of,
        )

    def otherwise(self, other: "Shape") -> "Shape":
        return Shape(
            f"{self.written}|{other.written}",
            min(self.shortest, other.shortest),
            max(self.longest, other.longest),
            min(self.digits, other.digits),
            self.ways + other.ways,
            self.made_of | other.made_of,
        )

    def repeated(self, least: int, most: int) -> "Shape":
        count = "?" if (least, most) == (0, 1) else f"{{{least}}}" if least == most else f"{{{least},{most}}}"
        return Shape(
            self.written + count,
            self.shortest * least,
            self.longest * most,
            self.digits * least,
            min(sum(self.ways**times for times in range(least, most + 1)), _MANY),
            self.made_of,
        )


_NOTHING = Shape("", 0, 0, 0, 1)


def shape_of(regex: str) -> Shape:
    """Raises `ShapeRefused`."""
    shape = _Reader(regex).whole()
    if shape.shortest == 0:
        raise ShapeRefused("matches the empty text; say what must be there")
    if shape.longest > LONGEST:
        raise ShapeRefused(f"matches up to {shape.longest} characters; at most {LONGEST}")
    if shape.digits < FEWEST_DIGITS:
        raise ShapeRefused(
            f"matches what has {shape.digits} digits; at least {FEWEST_DIGITS}, or words would be masked"
        )
    if shape.ways > MOST_WAYS:
        raise ShapeRefused(
            f"would be slow: it may be tried in {shape.ways} ways at each place of a text; at most {MOST_WAYS}. "
            "Fewer choices: counts within counts multiply"
        )
    return shape


class _Reader:
    """Recursive descent; `_at` is the character that is read next."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._at = 0

    def whole(self) -> Shape:
        shape = self._alternatives()
        if self._at < len(self._regex):
            raise self._refused(") without its (")
        return shape

    def _next(self) -> str:
        return self._regex[self._at : self._at + 1]

    def _take(self) -> str:
        taken = self._next()
        self._at += 1
        return taken

    def _refused(self, words: str) -> ShapeRefused:
        return ShapeRefused(f"character {self._at + 1}: {words}")

    def _alternatives(self) -> Shape:
        shape = self._sequence()
        while self._next() == "|":
            self._take()
            shape = shape.otherwise(self._sequence())
        return shape

    def _sequence(self) -> Shape:
        shape = _NOTHING
        while self._next() not in ("", "|", ")"):
            shape = shape.then(self._counted())
        return shape

    def _counted(self) -> Shape:
        shape = self._one()
        sign = self._next()
        if sign == "?":
            self._take()
            shape = shape.repeated(0, 1)
        elif sign == "{":
            shape = shape.repeated(*self._count())
        if self._next() in ("*", "+"):
            raise self._refused("* and + have no end; say how often at most, such as {1,8}")
        if self._next() in ("?", "{"):
            raise self._refused("one count a place")
        return shape

    def _count(self) -> tuple[int, int]:
        begin = self._at
        end = self._regex.find("}", begin)
        least, comma, most = self._regex[begin + 1 : end].partition(",") if end > 0 else ("", "", "")
        if not (least.isascii() and least.isdigit()) or (comma and not (most.isascii() and most.isdigit())):
            raise self._refused("a count is {8} or {5,8}")
        low, high = int(least), int(most or least)
        if not low <= high <= LONGEST or high == 0:
            raise self._refused(f"a count goes from the fewer to the more, at most {LONGEST}")
        self._at = end + 1
        return low, high

    def _one(self) -> Shape:
        if self._next() == "(":
            return self._group()
        if self._next() == "[":
            return self._list()
        if self._next() == "\\":
            characters = self._escaped()
        elif self._next() in _META:
            raise self._refused(
                _WHY.get(self._next(), f"{self._next()} stands for itself only as \\{self._next()}")
            )
        else:
            characters = self._folded(self._take())
        return _any_of(characters)

    def _group(self) -> Shape:
        begin = self._at
        self._take()
        if self._next() == "?":
            if self._regex[self._at : self._at + 2] != "?:":
                raise self._refused("of the groups that begin with (? only (?:…) is allowed")
            self._at += 2
        shape = self._alternatives()
        if self._take() != ")":
            self._at = begin
            raise self._refused("( without its )")
        return Shape(
            f"(?:{shape.written})", shape.shortest, shape.longest, shape.digits, shape.ways, shape.made_of
        )

    def _list(self) -> Shape:
        begin = self._at
        self._take()
        if self._next() == "^":
            raise self._refused("[^…] is anything but; say what may be there")
        characters: frozenset[str] = frozenset()
        while self._next() not in ("]", ""):
            characters |= self._range()
        if self._take() != "]" or not characters:
            self._at = begin
            raise self._refused("a list is [ and ] with at least one character between them")
        return _any_of(characters)

    def _range(self) -> frozenset[str]:
        low = self._listed()
        if self._next() != "-" or self._regex[self._at + 1 : self._at + 2] in ("]", ""):
            return low
        self._take()
        high = self._listed()
        if len(low) != 1 or len(high) != 1 or not min(low) <= min(high):
            raise self._refused("a range goes from one character to a later one, such as 0-9")
        if not any(low | high <= whole for whole in (_DIGITS, _LETTERS)):
            raise self._refused("a range is of digits or of letters of one case")
        return frozenset(map(chr, range(ord(min(low)), ord(min(high)) + 1)))

    def _listed(self) -> frozenset[str]:
        return self._escaped() if self._next() == "\\" else self._folded(self._take())

    def _escaped(self) -> frozenset[str]:
        self._take()
        sign = self._take()
        if sign == "d":
            return _DIGITS
        if not sign or sign.isalnum():
            self._at -= 1
            raise self._refused(rf"of escapes \d and those of signs, such as \., are allowed, not \{sign}")
        return self._folded(sign)

    def _folded(self, character: str) -> frozenset[str]:
        folded = fold(character).text
        if not folded:
            self._at -= 1
            raise self._refused("a character that is not seen is not looked for")
        return frozenset(folded)


def _any_of(characters: frozenset[str]) -> Shape:
    ordered = "".join(f"\\{each}" if each in _META + "-^ " else each for each in sorted(characters))
    written = "[0-9]" if characters == _DIGITS else ordered if len(characters) == 1 else f"[{ordered}]"
    return Shape(written, 1, 1, int(characters <= _DIGITS), 1, characters)


_WHY = {
    ".": r". is any character; say what may be there, or \. for the stop itself",
    "^": "^ is not needed: a number is found only where it stands alone",
    "$": "$ is not needed: a number is found only where it stands alone",
    "*": "* has nothing before it",
    "+": "+ has nothing before it",
    "?": "? has nothing before it",
    "{": "a count has nothing before it",
}
