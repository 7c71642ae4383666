"""What the guard lets pass and what it stops."""

import pytest

from parley.domain.guard import canonical, check, check_against, tokens
from schemas.parts import Passage

SOURCE = (
    "The monthly fee is €4.50. Branches open Mon–Fri 08:00–20:00, call 0800 555 0140. Valid from 1 October 2026. "
    "APR 19.9%. The limit is €5,000 a day. Yes, a joint account can be opened. 每天限额为5,000欧元。"
    "See [fees](/help/fees) or write to help@alder.example.",
)


@pytest.mark.parametrize(
    "text",
    [
        "The fee is 4.50 EUR.",
        "It has cost €4.5 since October 1, 2026.",
        "Valid from 2026-10-01, i.e. 01/10/2026.",
        "自2026年10月1日起，每天限额为5000欧元。",
        "Call 0800 5550140 from 8 am to 8pm.",
        "The rate is 19.90 percent.",
        "Up to 5 000 euros a day, from 1 October on.",
        "1. Open the app\n2. Choose 5,000",
        "Yes, a joint account can be opened.",
        "See [fees](/help/fees) or help@alder.example.",
        "Nothing to check here at all.",
    ],
)
def test_lets_pass_what_stands_in_the_passages_however_it_is_spelt(text: str) -> None:
    assert check_against(text, SOURCE).violations == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The fee is €4.60.", "number"),
        ("The rate is 18.9%.", "rate"),
        ("Valid from 2 October 2026.", "date"),
        ("Valid from 1 October 2027.", "date"),
        ("Open until 21:00.", "time"),
        ("See https://evil.example/login.", "link"),
        ("See [here](/help/other).", "link"),
        ("Write to thief@evil.example.", "link"),
        ("Your card [card_1] is blocked.", "masked"),
        ("Dear {{customer_name}},", "masked"),
        ("No, you cannot.", "yes_no"),
        ("No fee is charged.", "number"),
        ("是的，没有问题。", "yes_no"),
        ("限额是6000欧元。", "number"),
        ("利率是百分之7。", "rate"),
    ],
)
def test_stops_what_does_not(text: str, rule: str) -> None:
    report = check_against(text, SOURCE)
    assert rule in report.violations and not report.passed


def test_looks_at_title_headings_text_and_link_of_a_passage() -> None:
    passage = Passage(
        chunk_id="c",
        article_id="a",
        title="Fees 2026",
        url="/help/fees",
        path=("Over 65",),
        language="en",
        text="Free.",
        score=1,
    )
    assert check("In 2026, over 65: see [fees](/help/fees).", [passage]).passed


def test_a_rate_after_the_word_apr_is_no_date_in_april() -> None:
    assert tokens("APR 19.9%") == {"rate:19.9"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1,000", "1000"),
        ("1 000", "1000"),
        ("1,000.50", "1000.5"),
        ("4.50", "4.5"),
        ("1,5", "1.5"),
        ("10.20.30", "102030"),
    ],
)
def test_numbers_have_one_spelling(written: str, expected: str) -> None:
    assert canonical(written) == expected


def test_impossible_dates_are_read_as_numbers() -> None:
    assert "date" not in {token.split(":")[0] for token in tokens("45/13/2026")}


def test_midnight_is_the_hour_nought() -> None:
    assert tokens("12:30 am") == {"time:00:30"}
    assert tokens("12 noon, i.e. 12 pm") == {"time:12:00"}


def test_a_mark_of_a_list_and_a_bare_no_are_no_quotations() -> None:
    source = ("1. Open the app.\n2. Choose Cards.\nOur branch is at Mill Lane No. 5 and is open.",)
    assert check_against("How many cards? 2.", source).violations == ("number",)
    assert check_against("No. Cards cannot be frozen.", source).violations == ("yes_no",)
    assert check_against("1. Open the app.\n2. Choose Cards.", source).passed


def test_open_on_a_day_is_not_closed_on_it() -> None:
    source = ("Open Monday to Saturday, closed on Sunday. The line for lost cards answers 24 hours a day.",)
    assert check_against("Closed on Sundays, open Mon-Sat.", source).passed
    assert check_against("Open on Sunday.", source).violations == ("weekday",)
    assert check_against("Call 24/7.", source).passed


QUOTED = "We send [phone_1] a message about [contract_number_2], not about [code_1]."


def test_a_placeholder_of_the_customers_own_may_be_quoted_and_no_other() -> None:
    own = frozenset({"[phone_1]", "[contract_number_2]"})
    assert "masked" in check(QUOTED, []).violations
    assert "masked" in check(QUOTED, [], own).violations
    assert check(QUOTED.replace("[code_1]", "that"), [], own).violations == ()
    assert "masked" in check("We call [phone_12].", [], own).violations
    assert "masked" in check("Dear {{name}}, we call [phone_1].", [], own).violations


@pytest.mark.parametrize(
    "text",
    ["百分之.5", "百分之。", "百分之..", "Valid from 1 Aprıl 2026.", "See you on frıday.", "On the thırd."],
)
def test_nothing_that_only_looks_like_a_fact_is_an_error(text: str) -> None:
    assert set(check_against(text, (text,)).violations) == set()


def test_a_name_with_a_letter_that_looks_alike_is_that_month_but_another_link() -> None:
    assert tokens("1 Aprıl 2026") == tokens("1 APRİL 2026") == {"date:2026-04-01"}
    assert not check_against("See alıpay.example.", ("See alipay.example.",)).passed
