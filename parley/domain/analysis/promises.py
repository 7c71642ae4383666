"""Promises: what either side said that they, or the company, would do. Not what depends on an `if`, is asked, denied, or told of others.

The words stand in `promise_words`. What is done at once while the other side waits (`let me check that`) is none.
"""

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
    plain = words.SAID_BEFORE.sub(lambda match: " " * len(match[0]), words.TAG.sub("", plain))
    if sentence.turn.side == "customer" and words.THREAT.search(plain):
        return None
    if plain.endswith("?") or words.QUESTION.match(plain) or words.CONDITION.search(plain):
        return None
    patterns = _ENGLISH[sentence.turn.side]
    found = [match for pattern in patterns if (match := pattern.search(plain)) is not None]
    if not found:
        return None
    match = min(found, key=lambda each: each.start())
    if words.REPORTED.search(plain, 0, match.end()):
        return None
    looked = match.re is words.FIRST_PERSON and match["looked"] is not None
    return None if looked and not words.LATER.search(plain) else match.start()


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
    if sentence.turn.side == "customer":
        match = words.HAN_BY_CUSTOMER.search(han)
        taken_back = words.HAN_ASKS.search(han) or words.HAN_PAST.search(han)
        return match.start() if match and not taken_back else None
    found = [each for pattern in _CHINESE[sentence.turn.side] if (each := pattern.search(han)) is not None]
    if not found:
        return None
    match = min(found, key=lambda each: each.start())
    asked = words.HAN_ASKS.search(han, 0, match.end())
    at_once = words.HAN_LOOKS.search(han) and not words.LATER.search(han)
    return None if asked or at_once else match.start()


_CHINESE = {"human_agent": (words.HAN_BY_US, words.HAN_THINGS), "bot": (words.HAN_BY_US,)}
