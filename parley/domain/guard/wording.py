"""What is the machine's own and belongs in no answer: broken characters, control tokens, and the words of a model's instructions.

A model that fails writes such things. None of them is a fact, so none is compared as facts are; but what the passages say may be said.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from parley.domain.guard.signs import SIGN
from parley.domain.prompting import NO_ANSWER
from parley.domain.remembering import remembering

GARBLED = "\ufffd"
"""Stands for bytes that are no character, such as half of a Chinese one."""
_BROKEN = re.compile(rf"[^\s。！？；]{{0,4}}{GARBLED}[^\s。！？；]{{0,4}}")
"""With what stands around it, which tells whether a source's is quoted."""

_CONTROL = re.compile(
    r"<[ ]?[|｜][^|｜<>\n]{1,40}[|｜][ ]?>|<[|｜]|(?<=\w)[|｜]>|</?(?:sources|think)>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>"
)
"""Of chat templates, whole, taken apart (`parley.domain.prompting.without_control`), or one end of them; and what stands around sources."""
CONTROL_SIGNS = frozenset("<>[｜")
"""Every match of `_CONTROL` has one of these."""

ROW = 60
"""So much in the order of the instructions is theirs; less stands in any text. Six words weigh it, ten Chinese characters, or twenty kana."""
SHORTEST = 48
"""A whole sentence of the instructions may weigh as little as this: five words, eight Chinese characters."""
_WORD_WEIGHT, _HAN_WEIGHT, _KANA_WEIGHT = 10, 6, 3

_HAN = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f"
_LETTERS = rf"[^\W\d_{_HAN}{_KANA}]"
_MARKS = "".join(mark for mark in map(chr, range(0x300, 0x1B00)) if unicodedata.category(mark)[0] == "M")
"""Accents by themselves, and the vowels of Hindi or Thai: they belong to the letter before them."""
_WORD = re.compile(rf"[{_HAN}{_KANA}]|{_LETTERS}+(?:[{_MARKS}]+{_LETTERS}*)*")
_IS_HAN = re.compile(f"[{_HAN}]")
_IS_KANA = re.compile(f"[{_KANA}]")
_IN_WORDS = rf"[^\W_{_HAN}{_KANA}]"
"""Letters and figures between which no word begins or ends."""

_DICTATED = r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|「[^」\n]{1,400}」|『[^』\n]{1,400}』"
"""What instructions put in quotation marks is to be said as it stands there."""
_CUT = "\0"
_SENTENCE_END = re.compile(rf"(?:(?<!\b\w)\.|[!?;:])(?=[\s)\]\"'”’{_CUT}]|$)|[。！？；：]|\n(?![ \t]*[a-z])")
"""Not the point of `3.5` or `e.g.`, and no line break within a sentence."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """Rows of words that are the instructions' own, as `_joined` writes them, by a sign (`SIGN`) that each of them has."""

    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def may_stand_in(self, found: Iterable[str]) -> bool:
        """Whether a text of these signs can have any row; most cannot."""
        return not self.rows.keys().isdisjoint(found)

    def repeated(self, text: str, found: Iterable[str]) -> list[str]:
        """The rows that stand in a text; `found` are its signs."""
        signs = self.rows.keys() & found
        if not signs:
            return []
        words = _joined(words_of(text))
        return [row for sign in signs for row in self.rows[sign] if row in words]


@remembering(256)
def instructions_of(texts: tuple[str, ...], names: tuple[str, ...] = ()) -> Instructions:
    """Of what a model is told. Left out is what it shall say: `names`, such as the assistant's, and what stands in quotation marks."""
    said = _to_be_said(names)
    sentences = [part for text in texts for part in _SENTENCE_END.split(said.sub(_CUT, text))]
    return Instructions(_by_sign(dict.fromkeys(row for each in sentences for row in _rows_of(each))))


def wrong_wording(
    text: str, found: Sequence[str], instructions: Instructions, sources: Sequence[str]
) -> list[str]:
    """Which of these rules a text breaks; `found` are its signs in order (`SIGN`). `sources` are read where it has something of the kind."""
    violations = []
    if GARBLED in text and not all(_stands_in(sources, broken[0]) for broken in _BROKEN.finditer(text)):
        violations.append("garbled")
    if not CONTROL_SIGNS.isdisjoint(found) and not all(
        _stands_in(sources, token[0], _whole(token[0])) for token in _CONTROL.finditer(text)
    ):
        violations.append("control")
    if (NO_ANSWER in text and not _stands_in(sources, NO_ANSWER)) or not _all_in(
        instructions.repeated(text, found), sources
    ):
        violations.append("instructions")
    return violations


def words_of(text: str) -> list[str]:
    """In small letters: runs of letters, and Chinese characters and kana each by itself."""
    return _WORD.findall(text.lower())


def _stands_in(sources: Sequence[str], *forms: str) -> bool:
    return any(form in source for source in sources for form in forms)


def _whole(token: str) -> str:
    """A control token as it stood before it was taken apart."""
    return token[0] + token[1:].removeprefix(" ")


def _to_be_said(names: Iterable[str]) -> re.Pattern[str]:
    """The longest name first, since one may begin another; in any case, and with any white space between its words."""
    longest_first = sorted({name.strip() for name in names} - {""}, key=lambda name: (-len(name), name))
    return re.compile("|".join([_DICTATED, *map(_name_pattern, longest_first)]), re.IGNORECASE)


def _name_pattern(name: str) -> str:
    """A name in letters is no part of a longer word; Chinese ones have nothing between them and the next word."""
    before = f"(?<!{_IN_WORDS})" if re.match(_IN_WORDS, name[0]) else ""
    after = f"(?!{_IN_WORDS})" if re.match(_IN_WORDS, name[-1]) else ""
    return before + r"\s+".join(map(re.escape, name.split())) + after


def _rows_of(sentence: str) -> Iterator[str]:
    """The shortest rows of `ROW` from each word on, which none may leave out; of a shorter sentence, where nothing was cut out, all of it."""
    parts = sentence.split(_CUT)
    for part in parts:
        words = words_of(part)
        ends = [0, *accumulate(map(_weight, words))]
        for at in range(len(words)):
            end = bisect_left(ends, ends[at] + ROW, at)
            if end < len(ends):
                yield _joined(words[at:end])
        if len(parts) == 1 and SHORTEST <= ends[-1] < ROW:
            yield _joined(words)


def _weight(word: str) -> int:
    if _IS_HAN.match(word):
        return _HAN_WEIGHT
    return _KANA_WEIGHT if _IS_KANA.match(word) else _WORD_WEIGHT


def _joined(words: Iterable[str]) -> str:
    """With a blank on each side of every word: a row stands in a text where one string stands in the other."""
    return f" {' '.join(words)} "


def _by_sign(rows: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By few signs, and long ones, since those are rare in answers. A row's signs are in every text that has the row."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        signs = SIGN.findall(row)
        sign = next((each for each in signs if each in found), None) or max(reversed(signs), key=len)
        found[sign] = (*found.get(sign, ()), row)
    return found


def _all_in(rows: Sequence[str], sources: Iterable[str]) -> bool:
    """Whether each of these rows stands in a source, too."""
    left = list(rows)
    for source in sources if left else ():
        words = _joined(words_of(source))
        left = [row for row in left if row not in words]
    return not left
