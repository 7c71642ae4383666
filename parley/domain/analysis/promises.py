"""Promises: what either side said that they, or the company, would do. Not what depends on an `if`, is asked, denied, or told of others.

The words stand in `promise_words`. What is done at once while the other side waits (`let me check that`) is none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from parley.domain.analysis import promise_words as words
from parley.domain.analysis.due import Calendar
from parley.domain.analysis.said import Sentence
from parley.domain.masking.found import without_placeholders
from schemas.analysis import Promise

MOST = 100
"""Of each conversation, the first ones: with longer lists a result might not fit into one record."""


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise and the sentence that makes it."""

    promise: Promise
    sentence: Sentence


def promises(said: Iterable[Sentence], calendar: Calendar) -> Iterator[Promised]:
    """In order, each once however often the same side says it in the same words; `MOST` at most."""
    seen: set[tuple[str, str]] = set()
    for sentence in said:
        behind = promised_at(sentence)
        key = (sentence.turn.side, sentence.plain)
        if behind is None or key in seen:
            continue
        seen.add(key)
        due = calendar.due(sentence.text, sentence.han or sentence.plain, behind, sentence.turn.at)
        turn = sentence.turn
        yield Promised(Promise(by=turn.side, text=sentence.text, seq=turn.seq, due=due), sentence)
        if len(seen) == MOST:
            return


def promised_at(sentence: Sentence) -> int | None:
    """Where a sentence begins to promise; None for one that does not."""
    found = _in_english(sentence) if sentence.english else None
    return found if found is not None or not sentence.chinese else _in_chinese(sentence)


def _in_english(sentence: Sentence) -> int | None:
    plain = without_placeholders(sentence.plain)
    if "'ll" not in plain and not any(sign in plain for sign in _SIGNS):
        return None
    plain = words.TAG.sub("", plain)
    for other in (words.SAID_BEFORE, words.ANNOUNCED, words.QUOTED):
        plain = other.sub(_blanks, plain)
    if sentence.turn.side == "customer" and words.THREAT.search(plain):
        return None
    if plain.endswith("?") or words.QUESTION.match(plain) or words.CONDITION.search(plain):
        return None
    if words.TAKEN_BACK.search(plain):
        return None
    patterns = _ENGLISH[sentence.turn.side]
    found = [match for pattern in patterns if (match := pattern.search(plain)) is not None]
    found = [match for match in found if not _is_denied(plain, match)]
    if not found:
        return None
    match = min(found, key=lambda each: each.start())
    if words.REPORTED.search(plain, 0, match.end()):
        return None
    looked = match.re is words.FIRST_PERSON and match["looked"] is not None
    return None if looked and not words.LATER.search(plain) else match.start()


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_denied(plain: str, match: re.Match[str]) -> bool:
    """Or what is done to who says it."""
    if words.NEVER_SAID.search(plain, 0, match.start()) or words.BUT_NOT.match(match[0]):
        return True
    return match.re is words.FIRST_PERSON and words.PASSIVE.match(plain, match.start()) is not None


_SIGNS = (
    " will",
    " shall",
    "going to",
    "gonna",
    "promise",
    "guarantee",
    "my word",
    "expect",
    " should",
    "'m ",
    "i am ",
    "we are ",
    "we're ",
    " coming",
    " visiting",
    " delivering",
    " picking",
)
_ENGLISH = {
    "customer": (words.FIRST_PERSON,),
    "human_agent": (words.FIRST_PERSON, words.BY_OTHERS, words.THINGS, words.IN_HAND),
    "bot": (words.FIRST_PERSON, words.BY_OTHERS),
}
"""What a bot says of things, it quotes: so it is in general."""


def _in_chinese(sentence: Sentence) -> int | None:
    han = without_placeholders(sentence.han)
    if words.HAN_NOT.search(han):
        return None
    han = words.HAN_SURE.sub(lambda match: "会" * len(match[0]), han)
    han = words.HAN_ANNOUNCED.sub(_commas, words.HAN_NO_DENIAL.sub(_commas, han))
    if sentence.turn.side == "customer":
        return _by_customer_in_chinese(han)
    found = [each for pattern in _CHINESE[sentence.turn.side] if (each := pattern.search(han)) is not None]
    found = [each for each in found if not words.HAN_DENIED.search(han, 0, each.start())]
    if not found:
        return None
    match = min(found, key=lambda each: each.start())
    asked = words.HAN_ASKS.search(han, 0, match.end())
    at_once = words.HAN_LOOKS.search(han) and not words.LATER.search(han)
    return None if asked or at_once else match.start()


def _by_customer_in_chinese(han: str) -> int | None:
    match = words.HAN_BY_CUSTOMER.search(han)
    if match is None or words.HAN_ASKS.search(han) or words.HAN_PAST.search(han):
        return None
    denied = words.HAN_DENIED.search(han, 0, match.start()) or words.HAN_OF_OTHERS.search(match[0])
    return None if denied else match.start()


def _commas(match: re.Match[str]) -> str:
    return "," * len(match[0])


_CHINESE = {"human_agent": (words.HAN_BY_US, words.HAN_THINGS), "bot": (words.HAN_BY_US,)}
