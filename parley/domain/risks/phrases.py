"""The notation of the lexicons, and what it means: a phrase becomes a pattern, and the letters that every match of it holds.

A phrase is read word by word. `(a|b c)` is one of several, `(a )?` may be missing, `(a )*` may be said several times, `word*` has any
ending, `{name}` is a group of words that several phrases share, `..` lets a few words pass and `...` twice as many, `^` and `$` are the ends of the message (greetings and
please do not count). An apostrophe may be left out, as people do.

Trying some hundred patterns on each message would take milliseconds. So each phrase has its `signs`: for every word that must be there,
the letters with which it may begin. A text that lacks all of one word's is not searched, and whether it does is a look into a set.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\.\.\.|\.\.|\{[a-z_]+\}\*?|\)[?*]|[()|^$ *']|[^()|^$ *'.{}?]+|.")
_CLOSING = {")": "", ")?": "?", ")*": "{0,4}"}

Sign = frozenset[str]
_LONGEST_SIGN = 3


@dataclass(frozen=True, slots=True)
class Phrase:
    """`signs`: of each, one must be among the letters of a text (`letters_of`) that the pattern matches. The rarest comes first."""

    pattern: re.Pattern[str]
    signs: tuple[Sign, ...]

    def may_be_in(self, letters: frozenset[str]) -> bool:
        for sign in self.signs:  # noqa: SIM110  # a generator takes three times as long
            if sign.isdisjoint(letters):
                return False
        return True


def letters_of(plain: str) -> frozenset[str]:
    """All that stands side by side in a text, up to the length of a sign."""
    return frozenset(
        plain[at : at + length] for length in range(1, _LONGEST_SIGN + 1) for at in range(len(plain))
    )


@dataclass(frozen=True, slots=True)
class Script:
    """How the marks of the notation are written as a pattern in one script."""

    blank: str
    few: str
    many: str
    ending: str
    begins: str
    ends: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern. Without signs nothing is sure to be in a text that matches it."""

    pattern: str
    signs: tuple[Sign, ...] = ()


def _how_common(sign: Sign) -> tuple[int, int]:
    """The fewer ways to begin, and the longer these are, the rarer."""
    return len(sign), -min(map(len, sign))


class Reader:
    """Reads the phrases of one lexicon."""

    def __init__(self, script: Script, groups: Mapping[str, str]) -> None:
        self._script = script
        self._groups = groups

    def read(self, phrase: str) -> Phrase:
        tokens = list(self._tokens(phrase))
        part = self._either(tokens)
        if tokens or not part.signs:
            raise ValueError(f"a phrase needs matching brackets and a word that must be there: {phrase}")
        pattern = re.compile(f"{self._script.begins}(?:{part.pattern}){self._script.ends}")
        return Phrase(pattern, tuple(sorted(part.signs, key=_how_common)))

    def _tokens(self, phrase: str) -> Iterator[str]:
        for token in _TOKEN.findall(phrase.replace(" .. ", "..").replace(" ... ", "...")):
            if token.startswith("{"):
                closing = ")*" if token.endswith("*") else ")"
                yield from ("(", *self._tokens(self._groups[token.strip("{}*")]), closing)
            else:
                yield token

    def _either(self, tokens: list[str]) -> _Part:
        """What stands between brackets, up to the closing one; takes the tokens that it reads."""
        branches = [self._row(tokens)]
        while tokens and tokens[0] == "|":
            tokens.pop(0)
            branches.append(self._row(tokens))
        if len(branches) == 1:
            return branches[0]
        sure = all(branch.signs for branch in branches)
        signs: Sign = frozenset().union(*(min(branch.signs, key=len) for branch in branches if branch.signs))
        return _Part("|".join(branch.pattern for branch in branches), (signs,) if sure else ())

    def _row(self, tokens: list[str]) -> _Part:
        parts: list[_Part] = []
        while tokens and tokens[0] != "|" and tokens[0] not in _CLOSING:
            token = tokens.pop(0)
            parts.append(self._bracket(tokens) if token == "(" else self._mark(token))
        signs = tuple(sign for part in parts for sign in part.signs)
        return _Part("".join(part.pattern for part in parts), signs)

    def _bracket(self, tokens: list[str]) -> _Part:
        inner = self._either(tokens)
        if not tokens:
            raise ValueError("a bracket is not closed")
        closing = tokens.pop(0)
        repeated = _CLOSING[closing]
        return _Part(f"(?:{inner.pattern}){repeated}", () if repeated else inner.signs)

    def _mark(self, token: str) -> _Part:
        script = self._script
        marks = {" ": script.blank, "..": script.few, "...": script.many, "*": script.ending}
        marks |= {"'": "'?", "^": script.first, "$": script.last}
        if token in marks:
            return _Part(marks[token])
        if token in "?.{}":
            raise ValueError(f"a phrase has no mark {token}")
        return _Part(re.escape(token), (frozenset({token[:_LONGEST_SIGN]}),))
