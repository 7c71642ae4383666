"""The compliance check-list of calls: which of its phrases human agents have said, as recognisers write them down.

Big and small letters, marks and contractions make no difference, and a few small words may stand between those of a phrase: `this call is
recorded` is also said as `this call is now being recorded`. In Chinese 你 and 您 are one, and small characters may stand between.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

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
_NOT_DENIED = "(?<! not)(?<! never)(?<! 不)(?<! 没)(?<! 未)"

_SHORT = re.compile(r"(?<=[a-z])'(m|re|s|d|ve|ll)\b")
_LONG = {"m": " am", "re": " are", "s": " is", "d": " would", "ve": " have", "ll": " will"}
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[\u3400-\u9fff]|[^\W\d_]+")


def checks(checklist: Sequence[ChecklistItem], turns: Iterable[SaidTurn]) -> tuple[Check, ...]:
    """One result an item, in the list's order; `seq` is that of the first turn in which it was said."""
    spoken = [(turn.seq, spelled(turn.text)) for turn in turns if turn.side == "human_agent"]
    return tuple(_check(item, spoken) for item in checklist)


def _check(item: ChecklistItem, spoken: Sequence[tuple[int, str]]) -> Check:
    pattern = pattern_of(tuple(phrase for phrases in item.phrases.values() for phrase in phrases))
    looked_at = spoken[: item.within_turns]
    seq = next((seq for seq, text in looked_at if pattern.search(text)), None)
    return Check(id=item.id, passed=seq is not None, seq=seq)


def spelled(text: str) -> str:
    """A text as phrases are looked for in it: words parted by one blank, and before each a blank; none where there is no word."""
    plain = fold(text).text.translate(SIMPLIFIED).replace("您", "你")
    plain = _SHORT.sub(lambda match: _LONG[match[1]], plain)
    return "".join(f" {word}" for word in _WORD.findall(plain)) + " "


@lru_cache(maxsize=512)
def pattern_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Of any of the phrases, on what `spelled` gives. A phrase without a word matches nothing."""
    patterns = [_phrase(spelled(phrase).split()) for phrase in phrases]
    return re.compile("|".join(pattern for pattern in patterns if pattern) or "(?!)")


def _phrase(words: Sequence[str]) -> str:
    if not words:
        return ""
    parts = [f" {re.escape(words[0])}"]
    for word in words[1:]:
        small = _SMALL_HAN if HAN.match(word) else f"(?:{_SMALL})"
        parts.append(f"(?: {small}){{0,{_MOST_SMALL}}}? {re.escape(word)}")
    return f"{_NOT_DENIED}{''.join(parts)}(?= )"
