"""Promises and their days; and how many of the written set's are found (`python -m benchmarks analysis` prints the figures)."""

from datetime import UTC, date, datetime

import pytest

from benchmarks.analysis import PARTS, promises, rows, sentiment
from parley.domain.analysis import analyse
from schemas.analysis import Promise, Side
from tests.support.small_tenant import CONFIG
from tests.support.told import said

MONDAY = datetime(2026, 11, 30, 10, tzinfo=UTC)


def promised(text: str, side: Side = "human_agent", at: datetime = MONDAY) -> list[Promise]:
    return list(analyse(said((side, text), at=at), CONFIG, "en").promises)


@pytest.mark.parametrize("part", PARTS)
def test_the_written_set(part: str) -> None:
    for figures in (promises(rows("promises", part), CONFIG), sentiment(rows("sentiment", part), CONFIG)):
        assert figures["precision"] >= 0.95 and figures["recall"] >= 0.9, figures  # type: ignore[operator]


@pytest.mark.parametrize(
    ("side", "text"),
    [
        ("human_agent", "A technician is going to come next Tuesday."),
        ("human_agent", "The electrician is coming on Wednesday."),
        ("human_agent", "Mr Reed will contact you tomorrow."),
        ("human_agent", "Your case will be closed on Friday."),
        ("human_agent", "We will not only refund the fee but also send you a voucher."),
        ("human_agent", "We will, of course, send you a new card."),
        ("human_agent", "I will not forget to send it."),
        ("human_agent", "Don't worry, we will send it."),
        ("human_agent", "不好意思，我们明天给您回电。"),
        ("human_agent", "我不会忘记给您回电的。"),
        ("human_agent", "您的退款，三天内会到账。"),
        ("customer", "I'll bring the passport to the branch tomorrow."),
        ("customer", "我月底给你们转过去。"),
    ],
)
def test_promises_of_either_side(side: Side, text: str) -> None:
    [promise] = promised(text, side)
    assert promise.by == side and promise.text == text


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("I'll call you today.", date(2026, 11, 30)),
        ("I'll call you by Friday.", date(2026, 12, 4)),
        ("I'll call you on Monday.", date(2026, 12, 7)),
        ("I'll call you within 2 hours.", date(2026, 11, 30)),
        ("I'll call you within 24 hours.", date(2026, 12, 1)),
        ("I'll send it within 3 to 5 working days.", date(2026, 12, 7)),
        ("I'll send it in two weeks.", date(2026, 12, 14)),
        ("I'll send it by the end of the month.", date(2026, 11, 30)),
        ("I'll send it by the end of the year.", date(2026, 12, 31)),
        ("I'll send it on 24 December.", date(2026, 12, 24)),
        ("I'll send it next week.", date(2026, 12, 13)),
        ("I'll refund the payment of last Friday tomorrow.", date(2026, 12, 1)),
        ("I'll refund the fee that you paid three days ago.", None),
        ("I'll send you a new card.", None),
        ("I'll call you by end of day.", date(2026, 11, 30)),
        ("I'll call you by the end of next month.", date(2026, 12, 31)),
        ("I'll call you at the end of December.", date(2026, 12, 31)),
        ("I'll call you on Tuesday next week.", date(2026, 12, 8)),
        ("I'll call you on Tuesday week.", date(2026, 12, 8)),
        ("I'll call you a week from Tuesday.", date(2026, 12, 8)),
        ("I'll call you next Tuesday.", date(2026, 12, 8)),
        ("I'll call you every Tuesday.", None),
        ("I'll call you by the 15th.", date(2026, 12, 15)),
        ("I'll call you this weekend.", date(2026, 12, 6)),
        ("I'll call you first thing in the morning.", date(2026, 12, 1)),
        ("I'll call you not today but tomorrow.", date(2026, 12, 1)),
        ("I'll send it within a fortnight.", date(2026, 12, 14)),
        ("I'll send it within three months.", date(2027, 2, 28)),
        ("我下周二给您回电。", date(2026, 12, 8)),
        ("我周末给您回电。", date(2026, 12, 6)),
        ("我明早给您回电。", date(2026, 12, 1)),
        ("我15号之前给您回电。", date(2026, 12, 15)),
        ("我们12月底之前给您处理。", date(2026, 12, 31)),
        ("我们半个月内给您处理。", date(2026, 12, 15)),
        ("我们三个月内给您处理。", date(2027, 2, 28)),
        ("我们会在5个工作日之内给您寄出新卡。", date(2026, 12, 7)),
        ("我两小时内给您回电。", date(2026, 11, 30)),
        ("我们会在12月3日之前给您回复。", date(2026, 12, 3)),
        ("我们两三天内给您答复。", date(2026, 12, 3)),
        ("我们月底前给您处理。", date(2026, 11, 30)),
    ],
)
def test_days(text: str, due: date | None) -> None:
    [promise] = promised(text)
    assert promise.due == due and promise.text == text and promise.by == "human_agent" and promise.seq == 1


def test_working_days_leave_weekends_and_the_tenants_holidays_out() -> None:
    hours = CONFIG.hours.model_copy(update={"holidays": (date(2026, 12, 25), date(2026, 12, 28))})
    config = CONFIG.model_copy(update={"hours": hours})
    turns = said(
        ("human_agent", "I'll send it within three working days."), at=datetime(2026, 12, 23, 9, tzinfo=UTC)
    )
    [promise] = analyse(turns, config, "en").promises
    assert promise.due == date(2026, 12, 30)


def test_days_are_those_where_the_tenant_is() -> None:
    hours = CONFIG.hours.model_copy(update={"timezone": "Asia/Tokyo"})
    config = CONFIG.model_copy(update={"hours": hours})
    turns = said(("human_agent", "I'll send it tomorrow."), at=datetime(2026, 11, 30, 20, tzinfo=UTC))
    [promise] = analyse(turns, config, "en").promises
    assert promise.due == date(2026, 12, 2)


@pytest.mark.parametrize(
    ("side", "text"),
    [
        ("human_agent", "The branch will be closed on Monday."),
        ("human_agent", "在手机银行的银行卡、限额里面可以调高，四个小时以后生效。"),
        ("human_agent", "Interest rates will be increased in January."),
        ("human_agent", "We will not close your account and send you a bill."),
        ("human_agent", "No one from our team will call you."),
        ("human_agent", "None of our technicians will come."),
        ("human_agent", "I promise nothing."),
        ("human_agent", "I never said we will refund it."),
        ("human_agent", "I didn't say we will refund it."),
        ("human_agent", "Don't expect that we will refund it."),
        ("human_agent", "We will refund it today. Not!"),
        ("human_agent", "Otherwise we will close the case on Friday."),
        ("human_agent", "We will postpone the decision."),
        ("customer", "I will be refunded by Friday, right?"),
        ("customer", 'He wrote: "We will pay it. I promise."'),
        ("customer", "will you call me tomorrow"),
        ("human_agent", "网点下周一会关闭。"),
        ("human_agent", "我们不会马上给您退款。"),
        ("human_agent", "您的退款不会退回您的账户。"),
        ("human_agent", "我们会给您退款才怪。"),
        ("human_agent", "请还款，否则我们会冻结您的账户。"),
        ("customer", "明天你们会联系我的。"),
        ("customer", "我又没说我明天还款。"),
        ("customer", "I'll report this to the ombudsman and call my lawyer."),
        ("customer", "I want to know if I will be able to pay it."),
        ("human_agent", "I'll see you tomorrow."),
        ("customer", "我昨天就把钱还了。"),
        ("human_agent", "不行的话我们会联系您。"),
        ("bot", "The card will arrive within five working days."),
        ("customer", "The card will arrive within five working days."),
        ("customer", "You will receive it tomorrow."),
        ("human_agent", "Should you need it, we will send it."),
        ("human_agent", "I will never send that."),
        ("human_agent", "I think we'll send it."),
        ("human_agent", "When will we send it"),
        ("customer", "你们明天会给我退款。"),
        ("human_agent", "我不能给您退款。"),
        ("human_agent", "[name_1] will [code_1] it"),
    ],
)
def test_no_promises(side: Side, text: str) -> None:
    assert promised(text, side) == []


def test_each_is_listed_once_and_by_whom() -> None:
    turns = said(
        ("human_agent", "I'll send it tomorrow."),
        ("customer", "I'll send it tomorrow."),
        ("human_agent", "As I said, I'll send it tomorrow."),
        ("human_agent", "I'll send it tomorrow!"),
        ("human_agent", "I'll send it tomorrow."),
    )
    found = analyse(turns, CONFIG, "en").promises
    assert [(promise.by, promise.seq) for promise in found] == [
        ("human_agent", 1),
        ("customer", 2),
        ("human_agent", 3),
        ("human_agent", 4),
    ]


def test_recognisers_without_punctuation() -> None:
    text = "okay thank you for waiting i have checked everything my name is anna reed i will send you the form by email tomorrow is there anything else i can help you with"
    [promise] = promised(text)
    assert promise.text == "i will send you the form by email tomorrow" and promise.due == date(2026, 12, 1)
