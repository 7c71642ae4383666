"""What Chinese chunks are called, and what it is worth that a question or the turns before it say so."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from parley.domain.chunking import Chunk
from parley.domain.lexical import NO_STATISTICS, Statistics, asked, counts_of, fields_of, score
from parley.domain.naming import NAMED, TURN_WEIGHT, named, names_of, split, subject
from tests.support.retrievers import chunk


def place(title: str, text: str) -> Chunk:
    return chunk(title, text, title=title, language="zh")


def scores(chunks: Sequence[Chunk], text: str, *history: str) -> list[float]:
    fields = [fields_of(each) for each in chunks]
    statistics = Statistics.of(fields)
    words = asked(text, history=history, language="zh")
    return [
        score(statistics.worth(words.weights), words.said, counts_of(each), statistics) for each in fields
    ]


def one(term: str) -> float:
    return 1.0


class TestNames:
    def test_are_title_phrases_heading_and_subject_each_once(self) -> None:
        found = chunk(
            "a", "现金价值是指退保能拿回的钱", title="保单价值", language="zh", asked_as=("退保", "退保")
        )
        found = replace(found, path=("费用", "提前结束"))
        assert names_of(found) == [
            ["保单", "单价", "价值"],
            ["退保"],
            ["提前", "前结", "结束"],
            ["现金", "金价", "价值"],
        ]

    def test_stand_before_brackets_and_in_them(self) -> None:
        assert names_of(place("东岳庙(民俗馆)", "开放")) == [
            ["东岳", "岳庙", "民俗", "俗馆"],
            ["东岳", "岳庙"],
            ["民俗", "俗馆"],
        ]

    def test_have_words_and_numbers_but_no_single_characters(self) -> None:
        assert names_of(place("的 ETF 50", "")) == [["etf", "50"]]
        assert names_of(place("的", "")) == []

    def test_are_kept_one_a_line(self) -> None:
        fields = fields_of(place("午门(正门)", "开放"))
        assert fields.names == "午门 正门\n午门\n正门"
        assert (
            counts_of(fields).names == tuple(split(fields.names)) == (("午门", "正门"), ("午门",), ("正门",))
        )

    def test_only_chinese_chunks_have_some(self) -> None:
        assert names_of(chunk("a", "Fees", title="Fees")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6.1.10\n宽限期\n分期支付保险费的", "宽限期"),
        ("12-深度昏迷\n指意识丧失", "深度昏迷"),
        ("(三)犹豫期:自收到合同起", "犹豫期"),
        ("现金价值通常是指保险单所具有的价值", "现金价值"),
        ("数值越大越好,表示收益能力越强", "数值越大越好"),
        ("以非公开方式向特定投资者募集资金的基金。", ""),
        ("指恢复保险合同的效力", ""),
        ("7.4", ""),
        ("", ""),
    ],
)
def test_the_subject_is_a_heading_or_what_is_defined(text: str, expected: str) -> None:
    assert subject(text) == expected


class TestWorth:
    NAMES = (("午门",), ("故宫", "宫博", "博物"))

    def test_whole_names_count_by_their_terms(self) -> None:
        assert named({"午门": [0]}, self.NAMES, one) == (NAMED, 1.0)
        said = {"故宫": [0], "宫博": [0], "博物": [0]}
        assert named(said, self.NAMES, one) == (3 * NAMED, 1.0)

    def test_parts_count_less_than_their_share(self) -> None:
        most, share = named({"故宫": [0]}, self.NAMES, one)
        assert most == pytest.approx(NAMED / 9)
        assert share == pytest.approx(1 / 3)

    def test_what_was_said_before_fades_and_is_not_the_questions(self) -> None:
        most, share = named({"午门": [2]}, self.NAMES, one)
        assert most == pytest.approx(NAMED * TURN_WEIGHT**2)
        assert share == 0.0

    def test_parts_of_two_turns_make_no_name(self) -> None:
        most, _ = named({"故宫": [0], "宫博": [1], "博物": [1]}, self.NAMES, one)
        assert most == pytest.approx(NAMED * TURN_WEIGHT * 2 * (2 / 3) ** 2)

    def test_nothing_said_or_known_is_worth_nothing(self) -> None:
        assert named({}, self.NAMES, one) == (0.0, 0.0)
        assert named({"午门": [0]}, self.NAMES, NO_STATISTICS.rarity) == (0.0, 0.0)


PLACES = (
    place("三里屯", "时尚街区,全天开放,门票免费"),
    place("天坛", "周边有三里屯,三里屯很近,门票15元"),
    place("神武门", "故宫的北门"),
)


def test_who_is_named_comes_before_who_only_mentions() -> None:
    found = scores(PLACES, "三里屯门票多少钱")
    assert found[0] > found[1] > found[2]


def test_a_follow_up_finds_what_was_named_before() -> None:
    here = scores(PLACES, "要门票吗", "想去三里屯", "好的,是个时尚街区")
    there = scores(PLACES, "要门票吗", "想去天坛", "好的")
    assert max(here) == here[0] and max(there) == there[1]


def test_a_chunk_whose_names_are_not_said_loses_a_little() -> None:
    chunks = (place("开放", "门票免费"), replace(place("", "门票免费"), title=""))
    with_name, without = scores(chunks, "门票")
    assert 0 < with_name < without
