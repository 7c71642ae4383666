"""Follow-ups: questions that cannot be understood without what was said before, such as `and for students?` or `那学生呢？`.

Whoever looks up, ranks or quotes asks here what belongs to a question; the question itself stays as the customer wrote it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from parley.domain.words import terms
from schemas.parts import HistoryTurn

TURNS = 4
"""So many of the customer's messages belong to a follow-up at most, and so many of what was said between."""
EARLIER = 0.8
"""What a term of the customer's message before counts beside the follow-up's own; each message further back this share of the one after it."""
FEW_TERMS, FEW_CHARACTERS = 2, 6
"""So short is a question, in telling terms or in Chinese characters, that refers to what was said, or whose intent is not known."""

_GOES_ON = re.compile(
    r"\s*(?:(?:ok(?:ay)?|yes|no|thanks|thank you|good|great|好的?|嗯|哦|是吗|谢谢)[\s,.!，。！]*)?"
    r"(?:(?:and|or|but|what about|how about|what if|and if|same|which one|why not)\b|那|还有|另外|如果|要是|换成|或者)",
    re.IGNORECASE,
)
_ENDS_AS_FOLLOW_UP = re.compile(
    r"(?<!什么)(?<!怎么)呢[\s?？。!！]*$|\b(?:too|as well|instead|then)\W*$", re.IGNORECASE
)
_ASKS_WHAT = re.compile(
    r"\b(?:what|how|when|where|why|which|who|whose)\b|怎么|怎样|如何|什么|多少|多久|多长|哪|几|为何|谁|啥",
    re.IGNORECASE,
)
_ASKS_WHETHER = re.compile(
    r"[?？]|(?:^|[,.!，。！]\s*|\b(?:and|or|but|so|then)\s+)"
    r"(?:can|could|may|do|does|did|is|are|was|were|will|would|should|shall|has|have|must)\b|[吗么]|呢\W*$|([能会要可是有])[不没]\1|可不可以|是否",
    re.IGNORECASE,
)
_AGREES = re.compile(
    r"^\W*(?:那|那么|那就)?(?:好|行|可以|对|是|嗯|谢|没问题|不用|麻烦)[的了吧啊呀哦谢您你是好就这样]*\W*$"
)
_REFERS = re.compile(
    r"\b(?:it|its|they|them|their|that|those|these|this|there|ones?|the same)\b|它|这个|那个|这些|那些|这里|那里|也",
    re.IGNORECASE,
)


class Before(NamedTuple):
    """What belongs to a question of what was said before it, oldest first: all of it, and the customer's part."""

    said: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


NOTHING = Before()


def before(question: str, history: Sequence[HistoryTurn], *, intent: str | None = None) -> Before:
    """Nothing for a question that stands alone. The question's own texts, with which the history ends, do not count as said before.

    It goes back to the last message of the customer's that stands alone.
    """
    if not history or not follows(question, understood=intent is not None):
        return NOTHING
    lines = list(history)
    while lines and lines[-1].speaker == "customer" and lines[-1].text in question:
        lines.pop()
    start, messages = len(lines), 0
    while start and messages < TURNS:
        start -= 1
        if lines[start].speaker == "customer":
            messages += 1
            if not follows(lines[start].text, understood=True):
                break
    found = lines[start:]
    return Before(
        tuple(line.text for line in found),
        tuple(line.text for line in found if line.speaker == "customer"),
    )


def follows(question: str, *, understood: bool) -> bool:
    """It goes on as if in the middle, refers to something while it says little itself, or says so little that its intent is not known."""
    if _GOES_ON.match(question) or _ENDS_AS_FOLLOW_UP.search(question):
        return True
    if not says_little(question):
        return False
    return not terms(question) or not understood or _REFERS.search(question) is not None


def goes_on_asking(text: str) -> bool:
    """Whether so few words ask for something, though only what was said before may tell for what: `and how long?`, and no `okay, that's fine`."""
    if _AGREES.match(text):
        return False
    follows_up = _GOES_ON.match(text) is not None or _ENDS_AS_FOLLOW_UP.search(text) is not None
    whether = _ASKS_WHETHER.search(text) is not None
    if _ASKS_WHAT.search(text) is not None:
        return True
    return (follows_up or whether) if terms(text) else (follows_up and whether)


def says_little(text: str) -> bool:
    """Whether it has few telling terms, or none."""
    found = dict.fromkeys(terms(text))
    words = [term for term in found if not _is_chinese(term)]
    characters = [term for term in found if _is_chinese(term) and len(term) == 1]
    return len(words) + len(characters) * FEW_TERMS / FEW_CHARACTERS <= FEW_TERMS


def _is_chinese(term: str) -> bool:
    return "\u3400" <= term[0] <= "\u9fff"


def weights(asked: Sequence[str]) -> dict[str, float]:
    """By term of the customer's messages before, oldest first, what it counts beside those of the question."""
    found: dict[str, float] = {}
    for turn, text in enumerate(reversed(asked), start=1):
        for term in terms(text):
            found.setdefault(term, EARLIER**turn)
    return found
