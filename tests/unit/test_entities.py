"""Entities: a text, and what is found in it on 24 November 2026, a Tuesday. Half of the texts were written after the rules."""

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.domain.entities import entities, together
from parley.domain.entities.rules import MOST
from schemas.parts import Entity
from tests.support.growth import SQUARED, growth

ON = date(2026, 11, 24)
CASES = """
I paid €1,234.50 yesterday | amount EUR 1234.50; date 2026-11-23
1.5k euros please | amount EUR 1500.00
two hundred pounds | amount GBP 200.00
a hundred dollars were booked | amount USD 100.00
twenty-five euros and fifty cents | amount EUR 25.00
EUR 1.234,50 was debited | amount EUR 1234.50
12'500 CHF | amount CHF 12500.00
CHF 12.500,75 | amount CHF 12500.75
£5 fee | amount GBP 5.00
$1.2 million | amount USD 1200000.00
3 million yen | amount JPY 3000000
5000 zloty to Krakow | amount PLN 5000.00
100 USD in cash | amount USD 100.00
between 50 and 100 euros | amount EUR 50.00; amount EUR 100.00
transfer 2500 to my brother | amount 2500.00
I was charged 45.90 twice | amount 45.90
the limit is 2000 per day | amount 2000.00
withdraw 300 from the machine | amount 300.00
三百五十块 | amount CNY 350.00
1.2万元 | amount CNY 12000.00
一千二百欧元 | amount EUR 1200.00
人民币5000元 | amount CNY 5000.00
￥５００ | amount CNY 500.00
扣了300 | amount 300.00
转账5000到我的账户 | amount 5000.00
两百美元 | amount USD 200.00
五万日元 | amount JPY 50000
rate of 3.75% | rate 3.75%
five percent interest | rate 5%
百分之五 | rate 5%
千分之五 | rate 0.5%
利率3.5% | rate 3.5%
on 3 March 2026 | date 2026-03-03
March 3rd, 2026 | date 2026-03-03
3/11/2026 | date 2026-11-03
2026-11-03 | date 2026-11-03
3.11.26 | date 2026-11-03
3 November | date 2026-11-03
Dec 1 | date 2026-12-01
3-5 March 2027 | date 2027-03-03/2027-03-05
may 3rd 2026 | date 2026-05-03
today | date 2026-11-24
the day before yesterday | date 2026-11-22
last Friday | date 2026-11-20
last Tuesday | date 2026-11-17
next Monday | date 2026-11-30
this Thursday | date 2026-11-26
last week | date 2026-W47
next month | date 2026-12
last year | date 2025
three weeks ago | date 2026-11-03
in two days | date 2026-11-26
two months ago | date 2026-09
since the 1st of this month | date 2026-11-01
on the 15th | date 2026-11-15
11月3日 | date 2026-11-03
二〇二六年十一月三日 | date 2026-11-03
15号到账 | date 2026-11-15
上周五 | date 2026-11-20
下周一 | date 2026-11-30
昨天晚上 | date 2026-11-23
上个月3号 | date 2026-10-03
3天前 | date 2026-11-21
去年 | date 2025
下个月 | date 2026-12
card ending 4821 | card_digits 4821
my card ends in 4821 | card_digits 4821
account ending 332 | account_digits 332
the last four digits are 4821 | card_digits 4821
card ending four eight two one | card_digits 4821
尾号4821的卡 | card_digits 4821
账户尾号是1234 | account_digits 1234
尾号四八二一 | card_digits 4821
reference AB-12345 | reference_number AB-12345
order number 113542617735902 | order_number 113542617735902
ticket no. 883421 | reference_number 883421
订单号202611230045 | order_number 202611230045
流水号：88213344 | reference_number 88213344
fees for paying in US dollars | currency USD
可以付日元吗 | currency JPY
my [card_1] and [code_2] |
I have 3 cards and 2 accounts |
3号线怎么走 |
24 hours a day, 7 days a week |
version 2.3.4 |
I may be late |
The bakery took 12.80€ from my card the day before yesterday | amount EUR 12.80; date 2026-11-22
why 99 USD on 14 Nov? | amount USD 99.00; date 2026-11-14
send five thousand euros to Spain tomorrow | amount EUR 5000.00; date 2026-11-25
I need EUR 750,00 | amount EUR 750.00
my rent of 1,150 went out on the 1st | amount 1150.00; date 2026-12-01
half a million pounds | amount GBP 500000.00
I get 2.3k a month |
Rs 500 |
500 rupees | amount INR 500.00
the fee was £3.5 | amount GBP 3.50
can I take out 1000 bucks | amount USD 1000.00
€20-30 | amount EUR 20.00
pay back 80 next Friday | amount 80.00; date 2026-12-04
price 49,99 euro | amount EUR 49.99
1 250 EUR | amount EUR 1250.00
I owe 4000 on my loan | amount 4000.00
they refunded only 20 of it |
balance is -35.20 euros | amount EUR 35.20
charged me 15 pounds instead of 12 | amount GBP 15.00; amount 12.00
three hundred and fifty dollars | amount USD 350.00
APR of 11.9 percent | rate 11.9%
interest went from 2% to 2.5% | rate 2%; rate 2.5%
利息百分之三点五 | rate 3.5%
昨天扣了我两百五十欧 | date 2026-11-23; amount EUR 250.00
工资一万二千元 | amount CNY 12000.00
卡里只剩50块钱 | amount CNY 50.00
借3万欧元 | amount EUR 30000.00
付了99.9元 | amount CNY 99.90
港币800 | amount HKD 800.00
800港币 | amount HKD 800.00
10英镑手续费 | amount GBP 10.00
一百块 | amount CNY 100.00
余额还有1200 | amount 1200.00
取了500出来 | amount 500.00
23rd of October | date 2026-10-23
Oct 23rd | date 2026-10-23
24/12 |
24/12/2026 | date 2026-12-24
25.12.2026 | date 2026-12-25
12/25/2026 | date 2026-12-25
2026/1/9 | date 2026-01-09
29 February 2027 |
1st January | date 2027-01-01
a week ago | date 2026-11-17
10 days ago | date 2026-11-14
in a month | date 2026-12
next week | date 2026-W49
this month | date 2026-11
last night | date 2026-11-23
this morning | date 2026-11-24
next Sunday | date 2026-12-06
last Monday | date 2026-11-23
past Wednesday | date 2026-11-18
before the 20th | date 2026-11-20
tomorrow morning | date 2026-11-25
前天下午 | date 2026-11-22
大前天 | date 2026-11-21
后天 | date 2026-11-26
上上周三 | date 2026-11-11
这周六 | date 2026-11-28
下星期天 | date 2026-12-06
两周前 | date 2026-11-10
十天后 | date 2026-12-04
上周 | date 2026-W47
本月20号 | date 2026-11-20
12月25号 | date 2026-12-25
2026年1月 |
十月一日 | date 2026-10-01
今天早上 | date 2026-11-24
card ending in 0032 | card_digits 0032
the visa ending 9912 | card_digits 9912
debit card with last 4 digits 1177 | card_digits 1177
my account finishing 845 | account_digits 845
**** 4821 | card_digits 4821
xxxx 3310 | card_digits 3310
末四位是5566 | card_digits 5566
后四位1029的储蓄卡 | card_digits 1029
帐户尾号0098 | account_digits 0098
order #88123 | order_number 88123
my booking reference is QX7T2P | order_number QX7T2P
case ID 2026-00417 | reference_number 2026-00417
invoice INV/2026/0031 | reference_number INV/2026/0031
complaint number C-8812 | reference_number C-8812
tracking number 1Z999AA10123456784 | reference_number 1Z999AA10123456784
transaction id 99-AB-1 | reference_number 99-AB-1
ref: 44-1029 | reference_number 44-1029
parcel 00340434161094 | order_number 00340434161094
订单 883321 | order_number 883321
交易编号 TX20261103 | reference_number TX20261103
工单号是A10293 | reference_number A10293
快递单号 SF1029384756 | order_number SF1029384756
do you exchange Swiss francs | currency CHF
人民币怎么换成英镑 | currency CNY; currency GBP
call me at 5 pm |
room 12, floor 3 |
iPhone 15 |
5号窗口 |
[phone_1] is my number |
order pizza for 4 |
"""


def _found(text: str) -> list[str]:
    return [f"{entity.kind} {entity.value}" for entity in entities(text, ON)]


@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_what_is_found_in_a_text(case: str) -> None:
    text, expected = case.rsplit(" |", 1)
    assert _found(text) == [one.strip() for one in expected.split(";") if one.strip()]


def test_the_text_of_an_entity_is_the_customers_own() -> None:
    [amount, day] = entities("Es waren １,２３４.50\u200b€ 上周五", ON)
    assert (amount.value, day.value) == ("EUR 1234.50", "2026-11-20")
    assert day.text == "上周五" and amount.start == 9


@pytest.mark.parametrize(
    "text", ["[card_1]", "pay [account_2] 3 times", "reference [code_12]", "尾号[card_1]", "order [phone_1]"]
)
def test_a_placeholder_is_no_entity(text: str) -> None:
    assert entities(text, ON) == ()


def test_a_pasted_statement_gives_no_more_than_a_message_could_have() -> None:
    assert len(entities("3 March 2026 12.50 EUR\n" * 200, ON)) == MOST


def test_dates_that_are_in_no_calendar_are_none() -> None:
    assert entities("30 February 2026, 31/04/2026, 2026-13-01, 13月40日", ON) == ()


def test_numbers_beyond_reason_are_none() -> None:
    assert entities("€" + "9" * 40 + ", 9" + "9" * 30 + "%", ON) == ()


def test_relative_dates_count_from_the_day_of_the_message() -> None:
    assert _found("on 31 December, last month, 999 years ago") == ["date 2026-12-31", "date 2026-10"]
    [new_year] = entities("yesterday", date(2027, 1, 1))
    assert new_year.value == "2026-12-31"
    [week] = entities("next week", date(2026, 12, 30))
    assert week.value == "2027-W01"


def test_of_two_finders_the_first_is_believed_where_they_overlap() -> None:
    rules = (Entity(kind="amount", text="5 EUR", value="EUR 5.00", start=10),)
    model = (
        Entity(kind="number", text="5", value="5", start=10),
        Entity(kind="city", text="Rome", value="Rome", start=2),
    )
    assert [entity.kind for entity in together(rules, model)] == ["city", "amount"]


@given(
    st.text(
        alphabet=st.characters() | st.sampled_from("0123456789€.,- 年月日号一二百万元周上尾card"),
        max_size=200,
    )
)
def test_any_text_is_read_and_every_entity_stands_where_it_says(text: str) -> None:
    found = entities(text, ON)
    assert all(text[one.start : one.start + len(one.text)] == one.text for one in found)
    assert all(one.start + len(one.text) <= other.start for one, other in itertools.pairwise(found))


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "a",
        "1 ",
        "1,",
        "1.",
        "card ",
        "card ending ",
        "last four of a ",
        "order number ",
        "ref-1-",
        "€ 1",
        "pay 1 to ",
        "一",
        "百",
        "上",
        "尾号",
        "月3号",
        "十",
        "hundred ",
        "one hundred and ",
        "last ",
        "in 3 ",
        "the 3rd of ",
        "of the ",
        "x",
        "*",
        "3 may ",
        "in 3 days with ",
        "paid paid ",
        "转了",
        " ",
        "\u200b",
        "[card_1]",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    assert growth(lambda text: entities(text, ON), piece) < SQUARED / 2
