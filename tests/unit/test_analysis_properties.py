"""Whatever is said in whatever order: an analysis comes out, keeps its contract, and quotes nothing that was not said."""

import re
from datetime import UTC, datetime, timedelta, timezone
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.domain.analysis import SaidTurn, analyse
from schemas.analysis import Analysis
from tests.support.small_tenant import CONFIG

SAID = (
    "I'll send you a refund by Friday . I will not pay it if you call ? what 'll happen , we're angry and very happy thank you "
    "my name is Anna i would like to close [card_1] “ ” \n\n within 3 working days end of the month last week 31/12/9999 "
    "我们 会 在 三个 工作日 内 给您 退款 。 稍后 回电 吗 ？ 如果 不 满意 太 差 明天 还款 您好 两三天内 ， ； 半 年 底"
)
WORDS = SAID.split(" ")
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
TEXTS = st.one_of(SENTENCES, st.text(max_size=200), SENTENCES.map(lambda text: text.replace(" ", "")))
MOMENTS = st.datetimes(
    timezones=st.sampled_from((UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))))
)
TURNS = st.lists(
    st.tuples(st.sampled_from(("customer", "human_agent", "bot")), TEXTS, MOMENTS), max_size=8
).map(
    lambda rows: [SaidTurn(number, side, text, at) for number, (side, text, at) in enumerate(rows, start=1)]  # type: ignore[arg-type]
)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
QUOTED = re.compile("“(.*?)”", re.DOTALL)


def bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


@settings(max_examples=300, deadline=None)
@given(TURNS, st.sampled_from(("en", "zh", "de")))
def test_any_conversation(turns: list[SaidTurn], language: str) -> None:
    found = analyse(turns, CONFIG, language)
    assert Analysis.model_validate_json(found.model_dump_json()) == found
    assert analyse(turns, CONFIG, language) == found
    said = [bare(turn.text) for turn in turns]
    for quoted in QUOTED.findall(found.summary):
        assert any(bare(quoted) in each for each in said), quoted
    texts = {turn.seq: turn for turn in turns}
    for promise in found.promises:
        assert promise.by == texts[promise.seq].side
        assert bare(promise.text) in bare(texts[promise.seq].text)
    for topic in found.topics:
        assert all(texts[seq].side == "customer" for seq in topic.seqs)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(WORDS), st.integers(1, 16_384))
def test_long_texts_take_no_longer_than_they_are(word: str, repeated: int) -> None:
    text = (f"{word} " * repeated)[:16_384]
    began = process_time()
    analyse([SaidTurn(1, "human_agent", text, NOON), SaidTurn(2, "customer", text, NOON)], CONFIG, "en")
    assert process_time() - began < 2


@pytest.mark.parametrize(
    "words",
    [
        "我会给",
        "我们这边会将",
        "我马上把您就",
        "您的卡会",
        "i will have a very ",
        "the team will and ",
        "three days ",
        "we do not record this call ",
        "不会录音",
        "not. ",
        "i want to not\n",
        '" not. ',
        "the branch will the bank ",
        "can't say that it is never ",
        "by the 15th ",
        "三",
        "二十",
    ],
)
def test_what_nearly_promises_again_and_again_takes_no_longer(words: str) -> None:
    text = (words * 16_384)[:16_384]
    began = process_time()
    analyse([SaidTurn(1, "human_agent", text, NOON), SaidTurn(2, "customer", text, NOON)], CONFIG, "zh")
    assert process_time() - began < 2


def test_dates_at_the_ends_of_time() -> None:
    turns = [
        SaidTurn(
            1, "human_agent", "I'll send it within 999 months, in 900 days, next year, tomorrow.", moment
        )
        for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    ]
    assert len(analyse(turns, CONFIG, "en").promises) == 1
