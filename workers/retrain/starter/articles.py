"""Made-up help articles: things with facts, as prose, list or table, and questions about each fact with the sentence that answers it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from workers.retrain.starter import phrases, phrases_zh
from workers.retrain.starter.phrases import Field
from workers.retrain.starter.prompts import Source

HOW_SHARE = 0.2
"""Of a thing's facts, those that say how something is done."""
MADE_UP = 0.4
"""Of Chinese names, things and values, those of any characters: what is copied must not be known."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`sentence` says it, each of `questions` asks for it; `name` and `value` are the cells of its row in a table."""

    key: str
    name: str
    value: str
    sentence: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """A source and what of it answers what: (question, answer) pairs by the key of the fact."""

    source: Source
    answers: dict[str, tuple[tuple[str, ...], str]]


class World:
    """Draws companies, things and facts in one language; one generator of random numbers, one series."""

    def __init__(self, rng: random.Random, language: str = "en") -> None:
        self.rng = rng
        self.chinese = language == "zh"
        self.words: ModuleType = phrases_zh if self.chinese else phrases

    def company(self) -> str:
        if self.chinese:
            return self._brand() + self.rng.choice(("银行", "移动", "健身", "酒店", "图书馆", "快递", "能源"))
        return f"{self._brand()} {self.rng.choice(('Bank', 'Mobile', 'Club', 'Hotels', 'Group', 'Post', 'Energy', 'Rail', 'Shop', 'City'))}"

    def things(self, count: int) -> list[str]:
        """Names of different things, those of one trade where there are enough."""
        if self.chinese:
            known = self.rng.sample(phrases_zh.THINGS, count)
            return [self._brand() + (each if self._known() else self._characters(2, 5)) for each in known]
        trade = self.rng.choice(tuple(phrases.THINGS.values()))
        kinds = self.rng.sample(trade, count) if count <= len(trade) else self.rng.choices(trade, k=count)
        return [f"{self._brand()} {kind}" if self.rng.random() < 0.7 else kind for kind in kinds]

    def facts(self, thing: str, count: int) -> list[Fact]:
        fields: Sequence[Field] = self.rng.sample(self.words.FIELDS, count)
        return [
            self._how(thing)
            if not self.chinese and self.rng.random() < HOW_SHARE
            else self._fact(thing, field)
            for field in fields
        ]

    def article(self, thing: str, facts: Sequence[Fact]) -> Article:
        """The facts one after another, in a list, or in a table below a sentence; now and then with a sentence that says nothing."""
        rng = self.rng
        title = thing if self.chinese else thing[0].upper() + thing[1:]
        path = (rng.choice(self.words.HEADINGS),) if rng.random() < 0.5 else ()
        form = rng.random()
        rows = form < 0.2 and len(facts) > 1
        told = {
            fact.key: (fact.questions, _row(fact, self.chinese) if rows else fact.sentence) for fact in facts
        }
        fillers = rng.sample(self.words.FILLERS, rng.randrange(3))
        if rows:
            head = "| 项目 | 内容 |" if self.chinese else "| What | Value |"
            lines = [head, "|---|---|", *(f"| {fact.name} | {fact.value} |" for fact in facts)]
            text = "\n".join([*(f"{filler}\n" for filler in fillers[:1]), *lines])
        elif form < 0.35:
            text = "\n".join(f"- {sentence}" for sentence in self._mixed(facts, fillers))
        else:
            text = ("" if self.chinese else " ").join(self._mixed(facts, fillers))
        return Article(Source(title, text, path), told)

    def _mixed(self, facts: Sequence[Fact], fillers: Sequence[str]) -> list[str]:
        sentences = [fact.sentence for fact in facts]
        for filler in fillers:
            sentences.insert(self.rng.randrange(len(sentences) + 1), filler)
        return sentences

    def _fact(self, thing: str, field: Field) -> Fact:
        value = self._value(field.kind)
        # As the tenants here write Chinese: a gap between a character and a figure.
        gap = " " if self.chinese and value[0].isdigit() else ""
        sentence = self.rng.choice(field.said).format(s=thing, v=gap + value)
        if not self.chinese:
            sentence = sentence[0].upper() + sentence[1:]
        questions = tuple(asked.format(s=thing) for asked in field.asked)
        return Fact(field.name, field.name, value, sentence, questions)

    def _how(self, thing: str) -> Fact:
        verb = self.rng.choice(phrases.VERBS)
        kinds = ("menu", "phone", "email", "place", "span", "papers", "person", "code")
        how = self.rng.choice(phrases.INSTRUCTIONS).format(**{kind: self._value(kind) for kind in kinds})
        sentence = self.rng.choice(phrases.HOW_SAID).format(verb=verb, s=thing, how=how)
        questions = tuple(asked.format(verb=verb, s=thing) for asked in phrases.HOW_ASKED)
        return Fact(f"How to {verb}", f"How to {verb}", how, sentence, questions)

    def _brand(self) -> str:
        rng = self.rng
        if self.chinese:
            known = rng.choice(phrases_zh.FIRST) + rng.choice(phrases_zh.SECOND)
            return known if self._known() else self._characters(2, 3)
        syllables = [
            rng.choice(phrases.ONSETS) + rng.choice(phrases.VOWELS) for _ in range(rng.randrange(1, 3))
        ]
        return ("".join(syllables) + rng.choice(phrases.CODAS)).capitalize()

    def _known(self) -> bool:
        return self.rng.random() >= MADE_UP

    def _characters(self, least: int, most: int) -> str:
        return "".join(self.rng.choices(phrases_zh.CHARACTERS, k=self.rng.randrange(least, most + 1)))

    def _value(self, kind: str) -> str:
        return self._chinese_value(kind) if self.chinese else self._english_value(kind)

    def _english_value(self, kind: str) -> str:
        rng, words = self.rng, phrases
        match kind:
            case "money":
                return rng.choice(("€{}", "€{}", "£{}", "${}", "{} euros")).format(_amount(rng))
            case "rate":
                return f"{_rate(rng)}%"
            case "span":
                return f"{rng.randrange(2, 31)} {rng.choice(('days', 'working days', 'hours', 'minutes', 'weeks', 'months'))}"
            case "age":
                return str(rng.randrange(6, 70))
            case "count":
                return str(rng.randrange(2, 30))
            case "hours":
                return f"{rng.randrange(6, 12):02}:{rng.choice(('00', '30', '15'))} to {rng.randrange(14, 23)}:{rng.choice(('00', '30'))}"
            case "date":
                return f"{rng.randrange(1, 29)} {rng.choice(words.MONTHS)} {rng.randrange(2024, 2031)}"
            case "email":
                return (
                    f"{rng.choice(('help', 'info', 'desk', 'team', 'hello'))}@{self._brand().lower()}.example"
                )
            case "place":
                return f"{rng.randrange(1, 120)} {rng.choice(words.STREETS)}"
            case "papers" | "means" | "perk":
                known = {"papers": words.PAPERS, "means": words.MEANS, "perk": words.PERKS}[kind]
                return " and ".join(rng.sample(known, rng.randrange(1, 3)))
            case "weight":
                return f"{rng.randrange(1, 60)} kg"
            case "weekday":
                return rng.choice(words.WEEKDAYS)
            case "colour":
                return rng.choice(words.COLOURS)
            case "person":
                return f"{rng.choice(words.FIRST_NAMES)} {self._brand()}"
            case _:
                return self._either_value(kind)

    def _chinese_value(self, kind: str) -> str:
        rng, words = self.rng, phrases_zh
        match kind:
            case "money":
                return f"{_amount(rng)} {rng.choice(('欧元', '元'))}"
            case "rate":
                return f"{_rate(rng)}%"
            case "span":
                return f"{rng.randrange(2, 31)} {rng.choice(('天', '个工作日', '小时', '周', '个月'))}"
            case "age":
                return str(rng.randrange(6, 70))
            case "hours":
                return f"{rng.randrange(6, 12)}:00 至 {rng.randrange(14, 23)}:00"
            case "place":
                street = rng.choice(words.STREETS) if self._known() else f"{self._characters(2, 4)}路"
                return f"{street} {rng.randrange(1, 120)} 号"
            case "papers" | "means" | "perk":
                known = {"papers": words.PAPERS, "means": words.MEANS, "perk": words.PERKS}[kind]
                chosen = rng.sample(known, rng.randrange(1, 3))
                return "和".join(each if self._known() else self._characters(2, 6) for each in chosen)
            case _:
                return self._either_value(kind)

    def _either_value(self, kind: str) -> str:
        rng = self.rng
        match kind:
            case "phone":
                return f"0{rng.randrange(800, 900)} {rng.randrange(100, 1000)} {rng.randrange(1000, 10000)}"
            case "menu":
                chosen = rng.sample(self.words.MENU, 2)
                if not self.chinese:
                    return ", ".join(chosen)
                return " - ".join(each if self._known() else self._characters(2, 4) for each in chosen)
            case "code":
                return "".join(rng.choices("ABCDEFGHKLMNPRSTUVWX", k=2)) + f"-{rng.randrange(100, 100000)}"
            case _:
                raise ValueError(f"kind: {kind!r} is none that a value can be drawn of")


def _row(fact: Fact, chinese: bool) -> str:
    """As `prompts.quotable` tells a row."""
    return f"{fact.name}：{fact.value}。" if chinese else f"{fact.name}: {fact.value}."


def _amount(rng: random.Random) -> str:
    return rng.choice(
        (
            str(rng.randrange(1, 100)),
            f"{rng.randrange(1, 100)}.{rng.randrange(100):02}",
            f"{rng.randrange(1, 100)},{rng.randrange(10) * 100:03}",
            str(rng.randrange(1, 20) * 50),
        )
    )


def _rate(rng: random.Random) -> str:
    return (
        f"{rng.randrange(0, 30)}.{rng.randrange(100):02}" if rng.random() < 0.7 else str(rng.randrange(1, 60))
    )
