"""The compliance check-list of calls: which of its phrases human agents have said, as recognisers write them down.

Big and small letters, marks and contractions make no difference, and a few small words may stand between those of a phrase: `this call is
recorded` is also said as `this call is now being recorded`. In Chinese 你 and 您 are one, and small characters may stand between.
What is denied (`denied`) was not said.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from parley.domain.analysis.denied import denied
from parley.domain.analysis.said import HAN, SaidTurn
from parley.domain.masking.folding import fold
from parley.domain.risks.chinese import SIMPLIFIED
from schemas.analysis import Check
from schemas.tenant import ChecklistItem

_BETWEEN = """
a an the this that is are am was be being been will may might can could would please just now also your my our you i we of to for and on in at it
today quickly first all so well sir madam
"""
_SMALL = "|".join(sorted(_BETWEEN.split(), key=len, reverse=True))
_SMALL_HAN = "[你我们这边呢啊哦嗯的了吧到一下请就也先都会将要能可以被正在是]"
_MOST_SMALL = 3
_BLANK = r"[ \t\n\v]"
_SHORTEST_PARTED = 3
"""Characters of a Chinese phrase; between those of a shorter one stands nothing: 你这边好 is no 你好."""
_NO_GREETING = "(?! [像几多久些长难不奇容])"
"""Behind 好: 你好像 greets nobody."""

_SHORT = re.compile(r"(?<=[a-z])'(m|re|s|d|ve|ll)\b")
_LONG = {"m": " am", "re": " are", "s": " is", "d": " would", "ve": " have", "ll": " will"}
_NOT = re.compile(
    r"\b(?:(?P<will>wo)|(?P<can>ca)|(?P<verb>do|does|did|is|was|are|were|have|has|had|would|could|should|need|must))n'?t\b|\b(?P<cannot>cannot)\b|\bai(?:n't|nt)\b"
)
_TOKEN = re.compile(
    r"(?P<word>[a-z0-9]+(?:'[a-z]+)?|[\u3400-\u9fff]|[^\W\d_]+)|(?P<question>\?)|(?P<end>[!。;\n…]|\.(?!\d))|(?P<pause>[:、()\"]|,(?!\d)| - )"
)
_PARTED = {"question": "\v", "end": "\n", "pause": "\t"}


def checks(checklist: Sequence[ChecklistItem], turns: Iterable[SaidTurn]) -> tuple[Check, ...]:
    """One result an item, in the list's order; `seq` is that of the first turn in which it was said."""
    spoken = [(turn.seq, spelled(turn.text)) for turn in turns if turn.side == "human_agent"]
    return tuple(_check(item, spoken) for item in checklist)


def _check(item: ChecklistItem, spoken: Sequence[tuple[int, str]]) -> Check:
    pattern = pattern_of(tuple(phrase for phrases in item.phrases.values() for phrase in phrases))
    looked_at = spoken[: item.within_turns]
    seq = next((seq for seq, text in looked_at if _is_said(pattern, text)), None)
    return Check(id=item.id, passed=seq is not None, seq=seq)


def _is_said(pattern: re.Pattern[str], text: str) -> bool:
    """Phrases may begin within each other."""
    match = pattern.search(text)
    while match is not None and denied(text, match.start(), match.end()):
        match = pattern.search(text, match.start() + 1)
    return match is not None


def spelled(text: str) -> str:
    """A text as phrases are looked for in it: before each word, and at the end, a blank, or what `denied` reads in place of a mark."""
    plain = fold(text).text.translate(SIMPLIFIED).replace("您", "你")
    plain = _NOT.sub(_without_contraction, _SHORT.sub(lambda match: _LONG[match[1]], plain))
    written: list[str] = []
    blank = " "
    for match in _TOKEN.finditer(plain):
        if match["word"]:
            written.append(f"{blank}{match[0]}")
            blank = " "
        else:
            blank = max(blank, _PARTED[str(match.lastgroup)], key=" \t\n\v".index)
    return "".join(written) + blank


def _without_contraction(match: re.Match[str]) -> str:
    if match["will"]:
        return "will not"
    return "can not" if match["can"] or match["cannot"] else f"{match['verb'] or 'is'} not"


@lru_cache(maxsize=512)
def pattern_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Of any of the phrases, on what `spelled` gives. A phrase without a word matches nothing."""
    patterns = [_phrase(spelled(phrase).split()) for phrase in phrases]
    return re.compile("|".join(pattern for pattern in patterns if pattern) or "(?!)")


def _phrase(words: Sequence[str]) -> str:
    if not words:
        return ""
    most = _MOST_SMALL if len(words) >= _SHORTEST_PARTED or not HAN.match(words[-1]) else 0
    parts = [f"{_BLANK}{re.escape(words[0])}"]
    for word in words[1:]:
        small = _SMALL_HAN if HAN.match(word) else f"(?:{_SMALL})"
        parts.append(f"(?:{_BLANK}{small}){{0,{most}}}?{_BLANK}{re.escape(word)}")
    ending = _NO_GREETING if words[-1] == "好" else ""
    return f"{''.join(parts)}(?={_BLANK}){ending}"
