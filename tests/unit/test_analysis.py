"""The analysis of finished conversations: a summary of what was said, topics, sentiment, and the check-list."""

import re
from datetime import timedelta

import pytest

from benchmarks.analysis import CHECKED, checked, rows
from parley.domain.analysis import SaidTurn, analyse, checklist_of
from schemas.analysis import Analysis
from schemas.parts import Risk, ScoredIntent
from schemas.tenant import Calls, ChecklistItem, TenantConfig
from tests.support.small_tenant import CONFIG
from tests.support.told import Line, said

LOST_CARD: tuple[Line, ...] = (
    ("human_agent", "Good morning, Alder Bank, this call is recorded. How can I help you?"),
    ("customer", "Hello, I lost my debit card yesterday and I am really worried."),
    ("human_agent", "I'm sorry to hear that. May I have your date of birth, please?"),
    ("customer", "Yes, the third of May."),
    ("human_agent", "Thank you. I have blocked the card, so nobody can use it."),
    ("human_agent", "I'll send you a new one, it will arrive within five working days."),
    ("customer", "That's wonderful, thank you so much."),
    ("human_agent", "You're welcome. Have a great day!"),
)
CHINESE_CALL: tuple[Line, ...] = (
    ("human_agent", "您好，安德银行，本次通话会被录音，请问有什么可以帮您？"),
    ("customer", "你好，我的信用卡被多扣了一笔年费，我很生气。"),
    ("human_agent", "非常抱歉，请问您的姓名和身份证后四位？"),
    ("customer", "王丽，一二三四。"),
    ("human_agent", "由于系统错误，年费重复扣了一次。我们会在三个工作日内给您退款。"),
    ("customer", "好的，谢谢。"),
)


def analysed(*lines: Line, language: str = "en", config: TenantConfig = CONFIG) -> Analysis:
    return analyse(said(*lines), config, language)


def with_checklist(*items: ChecklistItem) -> TenantConfig:
    return CONFIG.model_copy(update={"calls": Calls(checklist=items)})


def test_a_summary_says_what_was_wanted_done_promised_and_how_it_ended() -> None:
    assert analysed(*LOST_CARD).summary == (
        "The customer said: “I lost my debit card yesterday and I am really worried.” "
        "The agent said: “I have blocked the card, so nobody can use it.” "
        "The agent promised: “I'll send you a new one, it will arrive within five working days.” (by 30 November 2026) "
        "At the end the customer said thank you."
    )


def test_a_chinese_summary() -> None:
    assert analysed(*CHINESE_CALL, language="zh").summary == (
        "客户表示：“我的信用卡被多扣了一笔年费，我很生气。”坐席表示：“由于系统错误，年费重复扣了一次。”"
        "坐席承诺：“我们会在三个工作日内给您退款。”（2026年11月26日前）结束时客户表示感谢。"
    )


def test_intents_give_the_topics_and_their_titles() -> None:
    sure = (ScoredIntent(intent="card_lost", probability=0.9),)
    unsure = (ScoredIntent(intent="fees", probability=0.3),)
    small_talk = (ScoredIntent(intent="hello", probability=0.99),)
    turns = said(
        ("customer", "hello"), ("customer", "I lost my card"), ("customer", "my card"), ("customer", "costs?")
    )
    intents = (small_talk, sure, sure, unsure)
    read = [
        SaidTurn(turn.seq, turn.side, turn.text, turn.at, intents=each)
        for turn, each in zip(turns, intents, strict=True)
    ]
    found = analyse(read, CONFIG, "zh")
    assert [(topic.label, topic.intent, topic.share, topic.seqs) for topic in found.topics] == [
        ("（card_lost）", "card_lost", 0.5, (2, 3))
    ]
    assert found.summary.startswith("主题：（card_lost）。")


def test_without_intents_the_customers_own_words_are_the_topics() -> None:
    found = analysed(
        ("customer", "My name is Paula Reed. My mortgage payment was taken twice."),
        ("human_agent", "Which mortgage payment, Paula?"),
        ("customer", "The mortgage payment of June, Reed is the name."),
    )
    assert [(topic.label, topic.intent, topic.share, topic.seqs) for topic in found.topics] == [
        ("mortgage payment", None, 1.0, (1, 3))
    ]
    chinese = analysed(("customer", "我的信用卡账单不对"), ("customer", "信用卡账单多了一笔"), language="zh")
    assert "信用卡账单" in chinese.topics[0].label


def test_risks_are_named_gravest_first() -> None:
    turn = said(("customer", "I was scammed and I want to complain"))[0]
    risky = SaidTurn(
        turn.seq,
        turn.side,
        turn.text,
        turn.at,
        risks=(Risk(kind="complaint", evidence="complain"), Risk(kind="fraud", evidence="scammed")),
    )
    assert "To be careful with: fraud, complaint." in analyse([risky], CONFIG, "en").summary


def test_who_leaves_unhappy_is_told_of() -> None:
    found = analysed(
        ("customer", "My transfer has not arrived."),
        ("human_agent", "There is nothing that we can do before Monday."),
        ("customer", "This is ridiculous, your service is terrible."),
    )
    assert found.summary.endswith(
        "At the end the customer was dissatisfied: “This is ridiculous, your service is terrible.”"
    )
    assert found.sentiment.customer_ended < -0.5


def test_who_is_content_with_the_last_word_is_not_told_of_as_unhappy() -> None:
    found = analysed(
        ("customer", "This is ridiculous, your service is terrible."),
        ("human_agent", "I have taken down your complaint, and my manager will call you back by Friday."),
        ("customer", "Okay, that's fair enough. Thanks for taking it seriously."),
    )
    assert "dissatisfied" not in found.summary
    assert found.sentiment.customer_ended > 0.25


@pytest.mark.parametrize(
    ("lines", "summary"),
    [
        ((), "Nothing was said."),
        ((("human_agent", "Hello?"), ("human_agent", "Hello, are you there?")), "The customer said nothing. It had 2 turns."),
        (
            (("customer", "What does the account cost?"), ("bot", "The Everyday account costs €4.50 a month.")),
            "The customer said: “What does the account cost?” "
            "The bot said: “The Everyday account costs €4.50 a month.” It had 2 turns.",
        ),
    ],
)  # fmt: skip
def test_short_conversations(lines: tuple[Line, ...], summary: str) -> None:
    assert analysed(*lines).summary == summary


def test_greetings_apologies_and_who_is_calling_are_left_out() -> None:
    found = analysed(
        ("human_agent", "Hello, this is Tom Reed from Test Bank. Thank you for holding."),
        ("customer", "yeah hi so i was charged twice for one payment my account number is 123456"),
        ("human_agent", "Sorry about that, Paula. It appears that the payment was sent twice."),
        ("customer", "I see."),
    )
    assert found.summary == (
        "The customer said: “I was charged twice for one payment.” "
        "The agent said: “It appears that the payment was sent twice.” It had 4 turns."
    )
    chinese = analysed(
        ("customer", "你好，那个，手续费怎么扣了两次"),
        ("human_agent", "先生您好，感谢您的耐心等待，系统显示这笔交易重复扣款。"),
        language="zh",
    )
    assert chinese.summary == (
        "客户表示：“手续费怎么扣了两次。”坐席表示：“系统显示这笔交易重复扣款。”共 2 轮发言。"
    )


def test_where_hardly_anything_is_said_that_is_told() -> None:
    assert (
        analysed(("customer", "Hi"), ("human_agent", "Yes?")).summary
        == "Hardly anything was said. It had 2 turns."
    )


def test_what_the_matter_is_tells_more_than_who_shall_deal_with_it() -> None:
    found = analysed(("customer", "I want to talk to a human."), ("customer", "The machine kept my card."))
    assert "The machine kept my card." in found.summary and "human" not in found.summary


def test_the_companys_great_is_no_feeling() -> None:
    assert analysed(("human_agent", "Perfect, and your date of birth?")).sentiment.turns == ()
    assert analysed(("customer", "Perfect, that is what I need!")).sentiment.turns[0].score > 0


def test_other_languages_are_quoted_as_they_are() -> None:
    found = analysed(
        ("customer", "我的卡丢了，怎么补办？"), ("human_agent", "I have ordered a new card for you.")
    )
    assert found.summary.startswith(
        "The customer said: “我的卡丢了，怎么补办？” The agent said: “I have ordered"
    )


def test_two_thousand_turns_make_a_summary_of_some_sentences() -> None:
    found = analysed(*(LOST_CARD * 250))
    assert len(found.summary) < 1_500
    assert len(found.promises) == 1
    assert found.summary.startswith("The customer said: “I lost my debit card yesterday")


def test_no_quotation_ends_within_a_word() -> None:
    long = "I want to know why " + ", ".join(
        f"the payment number {number} was refused" for number in range(40)
    )
    found = analysed(("customer", long))
    quoted = re.findall("“(.*?)”", found.summary)
    assert quoted and quoted[0].endswith(" …") and len(quoted[0]) <= 242
    assert quoted[0].removesuffix(" …").endswith("was refused")


def test_sentiment_by_turn_and_how_the_customers_went() -> None:
    found = analysed(*LOST_CARD).sentiment
    scores = {turn.seq: turn.score for turn in found.turns}
    assert scores[2] < 0 < scores[7] and {1, 3, 4, 5, 8}.isdisjoint(scores)
    assert found.customer_began == scores[2] and found.customer_ended == scores[7]
    assert found.customer == pytest.approx((scores[2] + scores[7]) / 2, abs=0.01)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("I am happy", "I am not happy"),
        ("I am very happy", "I am happy"),
        ("I am angry", "I am extremely angry"),
        ("I am slightly annoyed", "I am annoyed"),
        ("我很满意", "我不满意"),
        ("我有点生气", "我非常生气"),
        ("I am happy", "I can't say that I'm happy"),
        ("thanks", "thanks for nothing"),
        ("that is helpful", "that is anything but helpful"),
        ("I've never had a better experience", "I've never had such a bad experience"),
        ("I have no complaints", "I have complaints"),
        ("that is great", "oh great, another fee"),
        ("that was not bad at all", "that was bad"),
        ("服务很好", "服务不好"),
        ("专业", "算不上专业"),
        ("没什么不满意的", "不满意"),
        ("再好不过了", "不怎么样"),
    ],
)
def test_what_denies_and_strengthens_counts(better: str, worse: str) -> None:
    def score(text: str) -> float:
        return next((turn.score for turn in analysed(("customer", text)).sentiment.turns), 0.0)

    assert score(better) > score(worse)


def test_the_platforms_check_list_applies_to_who_has_none() -> None:
    checks = {check.id: check.seq for check in analysed(*LOST_CARD).checks}
    assert checks == {"greeting": 1, "identification": 3, "disclosure": 1}
    assert {check.id: check.seq for check in analysed(*CHINESE_CALL, language="zh").checks} == {
        "greeting": 1,
        "identification": 3,
        "disclosure": 1,
    }
    assert [item.id for item in checklist_of(CONFIG)] == ["greeting", "identification", "disclosure"]


def test_an_own_check_list_takes_its_place() -> None:
    item = ChecklistItem(
        id="terms", title={"en": "Terms"}, phrases={"en": ("terms and conditions apply",)}, within_turns=2
    )
    config = with_checklist(item)
    late: tuple[Line, ...] = (
        ("human_agent", "Hello."),
        ("customer", "terms and conditions apply"),
        ("human_agent", "A moment."),
        ("human_agent", "Terms and conditions apply."),
    )
    [check] = analysed(*late, config=config).checks
    assert not check.passed and check.seq is None
    [check] = analysed(*late[1:], config=config).checks
    assert check.passed and check.seq == 3
    assert analysed(*late, config=with_checklist()).checks == ()


@pytest.mark.parametrize(
    ("phrase", "text", "passed"),
    [
        ("call is recorded", "THIS CALL, is now being RECORDED!", True),
        ("this call is recorded", "this call's recorded", True),
        ("we are recording this call", "we're recording this call", True),
        ("call is recorded", "your call about the recorded delivery", False),
        ("call is recorded", "the call is not recorded", False),
        ("call recorded", "recall recorded", False),
        ("通话录音", "本次通话将会被录音。", True),
        ("您的姓名", "请问你的姓名", True),
        ("会录音", "我们不会录音", False),
        ("通话录音", "通话结束以后没有人录音", False),
        ("record this call", "We don't record this call.", False),
        ("record this call", "we dont record this call", False),
        ("record this call", "We do not, as a rule, record this call.", False),
        ("record this call", "Record this call we never do.", False),
        ("recorded for training", "This call won't be recorded for training.", False),
        ("recorded for training", "It will not be monitored, and it will be recorded for training.", True),
        ("call is recorded", "I don't think this call is recorded.", False),
        ("call is recorded", "i can't hear you this call is recorded", True),
        ("call is recorded", "Is this call recorded? No.", False),
        ("call is recorded", "This call is recorded. Not!", False),
        ("call is recorded", "No problem, this call is recorded and can't be deleted.", True),
        ("never ask for your pin", "We will never ask for your PIN.", True),
        ("your account number", "I can't give you your account number.", False),
        ("your account number", "If it isn't lost, your account number, please.", True),
        ("may i have your name", "i couldn't find you may i have your name", True),
        ("good morning", "This isn't a good morning.", False),
        ("被录音", "您的通话不会被录音。", False),
        ("进行录音", "我们没有进行录音。", False),
        ("会录音", "会录音吗？不会。", False),
        ("通话录音", "通话录音已经关闭了。", False),
        ("通话录音", "不好意思，通话录音不会外传。", True),
        ("你好", "你这边好像没有收到", False),
        ("你好", "你好几次没接了", False),
        ("你好", "您好，没问题。", True),
    ],
)
def test_phrases_are_found_as_they_are_spoken(phrase: str, text: str, passed: bool) -> None:
    item = ChecklistItem(id="said", title={"en": "Said"}, phrases={"en": (phrase,)})
    [check] = analysed(("human_agent", text), config=with_checklist(item)).checks
    assert check.passed is passed


@pytest.mark.parametrize("part", CHECKED)
def test_what_is_denied_counts_as_not_said(part: str) -> None:
    figures = checked(rows("checks", part))
    assert figures["precision"] >= 0.95 and figures["recall"] >= 0.95, figures  # type: ignore[operator]


def test_nobody_says_thank_you_who_does_not() -> None:
    for last in (
        "Thanks for nothing.",
        "I don't appreciate that.",
        "I would appreciate a call.",
        "谢谢你们什么都没做。",
        "不用谢。",
    ):
        assert "thank you" not in analysed(("customer", "My card is lost."), ("customer", last)).summary
    assert "thank you" in analysed(("customer", "My card is lost."), ("customer", "Thanks!")).summary


def test_lists_are_bounded_and_fit_into_a_record() -> None:
    lines: list[Line] = [
        (
            "customer" if number % 2 else "human_agent",
            f"I am very angry and I will send you letter {number} tomorrow.",
        )
        for number in range(20_000)
    ]
    found = analyse(said(*lines), CONFIG, "en")
    assert len(found.promises) == 100 and len(found.sentiment.turns) == 5_000
    assert all(len(topic.seqs) <= 500 for topic in found.topics)
    assert len(found.model_dump_json()) < 500_000


def test_the_length_is_told_where_nothing_else_tells_the_end() -> None:
    turns = said(("customer", "I want to order a card"), ("human_agent", "It costs ten euros."), apart_s=150)
    ended = [
        *turns[:-1],
        SaidTurn(2, "human_agent", turns[1].text, turns[1].at, turns[1].at + timedelta(seconds=30)),
    ]
    assert analyse(ended, CONFIG, "en").summary.endswith("It had 2 turns in 3 min.")
