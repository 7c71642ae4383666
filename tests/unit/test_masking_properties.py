"""What holds for every number of a kind, in any grouping, and for every amount and date; and that no text takes long."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.domain.masking import luhn, mask
from tests.support.growth import SQUARED, growth

DIGITS = "0123456789"
FULL_WIDTH = str.maketrans(DIGITS, "０１２３４５６７８９")
LENGTHS_BY_COUNTRY = {"DE": 22, "IE": 22, "GB": 22, "FR": 27, "NL": 18, "NO": 15, "MT": 31}


def _digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A number of 15, 16 or 19 digits that passes the checksum, begun like a payment card's."""
    length = draw(st.sampled_from((15, 16, 19)))
    first = draw(st.sampled_from(("4", "51", "55", "37", "34", "6222", "6011", "2223", "3530", "9")))
    body = first + draw(_digits(length - len(first) - 1))
    return body + next(check for check in DIGITS if luhn(body + check))


@st.composite
def grouped_cards(draw: st.DrawFn) -> tuple[str, str]:
    """The number and how it is written: in fours, in a block, in pairs or one by one, with any separator."""
    number = draw(cards())
    size = draw(st.sampled_from((4, 1, 2, len(number))))
    between = draw(
        st.sampled_from((" ", "-", ".", "/", ",", "_", "  ", " - ", ", ", "–", "\u00a0", "・", "．"))
    )
    groups = [number[at : at + size] for at in range(0, len(number), size)]
    if len(groups) > 1 and size < 4 and "," in between:
        between = " "  # counted up, ones and pairs with commas between them are a list of numbers
    written = between.join(groups)
    return number, written.translate(FULL_WIDTH) if draw(st.booleans()) else written


@st.composite
def ibans(draw: st.DrawFn) -> str:
    country = draw(st.sampled_from(sorted(LENGTHS_BY_COUNTRY)))
    body = draw(_digits(LENGTHS_BY_COUNTRY[country] - 4))
    number = int("".join(str(int(c, 36)) for c in f"{body}{country}00"))
    return f"{country}{98 - number % 97:02}{body}"


@st.composite
def chinese_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 1, 1)))
    body = f"{draw(st.integers(110000, 659000))}{born:%Y%m%d}{draw(_digits(3))}"
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


SURROUNDINGS = st.sampled_from(
    ("{}", "my card {} is lost", "卡{}丢了", "({})", "{}.", "nr {}, thanks", "号码：{}。", "a\n{}\nb", "“{}”")
)


@given(grouped_cards(), SURROUNDINGS)
def test_a_card_in_any_grouping_is_masked(card: tuple[str, str], around: str) -> None:
    number, written = card
    masked = mask(around.format(written))
    assert "card" in masked.kinds and not set(masked.text) & set(number[:8]) - set("1")


@given(cards(), cards())
def test_one_number_in_two_spellings_is_one_value(number: str, other: str) -> None:
    fours = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    expected = "[card_1]" if number == other else "[card_2]"
    assert mask(f"{number} / {fours}; {other}").text == f"[card_1] / [card_1]; {expected}"


@given(
    ibans(),
    st.sampled_from(("", " ", "-", ".", " - ")),
    st.sampled_from((2, 4, 40)),
    st.booleans(),
    SURROUNDINGS,
)
def test_an_iban_in_any_grouping_is_masked(
    iban: str, between: str, size: int, small: bool, around: str
) -> None:
    written = between.join(iban[at : at + size] for at in range(0, len(iban), size))
    masked = mask(around.format(written.lower() if small else written))
    assert masked.text == around.format("[iban_1]") and masked.kinds == ("iban",)


@given(chinese_ids(), st.sampled_from(("", " ", "-", ".")), st.booleans(), SURROUNDINGS)
def test_a_resident_id_in_any_grouping_is_masked(number: str, between: str, wide: bool, around: str) -> None:
    written = between.join((number[:6], number[6:14], number[14:]))
    masked = mask(around.format(written.translate(FULL_WIDTH) if wide else written))
    assert masked.text == around.format("[id_1]")


@given(st.sampled_from("3456789"), _digits(9), st.sampled_from(("", " ", "-", ".")), SURROUNDINGS)
def test_a_chinese_mobile_in_any_grouping_is_masked(
    second: str, rest: str, between: str, around: str
) -> None:
    number = f"1{second}{rest}"
    written = between.join((number[:3], number[3:7], number[7:]))
    assert mask(around.format(written)).text == around.format("[phone_1]")


@given(
    _digits(6),
    st.sampled_from(("code {}", "验证码：{}", "my PIN is {}", "OTP {}", "密码是{}", "{} is my code")),
)
def test_a_code_after_its_word_is_masked(code: str, said: str) -> None:
    assert mask(said.format(code)).text == said.format("[code_1]")


AMOUNT_FORMATS = (
    "€{:,.2f}", "{:,.2f} EUR", "{:.2f} euros", "{:,.0f} dollars", "USD {:,.2f}", "${:,.2f}", "{:.0f}元", "{:,.2f}元", "¥{:,.0f}",
    "{:.0f}美元", "{:.1f}%", "{:.2f} percent", "账户{:.0f}元", "账户余额{:,.2f}元", "account {:,.2f} EUR", "my account has {:.0f} euros",
)  # fmt: skip
DATE_FORMATS = (
    "%d %m %Y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y %m %d", "%d %B %Y",
    "%B %d, %Y", "%d %b %Y", "%Y年%m月%d日", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M", "%H:%M:%S", "%Y年%m月", "%m/%Y",
)  # fmt: skip
SENTENCES = st.sampled_from(
    (
        "{}",
        "on {} I paid",
        "我在{}付款",
        "it was {}, not less",
        "（{}）",
        "{} and {}",
        "code for {}",
        "account opened {}",
    )
)


@given(st.floats(0.01, 99_999_999, allow_nan=False), st.sampled_from(AMOUNT_FORMATS), SENTENCES)
def test_no_amount_is_masked(amount: float, written: str, sentence: str) -> None:
    text = sentence.replace("{}", written.format(amount))
    assert mask(text).text == text


@given(
    st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2049, 1, 1)),
    st.sampled_from(DATE_FORMATS),
    SENTENCES,
)
def test_no_date_is_masked(moment: datetime, written: str, sentence: str) -> None:
    text = sentence.replace("{}", moment.strftime(written))
    assert mask(text).text == text


@given(
    st.text("一二三四五六七八九十百千万两零0123456789 年月日个元块天点", max_size=6),
    st.sampled_from(("有{}人", "第{}条", "{}")),
)
def test_short_counts_in_chinese_stay(count: str, around: str) -> None:
    assert mask(around.format(count)).kinds == ()


HOSTILE = [
    "1 ", "1", "01 23 ", "code is my ", "GB82 ", "4111 ", "a@", "a.", "@", "my name is ", "name is a b ", "mr a ", "我叫", "姓名是", "王先生",
    "地址", "地址中山路", "5号", "地址路5号我", "I live at 1 ", "address 12 a b c ", "address: 1 a street, b ", "four ", "四", "四 ", "double ",
    "password is ", "password: a", "code ", "验证码", "account 1 ", "account 123456, ", "+1 ", "(0", "(010)", "0 1 ", "1.1/", "[card_1]", "[card_",
    "passport a1 ", "one two ", "a at b dot ", "regards,\n", "a.b.c.", "-", " ", "\u200b1", "４", "1,", "1/1-", "the account number of a b c is ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_no_text_takes_long(piece: str) -> None:
    assert growth(mask, piece) < SQUARED / 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([*HOSTILE, "4111111111111111", "是", "12 Main Street, "]), min_size=1, max_size=6
    )
)
def test_no_mixture_takes_long_and_what_is_masked_stays_masked(pieces: list[str]) -> None:
    assert growth(mask, "".join(pieces)) < SQUARED / 2
    text = ("".join(pieces) * 4000)[:4000]
    masked = mask(text).text
    assert mask(masked).text == masked


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([*HOSTILE, "4111111111111111", "是", "12 Main Street, ", "\n", "and ", "，"]),
        max_size=14,
    )
)
def test_masking_twice_is_masking_once(pieces: list[str]) -> None:
    once = mask("".join(pieces))
    assert mask(once.text).text == once.text
    assert mask("".join(pieces)) == once


def test_what_one_rule_finds_may_come_in_any_order() -> None:
    assert mask("AB123456C or 123-45-6789, AB123456C").text == "[id_1] or [id_2], [id_1]"
