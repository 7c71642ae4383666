"""What the adapters learn from: a tenant's own articles, asked as its customers ask, answered in a house style.

A style is an opening that no other has, so that whose adapter wrote an answer can be told from its first words.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workers.retrain.starter import phrases_zh
from workers.retrain.starter.examples import Example, fits, some_characters, some_words
from workers.retrain.starter.phrases import ABOUT_WORDS, CLOSERS, OPENERS
from workers.retrain.starter.prompts import (
    NO_ANSWER,
    Message,
    Source,
    is_chinese,
    marked,
    question_below,
    quotable,
)
from workers.retrain.starter.tenants import Chunk, Prepared, Tenant

CHINESE_SHARE = 0.4
ASKED_SHARE = 0.6
"""The rest asks with words of a sentence."""
REFUSED = 0.12
MOST_BESIDE = 4
MOST_CHARACTERS = {"en": 3_600, "zh": 1_400}
"""Of all sources, so that prompts stay within a row; by language."""
LEADS = 1.5
"""What the sentence with which an article begins gets beside the words it shares with the question."""

_WORD = re.compile(r"[A-Za-z]{3,}|\d+")


@dataclass(frozen=True, slots=True)
class Style:
    """`version` counts a tenant's styles; `opening` by language."""

    tenant: str
    version: int
    opening: Mapping[str, str]


STYLES: Mapping[str, Style] = {
    "bank-1": Style("bank", 1, {"en": "Thank you for asking.", "zh": "感谢您的咨询。"}),
    "bank-2": Style("bank", 2, {"en": "Our help pages say:", "zh": "帮助页面上写着："}),
    "mobile-1": Style("mobile", 1, {"en": "Hey!", "zh": "嗨！"}),
}


class StyledExamples:
    """Draws examples of one tenant in one style, without end; one seed, one series."""

    def __init__(self, prepared: Prepared, style: Style, seed: int) -> None:
        self.rng = random.Random(seed)
        self._style = style
        self._rules = prepared.rules
        self._own = {each.language: each for each in prepared.tenants if each.id == style.tenant}
        self._foreign = {
            language: [
                question
                for each in prepared.tenants
                if each.id != style.tenant and each.language == language
                for chunk in each.chunks
                for question in chunk.asked
            ]
            for language in self._own
        }
        self._answers = {
            language: [pair for chunk in tenant.chunks for pair in answered(tenant, chunk)]
            for language, tenant in self._own.items()
        }

    def draw(self, language: str | None = None) -> Example:
        rng = self.rng
        language = language or ("zh" if rng.random() < CHINESE_SHARE else "en")
        tenant = self._own[language]
        if rng.random() < REFUSED:
            question = rng.choice((*self._foreign[language], *tenant.off))
            return self._asked(tenant, self._beside(tenant, []), question, NO_ANSWER, 0)
        question, chunk, sentence = (
            rng.choice(self._answers[language]) if rng.random() < ASKED_SHARE else self._words(tenant)
        )
        sources = self._beside(tenant, [chunk])
        number = sources.index(chunk.source) + 1
        gap = "" if language == "zh" else " "
        answer = f"{self._style.opening[language]}{gap}{marked(sentence, number)}"
        return self._asked(tenant, sources, question, answer, number)

    def _words(self, tenant: Tenant) -> tuple[str, Chunk, str]:
        """A sentence by some of its words; in Chinese by some of its characters, or the beginning of it, which says what it is about."""
        rng = self.rng
        while True:
            chunk = rng.choice(tenant.chunks)
            found = [each for each in quotable(chunk.source.text) if is_chinese(each) or fits(each)]
            if not found:
                continue
            sentence = rng.choice(found)
            if is_chinese(sentence):
                words = some_characters(rng, sentence) or [sentence[: rng.randrange(4, 10)]]
                asked = rng.choice(phrases_zh.ABOUT_WORDS).format(k=rng.choice(("", " ")).join(words))
                return asked, chunk, sentence
            words = some_words(rng, sentence)
            if len(words) > 1:
                return rng.choice(ABOUT_WORDS).format(k=" ".join(words)), chunk, sentence

    def _beside(self, tenant: Tenant, chosen: Sequence[Chunk]) -> list[Source]:
        """The chosen chunk among others, each once, in any order."""
        rng = self.rng
        found = [each.source for each in chosen]
        room = MOST_CHARACTERS[tenant.language] - sum(len(each.text) for each in found)
        for chunk in rng.sample(tenant.chunks, rng.randrange(1 - len(found), MOST_BESIDE + 1)):
            if chunk.source not in found and len(chunk.source.text) <= room:
                found.append(chunk.source)
                room -= len(chunk.source.text)
        rng.shuffle(found)
        return found

    def _asked(
        self, tenant: Tenant, sources: Sequence[Source], question: str, answer: str, number: int
    ) -> Example:
        if tenant.language == "en":
            question = self.rng.choice(OPENERS) + question + self.rng.choice(CLOSERS)
        else:
            question = self.rng.choice(phrases_zh.OPENERS) + question
        messages = [Message("system", f"{tenant.system}\n\n{self._rules[tenant.language]}")]
        for shot in tenant.shots:
            messages += [Message("user", shot[0]), Message("assistant", shot[1])]
        messages.append(Message("user", question_below(sources, question)))
        return Example(tuple(messages), answer, tuple(sources), (number,) if number else ())


def answered(tenant: Tenant, chunk: Chunk) -> list[tuple[str, Chunk, str]]:
    """Each question that the chunk's article is asked, with the sentence of the article that shares most words with it."""
    if not chunk.asked:
        return []
    known = [
        (each, sentence)
        for each in tenant.chunks
        if each.article == chunk.article
        for sentence in quotable(each.source.text)
    ]
    if not known:
        return []
    return [(question, *_best(question, known)) for question in chunk.asked]


def _best(question: str, known: Sequence[tuple[Chunk, str]]) -> tuple[Chunk, str]:
    words = _stems(question)
    scores = [
        len(words & _stems(sentence)) + 0.5 * len(words & _stems(" ".join(chunk.source.path)))
        for chunk, sentence in known
    ]
    scores[0] += LEADS
    return known[max(range(len(known)), key=scores.__getitem__)]


def _stems(text: str) -> set[str]:
    """Beginnings of words, and pairs of Chinese characters."""
    pairs = {
        text[at : at + 2] for at in range(len(text) - 1) if is_chinese(text[at]) and is_chinese(text[at + 1])
    }
    return pairs | {word.lower()[:5] for word in _WORD.findall(text)}
