"""The rules that every message meets: masking at the doors, risks and entities in the intent worker, over the tenants' example messages and over long ones of the kinds that customers
write; and the guard, over the articles that answers are quoted from. One core, pure Python.
"""

from collections.abc import Callable, Sequence
from datetime import date
from time import process_time

from benchmarks.reporting import median_of, report
from infra.dev.ground import ROOT
from parley.backends.tenant_folder import load
from parley.domain import risks
from parley.domain.entities import entities
from parley.domain.guard import check
from parley.domain.masking import mask
from schemas.parts import Passage
from tests.support.passages import passages_of

LONG = (
    "Hello, my name is Anna Kowalska. Yesterday at 14:30 I wanted to pay 249.90 EUR with my card 4111 1111 1111 1111 and it was declined, "
    "although there are 1,250 euros in my account 12345678. Please call me at +353 87 123 4567 or write to anna@example.org.",
    "On 23 November 2026 a direct debit of £35.00 left my account twice, references 8841-A and 8842-A. I have called three times, on the "
    "4th, the 9th and the 16th, and waited 25 minutes each time. I want one of them back before 1 December, please.",
    "您好，我叫王小明，昨天下午三点我用尾号6789的卡付款249.90元，显示交易失败，但是账户里还有一千多元。请拨打13812345678联系我，"
    "或者发邮件到 xiaoming@example.org，谢谢。",
    "我在2026年11月23日转账5000元到DE89370400440532013000，到今天还没有到账，手续费已经扣了12.50元，请帮我查一下是什么原因。",
)
"""About as long as the longest tenth of what customers write."""
ROUNDS = 20
TODAY = date(2026, 11, 24)


def examples() -> list[str]:
    content = load(ROOT / "tenants" / "bank").content
    return [
        text for by_language in content.examples.values() for texts in by_language.values() for text in texts
    ]


def ms_each(run: Callable[[], object], count: int) -> float:
    began = process_time()
    run()
    return (process_time() - began) * 1000 / count


def masking_ms(texts: Sequence[str], rounds: int) -> float:
    def all_of_them() -> None:
        for text in [*texts] * rounds:
            mask(text)

    return median_of(lambda: ms_each(all_of_them, len(texts) * rounds))


def understanding_ms(texts: Sequence[str], rounds: int) -> float:
    """Risks and entities together."""

    def all_of_them() -> None:
        for text in [*texts] * rounds:
            risks.risks(text)
            entities(text, TODAY)

    return median_of(lambda: ms_each(all_of_them, len(texts) * rounds))


def guard_ms(passages: Sequence[Passage]) -> float:
    """An answer that is one whole passage, as an extractive one may be, checked against five."""

    def all_of_them() -> None:
        for at, passage in enumerate(passages):
            check(passage.text, tuple(passages[at : at + 5]))

    return median_of(lambda: ms_each(all_of_them, len(passages)), 3)


def main() -> None:
    risks.prepare()
    report(
        "rules",
        masking_example_ms=round(masking_ms(examples(), 1), 4),
        masking_long_ms=round(masking_ms(LONG, ROUNDS), 4),
        understanding_example_ms=round(understanding_ms(examples(), 1), 4),
        understanding_long_ms=round(understanding_ms(LONG, ROUNDS), 4),
        guard_answer_ms=round(guard_ms(passages_of(load(ROOT / "tenants" / "bank").content.articles)), 3),
        to_reach={"masking_long_ms": 0.5, "understanding_example_ms": 0.5},
    )
