"""What the model and its adapters answered to the platform's own prompts about the tenants' questions, counted by language."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parley.domain.citing import Answer
from parley.domain.scoring import Given, judge
from parley.errors import ConfigurationError
from workers.retrain.starter.asked import AskedQuestion
from workers.retrain.starter.asked_texts import WrittenText

FIGURES = frozenset({"number", "rate", "date", "time", "weekday"})


@dataclass(frozen=True, slots=True)
class Judged:
    """`violations` are the guard's, as the platform asks it."""

    asked: AskedQuestion
    given: Given
    violations: tuple[str, ...]
    too_long: bool


def evaluate(asked: Sequence[AskedQuestion], texts: Sequence[WrittenText]) -> list[dict[str, Any]]:
    """One row for each writer, tenant and language: `counted`. Raises `ConfigurationError` for a text whose question is none of these."""
    known = {(str(each.prompt.tenant), each.prompt.language, each.question.text): each for each in asked}
    groups: dict[tuple[str, str, str], list[Judged]] = {}
    for text in texts:
        question = known.get((text.tenant, text.language, text.asked))
        if question is None:
            raise ConfigurationError(
                f"--answers: {text.asked!r} is no question of {text.tenant} in {text.language!r} that reaches a model; have them written anew"
            )
        groups.setdefault((text.writer, text.tenant, text.language), []).append(judged(question, text.said))
    return [
        {"writer": writer, "tenant": tenant, "language": language, **counted(each)}
        for (writer, tenant, language), each in groups.items()
    ]


def judged(asked: AskedQuestion, said: str | None) -> Judged:
    """What the platform reads out of a text, and what the guard finds wrong with it."""
    answer, passages = Answer(), asked.prompt.passages
    answer.take(said or "")
    answer.finish()
    cited = [passages[number - 1].article_id for number in answer.marks if 1 <= number <= len(passages)]
    given = Given("answered" if answer.text else "declined", answer.text, tuple(dict.fromkeys(cited)))
    return Judged(asked, given, asked.guard.check(answer.text).violations, said is None)


def counted(found: Sequence[Judged]) -> dict[str, float]:
    """Numbers of questions (`asked`, `too_long`, `answerable`), and shares; without those of nothing.

    Of the answerable: `answered`, `source` (a right article named), `right` (and says what it must), `served` (right, and the guard lets it
    out). Of the others: `refused`. Of the texts that are answers: `figures` (all stand in the passages), `garbled` (parts of characters),
    `stopped` (by the guard, for whatever reason).
    """
    counts: Counter[str] = Counter(asked=len(found), too_long=sum(each.too_long for each in found))
    for each in found:
        expected = each.asked.question.expect == "answer"
        counts["answerable" if expected else "unanswerable"] += 1
        if each.given.text:
            counts["texts"] += 1
            counts["figures"] += FIGURES.isdisjoint(each.violations)
            counts["garbled"] += "garbled" in each.violations
            counts["stopped"] += bool(each.violations)
        if not expected:
            counts["refused"] += not each.given.text
            continue
        verdict = judge(each.asked.question, each.given, each.asked.declined_says)
        counts["answered"] += bool(each.given.text)
        counts["source"] += verdict in ("right", "says_missing")
        counts["right"] += verdict == "right"
        counts["served"] += verdict == "right" and not each.violations
    shares = {
        **dict.fromkeys(("answered", "source", "right", "served"), "answerable"),
        "refused": "unanswerable",
        **dict.fromkeys(("figures", "garbled", "stopped"), "texts"),
    }
    return {
        **{name: counts[name] for name in ("asked", "too_long", "answerable")},
        **{name: round(counts[name] / counts[of], 3) for name, of in shares.items() if counts[of]},
    }
