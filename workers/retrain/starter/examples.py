"""Examples to learn answering from: conversations in the platform's form whose last words are a quoted sentence with its mark, or NO_ANSWER.

Three kinds: questions about made-up articles (`articles`), words of a sentence of real text for that sentence, and small talk. Every
answer that has a mark stands word for word (a table's row cell for cell) in the source that the mark names.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from workers.retrain.starter import phrases, phrases_zh
from workers.retrain.starter.articles import Article, World
from workers.retrain.starter.prompts import (
    NO_ANSWER,
    Message,
    Source,
    is_chinese,
    marked,
    question_below,
    quotable,
)

KINDS: Mapping[str, float] = {"facts": 38, "quotes": 25, "talk": 7, "chinese": 30}
"""How often an example is of each kind."""
CHINESE_KINDS: Mapping[str, float] = {"facts": 40, "quotes": 50, "talk": 10}
"""And a Chinese one."""
REFUSED = 0.17
"""Of the questions, those whose answer no source holds."""
TWICE = 0.1
"""Of the questions about facts, those that ask for two."""
MOST_SOURCES = 5
SOURCE_CHARACTERS, SOURCE_CHARACTERS_ZH = (150, 1_000), (50, 350)
SHORTEST_SENTENCE, LONGEST_SENTENCE = 5, 45
"""Words."""
SHORTEST_SENTENCE_ZH, LONGEST_SENTENCE_ZH = 8, 90
"""Characters."""
TRIES = 20

_WORD = re.compile(r"[A-Za-z][A-Za-z'-]{3,}")
_RUN_ZH = re.compile(r"[\u3400-\u9fff]{2,}")


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    paragraphs: tuple[str, ...]
    chinese: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """`messages` end with the customer's; `cited` are the numbers of the sources that `answer` marks."""

    messages: tuple[Message, ...]
    answer: str
    sources: tuple[Source, ...] = ()
    cited: tuple[int, ...] = ()


class Examples:
    """Draws examples without end; one seed, one series. `rules` are the platform's instructions by language."""

    def __init__(self, documents: Sequence[Document], rules: Mapping[str, str], seed: int) -> None:
        self.rng = random.Random(seed)
        self._documents = {
            language: [each for each in documents if each.chinese == (language == "zh")]
            for language in ("en", "zh")
        }
        self._rules = rules
        self._worlds = {language: World(self.rng, language) for language in ("en", "zh")}
        self._kinds: dict[str, Callable[[], Example]] = {
            "facts": partial(self.facts, "en"),
            "quotes": partial(self.quote, "en"),
            "talk": partial(self.talk, "en"),
            "chinese": self._chinese,
        }

    def draw(self) -> Example:
        return self._kinds[self.rng.choices(list(KINDS), list(KINDS.values()))[0]]()

    def facts(self, language: str) -> Example:
        """A question about one fact, or two, of made-up articles that tell of several things."""
        rng, world = self.rng, self._worlds[language]
        things = world.things(rng.randrange(1, MOST_SOURCES + 1))
        known = [world.facts(thing, rng.randrange(1, 7)) for thing in things]
        articles = [world.article(thing, facts) for thing, facts in zip(things, known, strict=True)]
        at = rng.randrange(len(articles))
        wanted = rng.choice(known[at])
        questions, answer = articles[at].answers[wanted.key]
        question = rng.choice(questions)
        if rng.random() < REFUSED:
            return self._refused(world, things, at, articles, question)
        cited, parts = [at], [marked(answer, at + 1)]
        others = [
            (other, key) for other, each in enumerate(articles) for key in each.answers if key != wanted.key
        ]
        if others and rng.random() < TWICE:
            other, key = rng.choice(others)
            questions, answer = articles[other].answers[key]
            question = f"{question}{'，' if world.chinese else ' And '}{rng.choice(questions)}"
            cited.append(other)
            parts.append(marked(answer, other + 1))
        text = ("" if world.chinese else " ").join(parts)
        return self._asked(world, [each.source for each in articles], question, text, cited)

    def quote(self, language: str) -> Example:
        """Some words of a sentence of a real document, for that sentence. Without documents in this language, a question about a fact."""
        rng, world, documents = self.rng, self._worlds[language], self._documents[language]
        for _ in range(TRIES if documents else 0):
            sources = [self._passage(rng.choice(documents)) for _ in range(rng.randrange(1, 5))]
            at = rng.randrange(len(sources))
            found = [each for each in quotable(sources[at].text) if fits(each)]
            if not found:
                continue
            sentence = rng.choice(found)
            words = (some_characters if world.chinese else some_words)(rng, sentence)
            if not words or also_elsewhere(sentence, words, sources):
                continue
            gap = "" if world.chinese and rng.random() < 0.5 else " "
            question = rng.choice(world.words.ABOUT_WORDS).format(k=gap.join(words))
            if rng.random() < REFUSED:
                rest = [*sources[:at], *sources[at + 1 :]] or [self._passage(rng.choice(documents))]
                if any(sentence in each.text for each in rest):
                    continue
                return self._asked(world, rest, question, NO_ANSWER, [])
            return self._asked(world, sources, question, marked(sentence, at + 1), [at])
        return self.facts(language)

    def talk(self, language: str) -> Example:
        """Small talk is answered without a source, whether the platform sends any or not; what is off the subject is not answered."""
        rng, world = self.rng, self._worlds[language]
        thing = world.things(1)[0]
        sources = [world.article(thing, world.facts(thing, 3)).source][: rng.randrange(2)]
        if rng.random() < 0.3:
            return self._asked(world, sources, rng.choice(world.words.OFF_TOPIC), NO_ANSWER, [])
        said, answers = rng.choice(world.words.SMALL_TALK)
        if sources or rng.random() < 0.5:
            return self._asked(world, sources, rng.choice(said), rng.choice(answers), [])
        system = () if rng.random() < 0.3 else (self._system(world),)
        return Example((*system, Message("user", rng.choice(said))), rng.choice(answers))

    def _chinese(self) -> Example:
        kind = self.rng.choices(list(CHINESE_KINDS), list(CHINESE_KINDS.values()))[0]
        return {"facts": self.facts, "quotes": self.quote, "talk": self.talk}[kind]("zh")

    def _refused(
        self, world: World, things: Sequence[str], at: int, articles: Sequence[Article], question: str
    ) -> Example:
        """The asked fact is nowhere: its article is gone, or tells other things."""
        rest = [*articles[:at], *articles[at + 1 :]]
        if self.rng.random() < 0.5 or not rest:
            keys = articles[at].answers
            others = [fact for fact in world.facts(things[at], 5) if fact.key not in keys]
            if others:
                rest.insert(at, world.article(things[at], others))
        return self._asked(world, [each.source for each in rest], question, NO_ANSWER, [])

    def _asked(
        self, world: World, sources: Sequence[Source], question: str, answer: str, cited: Sequence[int]
    ) -> Example:
        question = self._worded(world, question)
        messages = [
            self._system(world),
            *self._before(world),
            Message("user", question_below(sources, question)),
        ]
        return Example(tuple(messages), answer, tuple(sources), tuple(number + 1 for number in cited))

    def _system(self, world: World) -> Message:
        rng = self.rng
        own = rng.choice(world.words.SYSTEMS).format(a=rng.choice(world.words.ASSISTANTS), c=world.company())
        return Message("system", f"{own}\n\n{self._rules['zh' if world.chinese else 'en']}")

    def _before(self, world: World) -> list[Message]:
        """A tenant's examples, as the platform sends them: without sources; then what was said before."""
        rng = self.rng
        pairs = []
        for _ in range(rng.randrange(1, 4) if rng.random() < 0.45 else 0):
            [fact] = world.facts(world.things(1)[0], 1)
            pairs.append((rng.choice(fact.questions), marked(fact.sentence, 1)))
        for _ in range(rng.randrange(1, 3) if rng.random() < 0.25 else 0):
            if rng.random() < 0.5:
                said, answers = rng.choice(world.words.SMALL_TALK)
                pairs.append((rng.choice(said), rng.choice(answers)))
            else:
                [fact] = world.facts(world.things(1)[0], 1)
                pairs.append((rng.choice(fact.questions), fact.sentence))
        return [
            Message(role, text)
            for pair in pairs
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]

    def _worded(self, world: World, question: str) -> str:
        rng = self.rng
        if world.chinese:
            return rng.choice(phrases_zh.OPENERS) + question
        if rng.random() < 0.25:
            question = question.lower()
        if rng.random() < 0.1 and len(question) > 12:
            at = rng.randrange(3, len(question) - 3)
            question = question[:at] + question[at + 1 :]
        return rng.choice(phrases.OPENERS) + question + rng.choice(phrases.CLOSERS)

    def _passage(self, document: Document) -> Source:
        """Some paragraphs that follow one another."""
        rng = self.rng
        at = rng.randrange(len(document.paragraphs))
        most = rng.randrange(*(SOURCE_CHARACTERS_ZH if document.chinese else SOURCE_CHARACTERS))
        text = document.paragraphs[at]
        for paragraph in document.paragraphs[at + 1 :]:
            if len(text) + len(paragraph) > most:
                break
            text = f"{text}\n\n{paragraph}"
        return Source(document.title, text[: 2 * most])


def some_words(rng: random.Random, sentence: str) -> list[str]:
    """Words of a sentence that somebody who looks for it might write: some that follow one another, or some that say much; none for fewer than two."""
    if rng.random() < 0.3:
        parts = sentence.rstrip(".!?").split()
        most = min(7, len(parts))
        at = rng.randrange(len(parts) - most + 1)
        return parts[at : at + rng.randrange(min(3, most), most + 1)]
    found = [word for word in _WORD.findall(sentence) if word.lower() not in phrases.STOP]
    kept = sorted(rng.sample(range(len(found)), min(len(found), rng.randrange(2, 6))))
    words = [found[place] for place in kept]
    if len(words) < 2:
        return []
    return words if rng.random() < 0.5 else [word.lower() for word in words]


def some_characters(rng: random.Random, sentence: str) -> list[str]:
    """The same of a Chinese sentence: one piece of it, or two or three short ones in their order; none where it has too few characters."""
    runs = _RUN_ZH.findall(sentence)
    if sum(map(len, runs)) < SHORTEST_SENTENCE_ZH:
        return []
    if rng.random() < 0.4:
        run = max(runs, key=len)
        length = min(len(run), rng.randrange(4, 11))
        at = 0 if rng.random() < 0.5 else rng.randrange(len(run) - length + 1)
        return [run[at : at + length]]
    pieces = [run[at : at + 2] for run in runs for at in range(0, len(run) - 1, 2)]
    kept = sorted(rng.sample(range(len(pieces)), min(len(pieces), rng.randrange(2, 5))))
    return [pieces[place] for place in kept]


def fits(sentence: str) -> bool:
    if is_chinese(sentence):
        return SHORTEST_SENTENCE_ZH <= len(sentence) <= LONGEST_SENTENCE_ZH and sentence[-1] in "。！？"
    return SHORTEST_SENTENCE <= len(sentence.split()) <= LONGEST_SENTENCE and sentence[-1] in ".!?"


def also_elsewhere(sentence: str, words: Sequence[str], sources: Sequence[Source]) -> bool:
    """Whether another sentence holds as many of the words, or another source the same one: then the question has two answers."""
    if sum(sentence in source.text for source in sources) > 1:
        return True
    lowered = [word.lower() for word in words]
    own = sum(word in sentence.lower() for word in lowered)
    return any(
        sum(word in other.lower() for word in lowered) >= own
        for source in sources
        for other in quotable(source.text)
        if other != sentence
    )
