"""The summary: what the customer wanted, what was said to it, what was promised, and how it ended.

Everything in quotation marks was said; the words around it stand in `wording`. Nothing else is added, so a summary is as true as
the transcript.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from parley.domain import risks
from parley.domain.analysis import telling
from parley.domain.analysis.promises import Promised
from parley.domain.analysis.quoting import quoted
from parley.domain.analysis.said import SaidTurn, Sentence
from parley.domain.analysis.wording import Wording, wording_of
from parley.domain.words import terms
from schemas.analysis import Sentiment, Side, Topic

LONGEST = 4_000

_ENOUGH = 1.0
_QUOTES_EACH = 2
_TELLS = 0.5
"""That it speaks of what was wanted is not enough: it has to say something of it."""
_PROMISED = 1.5
"""What the customer promises is told elsewhere."""
_PROMISES = 3
_FIRST_SENTENCES = 20
"""The customer says what they want at the beginning: of so many sentences the earlier ones count for more."""
_CANDIDATES = 12
_FEWEST_WORDS = 7
"""Of what is quoted although it tells little."""
_LAST_TURNS = 3
_UNHAPPY = -0.3
_COMPANY: tuple[Side, ...] = ("human_agent", "bot")
_THANKS = re.compile(
    r"(?<!no )(?<!not )(?<!can't )\b(?:thanks?|thank you|cheers)\b(?! (?:(?:so much|a lot|very much) )?for nothing)"
    r"|(?:can't|cannot|can not) thank you enough|\b(?:i|we)(?: (?:really|do|very much|so|truly))* appreciate\b|(?<!不用)(?<!不)(?<!别)谢(?!.{0,6}(?:什么都没|什么也没|啥也没|个头))|感激"
)
_NO_MORE = re.compile(
    r"\b(?:that's|that is|that'll be|that will be|that was) (?:all|it|everything)\b|\bnothing else\b|\bno(?:,)? thank|\bi'm (?:good|all set)\b|没有了|没了|没其他|没别的|就这些|不用了|没问题了"
)


class Talk:
    """A conversation's sentences, by who said them, and how each turn sounds (by `seq`)."""

    def __init__(self, turns: Sequence[SaidTurn], said: Sequence[Sentence], scores: dict[int, float]) -> None:
        self.turns = turns
        self.scores = scores
        self.customers = [turn for turn in turns if turn.side == "customer"]
        self.by_customer = [one for one in said if one.turn.side == "customer"]
        self.by_company = [one for one in said if one.turn.side in _COMPANY]


def summary(
    talk: Talk,
    need: Sequence[Sentence],
    topics: Sequence[Topic],
    promised: Sequence[Promised],
    sentiment: Sentiment,
    language: str,
) -> str:
    """Three to five sentences; fewer where little was said. `need` is what `wanted` found."""
    words = wording_of(language)
    if not talk.by_customer and not talk.by_company:
        return words.nothing_said
    parts = [
        _topic(topics, words),
        _quotes(words.wanted, need, words)
        or (words.customer_brief if talk.by_customer else words.customer_silent),
        _risks(talk.customers, words),
        *_by_side(_answered(talk, need, ids_of(promised)), words),
        *_promised(_promises(promised), words),
    ]
    told = [part for part in parts if part]
    told = [words.hardly_anything] if told == [words.customer_brief] else told
    return words.between.join([*told, _ending(talk, sentiment, need, words)])[:LONGEST]


def ids_of(promised: Iterable[Promised]) -> frozenset[int]:
    """Of the sentences that promise: equal ones may have been said twice."""
    return frozenset(id(one.sentence) for one in promised)


# -- what the customer wanted ---------------------------------------------------------------------------------------------


def wanted(talk: Talk, promised: Collection[int]) -> list[Sentence]:
    """The sentence that tells it best, with a neighbour that tells it nearly as well."""
    worth = [
        _want(at, sentence) - _PROMISED * (id(sentence) in promised)
        for at, sentence in enumerate(talk.by_customer)
    ]
    best = max(range(len(worth)), key=worth.__getitem__, default=None)
    if best is None:
        return []
    if worth[best] < _ENOUGH:
        return _longest(talk.by_customer[:_FIRST_SENTENCES])
    near = [at for at in (best - 1, best + 1, best + 2) if 0 <= at < len(worth) and worth[at] >= 2]
    second = max(near, key=worth.__getitem__, default=best)
    return [talk.by_customer[at] for at in sorted({best, second})]


def _want(at: int, sentence: Sentence) -> float:
    early = 1.5 * max(0.0, 1 - at / _FIRST_SENTENCES)
    read = 0.7 * bool(sentence.turn.intents) + 1.5 * any(
        risk.evidence in sentence.text for risk in sentence.turn.risks
    )
    return telling.of_want(sentence) + early + read


def _longest(said: Iterable[Sentence], words: int = telling.FEW_WORDS) -> list[Sentence]:
    some = [one for one in said if telling.words_in(one) >= words and not telling.is_formula(one)]
    return sorted(some, key=lambda one: -len(one.text))[:1]


# -- what was said to it --------------------------------------------------------------------------------------------------


def _answered(talk: Talk, need: Sequence[Sentence], promised: Collection[int]) -> list[Sentence]:
    """The company's sentences that say most, and of these those that speak of what was wanted; in order."""
    others = [one for one in talk.by_company if id(one) not in promised]
    ranked = sorted(enumerate(others), key=lambda one: (-telling.of_answer(one[1]), one[0]))
    asked = {term for one in need for term in terms(one.text)}
    last = max(len(others) - 1, 1)
    worth = {
        at: telling.of_answer(one)
        + min(1.6, 0.8 * len(asked.intersection(terms(one.text))))
        + 0.5 * at / last
        for at, one in islice(ranked, _CANDIDATES)
        if telling.of_answer(one) >= _TELLS
    }
    good = [at for at in sorted(worth, key=lambda at: (-worth[at], at)) if worth[at] >= _ENOUGH]
    found = _without_repeats(others[at] for at in good)[:_QUOTES_EACH]
    if not found and not promised:
        found = _longest((one for one in others if not telling.is_question(one)), _FEWEST_WORDS)
    return sorted(found, key=lambda one: (one.turn.seq, others.index(one)))


def _without_repeats(said: Iterable[Sentence]) -> list[Sentence]:
    return list({one.plain: one for one in reversed(list(said))}.values())[::-1]


# -- what was promised ----------------------------------------------------------------------------------------------------


def _promises(promised: Sequence[Promised]) -> list[Promised]:
    """Those with a day first, then the latest: what stands at the end holds."""
    ranked = sorted(promised, key=lambda one: (one.promise.due is None, -one.promise.seq))
    return sorted(ranked[:_PROMISES], key=lambda one: one.promise.seq)


def _promised(promised: Sequence[Promised], words: Wording) -> list[str]:
    found = []
    for side, name in words.sides.items():
        shown = [_with_day(one, words) for one in promised if one.promise.by == side]
        if shown:
            found.append(words.promised.format(who=name, quotes=words.between.join(shown)))
    return sorted(found, key=lambda one: one.startswith(words.sides["customer"]))


def _with_day(one: Promised, words: Wording) -> str:
    due = one.promise.due
    return quoted(one.promise.text) + (words.due.format(day=words.date(due)) if due is not None else "")


# -- all around -----------------------------------------------------------------------------------------------------------


def _topic(topics: Sequence[Topic], words: Wording) -> str:
    known = [topic.label for topic in topics if topic.intent is not None][:_QUOTES_EACH]
    return words.topic.format(topic=words.comma.join(known)) if known else ""


def _risks(customers: Sequence[SaidTurn], words: Wording) -> str:
    kinds = {risk.kind for turn in customers for risk in turn.risks}
    names = [words.risk_names[kind] for kind in risks.GRAVEST_FIRST if kind in kinds]
    return words.risks.format(names=words.comma.join(names)) if names else ""


def _by_side(said: Sequence[Sentence], words: Wording) -> list[str]:
    return [
        _quotes(words.said, [one for one in said if one.turn.side == side], words, words.sides[side])
        for side in _COMPANY
    ]


def _quotes(template: str, said: Sequence[Sentence], words: Wording, who: str = "") -> str:
    shown = [text for one in said if (text := quoted(one.text))]
    return template.format(who=who, quotes=words.between.join(shown)) if shown else ""


def _ending(talk: Talk, sentiment: Sentiment, need: Sequence[Sentence], words: Wording) -> str:
    last = talk.customers[-_LAST_TURNS:]
    thanked = any(_THANKS.search(turn.text.lower()) for turn in last)
    felt = [value for turn in last if (value := talk.scores.get(turn.seq, 0.0))]
    if sentiment.customer_ended <= _UNHAPPY and sum(felt) < 0 and felt[-1] < 0:
        worst = min(last, key=lambda turn: talk.scores.get(turn.seq, 0.0))
        said = [one for one in talk.by_customer if one.turn is worst and one not in need]
        if said:
            return _quotes(words.unhappy, _longest(said) or said[:1], words)
    if thanked:
        return words.thanked
    if any(_NO_MORE.search(turn.text.lower()) for turn in last):
        return words.no_more_questions
    return _length(talk.turns, words)


def _length(turns: Sequence[SaidTurn], words: Wording) -> str:
    seconds = ((turns[-1].end or turns[-1].at) - turns[0].at).total_seconds()
    minutes = round(seconds / 60)
    shown = words.minutes.format(minutes=minutes) if minutes > 0 else ""
    return words.length.format(turns=len(turns), minutes=shown)
