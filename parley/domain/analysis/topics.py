"""What a conversation was about: intents of the customer's turns, or the words that they say again and again."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from parley.domain import wordlists
from parley.domain.analysis.said import SaidTurn
from parley.domain.analysis.sentiment_english import WORDS as FEELINGS
from parley.domain.masking.folding import fold
from parley.domain.masking.found import without_placeholders
from parley.domain.risks.chinese import SIMPLIFIED
from parley.domain.words import stem
from schemas.analysis import Topic
from schemas.tenant import TenantConfig

MOST = 8
MOST_SEQS = 500
"""Turns that a topic names: the first ones."""

_TURNS_READ = 2_000
_CHARACTERS_READ = 2_000
_RUN = re.compile(r"[a-z'-]+(?: [a-z'-]+)*|[\u3400-\u9fff]+")
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_SMALL = re.compile(r"\b[a-z]+\b")
_NAME_IS = re.compile(r"(?i:\bmy name is) ([A-Za-z]+(?: (?!(?i:i|and|i'm)\b)[A-Za-z]+)?)")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LONGEST_PHRASE = 3
_HAN_LENGTHS = range(2, 7)
_MORE_STOPWORDS = frozenset(
    """
    hello bye goodbye morning afternoon evening day name calling call called number today tomorrow thing lot sir madam problem issue
    help information moment guess check checked remember well back play discuss discussed recently ordered bought told feeling between minute second week month year hundred thousand yeah yep nope mm mhm cheers alright
    """.split()  # noqa: SIM905
)
_TELLS_NOTHING = wordlists.STOPWORDS | _MORE_STOPWORDS | frozenset(wordlists.NUMBERS) | frozenset(FEELINGS)
_ADDRESS = re.compile(r"\S+@\S+")
_MORE_HAN = """
你好 您好 谢谢 再见 问题 现在 今天 昨天 明天 这样 那样 时候 知道 觉得 东西 没有 可以 需要 麻烦 好的 是的 因为 所以 但是 就是 不是 已经 还是
我 你 您 他 她 它 的 把 被 和 就 也 都 很 会 在 是 有
"""
_HAN_STOP = re.compile(
    "|".join(sorted((*wordlists.CHINESE_STOP_PHRASES, *_MORE_HAN.split()), key=len, reverse=True))
)


def topics(
    customers: Sequence[SaidTurn], need: Sequence[str], config: TenantConfig, language: str
) -> tuple[Topic, ...]:
    """The most frequent first, `MOST` at most; `need` are the sentences that tell what the customer wanted. Small talk is no topic."""
    by_intent = _by_intent(customers, config)
    found: list[tuple[str, str | None, list[int]]]
    if by_intent:
        found = [
            (config.topic(intent, language) or _any_title(config, intent), intent, seqs)
            for intent, seqs in by_intent.items()
        ]
    else:
        found = [(phrase, None, seqs) for phrase, seqs in _key_phrases(customers, need).items()]
    found.sort(key=lambda one: (-len(one[2]), one[2][0]))
    return tuple(_topic(label, intent, seqs, len(customers)) for label, intent, seqs in found[:MOST])


def intent_of(turn: SaidTurn, config: TenantConfig) -> str | None:
    """The one that is sure enough for this tenant and no small talk."""
    first = turn.intents[0] if turn.intents else None
    if first is None or first.probability < config.thresholds.intent:
        return None
    rule = config.intents.get(first.intent)
    return rule.id if rule is not None and rule.route != "canned" else None


def _topic(label: str, intent: str | None, seqs: Sequence[int], turns: int) -> Topic:
    return Topic(
        label=label[:200], intent=intent, share=round(len(seqs) / turns, 4), seqs=tuple(seqs[:MOST_SEQS])
    )


def _any_title(config: TenantConfig, intent: str) -> str:
    titles = config.intents[intent].title
    return titles.get(config.default_language) or next(iter(titles.values()))


def _by_intent(customers: Sequence[SaidTurn], config: TenantConfig) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for turn in customers:
        intent = intent_of(turn, config)
        if intent is not None:
            found[intent].append(turn.seq)
    return found


def _key_phrases(customers: Sequence[SaidTurn], need: Sequence[str]) -> dict[str, list[int]]:
    """Phrases of the turns by the form in which they came first: those that come again, and where none does the longest of what was needed."""
    shown: dict[str, str] = {}
    turns: dict[str, list[int]] = defaultdict(list)
    texts = {turn.seq: _ADDRESS.sub(" ", turn.text[:_CHARACTERS_READ]) for turn in customers[:_TURNS_READ]}
    names = _names(texts.values())
    for turn in customers[:_TURNS_READ]:
        for key, phrase in dict(_phrases(texts[turn.seq], names)).items():
            shown.setdefault(key, phrase)
            turns[key].append(turn.seq)
    again = {key: seqs for key, seqs in turns.items() if len(seqs) > 1}
    kept = _apart(again) if again else _longest_of(need, names, turns)
    return {shown[key]: seqs for key, seqs in kept.items()}


def _longest_of(
    texts: Iterable[str], names: Collection[str], turns: Mapping[str, list[int]]
) -> dict[str, list[int]]:
    keys = [key for text in texts for key, _ in _phrases(_ADDRESS.sub(" ", text), names) if key in turns]
    best = max(keys, key=len, default=None)
    return {best: turns[best]} if best is not None else {}


def _apart(turns: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Of phrases within each other the longer one, unless the shorter comes clearly more often."""
    ordered = sorted(
        turns, key=lambda key: (-len(turns[key]) * (1 + key.count(" ") / 2 + len(key) / 20), key)
    )
    kept: list[str] = []
    for key in ordered:
        if not any(key in other or other in key for other in kept):
            kept.append(key)
        if len(kept) == MOST:
            break
    return {key: turns[key] for key in kept}


def _names(texts: Iterable[str]) -> frozenset[str]:
    """Words that have a capital within sentences and nowhere a small letter, and what stands behind `my name is`."""
    capital, small = set[str](), set[str]()
    for text in texts:
        capital.update(word.lower() for word in _CAPITAL.findall(text))
        small.update(_SMALL.findall(text))
    named = (word.lower() for text in texts for match in _NAME_IS.finditer(text) for word in match[1].split())
    return frozenset(capital - small).union(named)


def _phrases(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Key and wording. Latin: one to three words in a row that tell something; Chinese: what is left between words that tell nothing."""
    plain = without_placeholders(fold(text).text).translate(SIMPLIFIED)
    for match in _RUN.finditer(plain):
        if _HAN.match(match[0]):
            yield from ((part, part) for part in _HAN_STOP.split(match[0]) if len(part) in _HAN_LENGTHS)
        else:
            yield from _latin(match[0].split(), names)


def _latin(words: Sequence[str], names: Collection[str]) -> Iterator[tuple[str, str]]:
    row: list[str] = []
    for word in [*words, "the"]:
        bare = word.strip("'-").removesuffix("'s")
        if len(bare) > 2 and bare not in _TELLS_NOTHING and bare not in names and "'" not in bare:
            row.append(bare)
            continue
        for length in range(1, min(len(row), _LONGEST_PHRASE) + 1):
            for at in range(len(row) - length + 1):
                part = row[at : at + length]
                yield " ".join(map(stem, part)), " ".join(part)
        row = []
