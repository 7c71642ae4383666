"""How turns sound, by the words of `sentiment_english` and `sentiment_chinese`, with what denies, strengthens and weakens them.

A turn's words are summed up and drawn into -1 to 1, so that each further word counts less. What people say out of politeness
(`thank you for calling`, `sorry to hear that`) is not looked at. A turn counts as neutral below `LEAST`.
"""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt

from parley.domain.analysis import sentiment_chinese as chinese
from parley.domain.analysis import sentiment_english as english
from parley.domain.analysis.said import Sentence
from schemas.analysis import Sentiment, TurnSentiment

LEAST = 0.25
MOST = 5_000
"""Turns that are listed: of a conversation with more, those that sound strongest."""

_SOFT = 6.0
"""The larger, the more words it takes to sound strongly."""
_DENIED = -0.6
_REACH = 3
"""Words within which one that denies or strengthens must stand before."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[.,;:!?]")
_STOP = frozenset(".,;:!?")
_ACKNOWLEDGED = re.compile(english.ACKNOWLEDGED)
_ENGLISH_SAYS = re.compile(rf"\b(?:{'|'.join(f'({pattern})' for pattern in english.SAYS)})(?![a-z'])")
_SAID = tuple(english.SAYS.values())
_ENGLISH_WITHOUT = re.compile(rf"\b(?:{'|'.join(english.WITHOUT)})\b")
_ENGLISH_PHRASES = re.compile(rf"\b(?:{'|'.join(f'({pattern})' for pattern in english.PHRASES)})\b")
_VALUES = tuple(english.PHRASES.values())
_CHINESE_WITHOUT = re.compile("|".join(chinese.WITHOUT))
_CHINESE_WORD = re.compile("|".join(sorted(chinese.WORDS, key=len, reverse=True)))
_CHINESE_MORE = sorted(chinese.MORE, key=len, reverse=True)


def score(said: Iterable[Sentence]) -> float:
    """Of the sentences of one turn, rounded to hundredths; 0 where it is neutral."""
    total = 0.0
    for sentence in said:
        if sentence.english:
            total += _of_english(_spoken(sentence))
        if sentence.chinese:
            total += _of_chinese(sentence.han)
    drawn = total / sqrt(total * total + _SOFT)
    return round(drawn, 2) if abs(drawn) >= LEAST else 0.0


def sentiment(scores: Mapping[int, float], customers: Sequence[int]) -> Sentiment:
    """`scores` by turn, `customers` the customer's turns in order, both by `seq`.

    The customer's is the mean of their turns that are not neutral: of all, of the first third and of the last third.
    """
    heard = [(seq, value) for seq, value in scores.items() if value]
    kept = (
        heard if len(heard) <= MOST else heapq.nlargest(MOST, heard, key=lambda one: (abs(one[1]), -one[0]))
    )
    third = -(-len(customers) // 3)
    return Sentiment(
        turns=tuple(TurnSentiment(seq=seq, score=value) for seq, value in sorted(kept)),
        customer=_mean(scores, customers),
        customer_began=_mean(scores, customers[:third]),
        customer_ended=_mean(scores, customers[-third:] if third else ()),
    )


def _mean(scores: Mapping[int, float], turns: Sequence[int]) -> float:
    heard = [value for seq in turns if (value := scores.get(seq, 0.0))]
    return round(sum(heard) / len(heard), 2) if heard else 0.0


def _spoken(sentence: Sentence) -> str:
    return sentence.plain if sentence.turn.side == "customer" else _ACKNOWLEDGED.sub("", sentence.plain)


def _of_english(plain: str) -> float:
    text = plain
    if any(sign in plain for sign in english.SIGNS_OF_SAYS):
        text = _ENGLISH_SAYS.sub(lambda match: _SAID[(match.lastindex or 1) - 1], plain)
    text = _ENGLISH_WITHOUT.sub(",", text)
    phrases = [_VALUES[(match.lastindex or 1) - 1] for match in _ENGLISH_PHRASES.finditer(text)]
    words = _WORD.findall(_ENGLISH_PHRASES.sub(",", text) if phrases else text)
    return sum(phrases) + sum(
        _weighed(words, at, english.WORDS[word]) for at, word in enumerate(words) if word in english.WORDS
    )


def _weighed(words: Sequence[str], at: int, value: float) -> float:
    for word in _before(words, at):
        if word in english.NOT:
            return value * _DENIED
        value *= english.MORE.get(word, 1.0)
    return value


def _before(words: Sequence[str], at: int) -> Iterator[str]:
    """The words before, nearest first, as far as they belong to it."""
    for word in reversed(words[max(0, at - _REACH) : at]):
        if word in _STOP:
            return
        yield word


def _of_chinese(han: str) -> float:
    text = _CHINESE_WITHOUT.sub(",", han)
    return sum(_weighed_chinese(text, match) for match in _CHINESE_WORD.finditer(text))


def _weighed_chinese(text: str, match: re.Match[str]) -> float:
    value = chinese.WORDS[match[0]]
    before = text[max(0, match.start() - 4) : match.start()]
    more = next((word for word in _CHINESE_MORE if before.endswith(word)), "")
    value *= chinese.MORE.get(more, 1.0)
    denied = before.removesuffix(more).endswith(chinese.NOT)
    return value * _DENIED if denied else value
