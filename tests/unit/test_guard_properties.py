"""What holds for every amount, rate and date: it passes in each of its spellings and is stopped with another value; and no text takes long."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.domain.guard import check_against, tokens
from tests.support.growth import SQUARED, growth

AMOUNTS = ("€{:,.2f}", "{:,.2f} EUR", "{:.2f} euros", "EUR {:.2f}", "{:.2f}欧元", "{:,.2f} 欧元", "€ {:.2f}")
RATES = (
    "{:.2f}%",
    "{:.2f} %",
    "{:.2f} percent",
    "{:.2f} per cent",
    "百分之{:.2f}",
    "**{:.2f}**%",
    "{:.2f}％",
)
DATES = ("%d %B %Y", "%B %d, %Y", "%d %b %Y", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y年%m月%d日", "%b %d %Y", "%dth of %B %Y", "%Y/%m/%d")  # fmt: skip
UNITS = (
    ("day", ("{} days", "{} calendar days", "{}天", "{}-day")),
    ("workday", ("{} working days", "{} business days", "{}个工作日")),
    ("month", ("{} months", "{}个月")),
    ("hour", ("{} hours", "{}小时", "{} h")),
    ("euro", ("{} euros", "€{}", "{}欧元", "EUR {}")),
    ("dollar", ("{} dollars", "${}", "{}美元")),
    ("gigabyte", ("{} GB", "{}GB")),
)
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def in_english(number: int) -> str:
    """Below a million."""
    if number >= 1000:
        rest = f" {in_english(number % 1000)}" if number % 1000 else ""
        return f"{in_english(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {in_english(number % 100)}" if number % 100 else ""
        return f"{in_english(number // 100)} hundred{rest}"
    if number >= 20:
        rest = f"-{in_english(number % 10)}" if number % 10 else ""
        return TENS.split()[number // 10 - 2] + rest
    return ONES.split()[number]


def in_chinese(number: int) -> str:
    """Below 10,000."""
    text, skipped = "", False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            text += ("零" if skipped and text else "") + "零一二三四五六七八九"[digit] + unit
        skipped = not digit
    return text or "零"


@given(st.integers(1, 99_999_999), st.sampled_from(AMOUNTS), st.sampled_from(AMOUNTS), st.integers(1, 10**6))
def test_an_amount_passes_in_any_spelling_and_no_other(
    cents: int, source: str, answer: str, more: int
) -> None:
    sources = (f"It costs {source.format(cents / 100)} each.",)
    assert check_against(f"You pay {answer.format(cents / 100)}.", sources).passed
    assert not check_against(f"You pay {answer.format((cents + more) / 100)}.", sources).passed


@given(st.integers(0, 9_999), st.sampled_from(RATES), st.sampled_from(RATES), st.integers(1, 10**4))
def test_a_rate_passes_in_any_spelling_and_no_other(share: int, source: str, answer: str, more: int) -> None:
    sources = (f"利率{source.format(share / 100)}。",)
    assert check_against(f"The rate is {answer.format(share / 100)}.", sources).passed
    assert "rate" in check_against(f"The rate is {answer.format((share + more) / 100)}.", sources).violations


@given(
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    st.sampled_from(DATES),
    st.sampled_from(DATES),
    st.integers(1, 3000),
)
def test_a_date_passes_in_any_spelling_and_no_other(day: date, source: str, answer: str, later: int) -> None:
    sources = (f"Valid from {day.strftime(source)} on.",)
    assert check_against(f"It begins {day.strftime(answer)}.", sources).passed
    other = day + timedelta(days=later)
    assert "date" in check_against(f"It begins {other.strftime(answer)}.", sources).violations


@given(st.integers(2, 999_999), st.integers(1, 999))
def test_a_number_in_english_words_is_the_number(number: int, more: int) -> None:
    sources = (f"The limit is {number:,} euros.",)
    assert check_against(f"The limit is {in_english(number)} euros.", sources).passed
    assert not check_against(
        f"The limit is {in_english((number + more) % 10**6 or 1)} euros.", sources
    ).passed
    assert check_against(f"The limit is €{number}.", (f"The limit is {in_english(number)} euros.",)).passed


@given(st.integers(2, 9_999), st.integers(1, 99))
def test_a_number_in_chinese_numerals_is_the_number(number: int, more: int) -> None:
    sources = (f"限额为{number}欧元。",)
    assert check_against(f"限额为{in_chinese(number)}欧元。", sources).passed
    assert not check_against(f"限额为{in_chinese(number - 1)}欧元。", sources).passed
    assert not check_against(f"限额为{in_chinese(number)}欧元。", (f"限额为{number + more}欧元。",)).passed


@given(st.integers(2, 500), st.sampled_from(UNITS), st.sampled_from(UNITS), st.data())
def test_a_count_passes_with_its_own_unit_only(
    count: int, own: tuple[str, tuple[str, ...]], other: tuple[str, tuple[str, ...]], data: st.DataObject
) -> None:
    source, answer = (data.draw(st.sampled_from(unit[1])).format(count) for unit in (own, other))
    passed = check_against(f"It is {answer}, we think.", (f"Then {source} go by.",)).passed
    assert passed == (own[0] == other[0])


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_passes_on_either_clock(hour: int, minute: int) -> None:
    half, twelve = ("pm" if hour >= 12 else "am"), hour % 12 or 12
    sources = (f"Open until {hour:02}:{minute:02}.",)
    assert check_against(f"Open until {twelve}:{minute:02} {half}.", sources).passed
    assert not check_against(f"Open until {(hour + 1) % 24}:{minute:02}.", sources).passed


@settings(max_examples=300)
@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("0123456789 .,:-/%€年月日时点一二三十百万半个天 [](){}@a"), st.characters()
        ),
        max_size=120,
    )
)
def test_every_text_follows_from_itself(text: str) -> None:
    """Whatever it is but a masked value: a claim, too, is its own support."""
    assert set(check_against(text, (text,)).violations) <= {"masked"}
    assert tokens(text) == tokens(text)


HOSTILE = [
    "1 ", "1", "1,", "1.", "1-", "1/", "1:", "one ", "one hundred and ", "twenty-", "a hundred ", "half a ", "第", "百分之", "一", "一千", "万", "点", "一点",
    "三月", "3月", "3年", "周", "周一", "周一至", "Mon-", "Monday to ", "1 to ", "1 May ", "May ", "the first of ", "first ", "on the ", "a.", "a.b.", "a-b.c",
    "www.", "http://", "a@", "](", "[1]", "[1,", "{{", "[a_1", "+1 ", "0 1", "€", "eur ", "5 m", "5 working ", "per ", "Yes, ", "No. ", "是的。", "1. ", "\n1. ",
    "上午", "上午9", "9点", "5pm-", "12:", "(", " ", "\n", "**", "\u200b", "½", "①", "a month ", "twenty twenty ", "point ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_no_text_takes_long(piece: str) -> None:
    assert growth(_checked, piece) < SQUARED / 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=5))
def test_no_mixture_takes_long(pieces: list[str]) -> None:
    assert growth(_checked, "".join(pieces)) < SQUARED / 2


def _checked(text: str) -> None:
    tokens(text)
    check_against(text, ())
