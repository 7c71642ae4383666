"""A quotation says what was said: a run of its words, and never the half of a denial."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parley.domain.analysis import SaidTurn, analyse
from parley.domain.analysis.quoting import quoted
from parley.domain.analysis.said import pieces
from tests.support.small_tenant import CONFIG

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DENIALS = frozenset(
    """
    not never no nobody nothing none neither don't didn't won't can't isn't cannot without 不 没 未 别 无
    """.split()  # noqa: SIM905
)
SAID = (
    "hello Hello hi Hi there Good morning good evening, Thanks thank you Anna Anna, Never, nobody Nobody, not Not not. Not! no No, never never, don't didn't won't "
    "can't. nothing isn't yeah, right, Yes, so so, okay well and but i I we my you can could like to want need would i'd is it what how the fee fee, card. "
    "payment mine mine. mine? sent; \n \r\n 9 a.m. Mr. iPhone “ ” ) - … ok? all please today told said that paid charged 您好， 你好 喂 嗯 好的， 对， 不好意思， "
    "抱歉， 感谢 感谢您的理解， 我 没 没有。 不 不是， 不是。 别 收到 付款 付款， 付款。 这笔 吗？ 呢 ； 、 那个， 先生，"
)
WORDS = SAID.split(" ")
LONG = st.lists(st.sampled_from(WORDS), min_size=1, max_size=160)
TEXTS = st.one_of(LONG.map(" ".join), LONG.map("".join))
MARKS = str.maketrans(dict.fromkeys('‘’“”"', "'"))
"""A quotation has other quotation marks within."""
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|[\u3400-\u9fff]|[^\W\d_]+")
SENTENCE_END = re.compile(r"[.!?。！？]")
PAUSE = re.compile(r"[^\w\s'’-]|\n")
FEW_WORDS = 3


def words(text: str) -> list[str]:
    return WORD.findall(text.lower().translate(MARKS))


def keeps_denials(text: str, quotation: str) -> bool:
    """Whether the quotation's words stand in a row in the text, with no denial directly before them or behind them.

    A denial in a longer sentence of its own behind them is another matter.
    """
    found = [*WORD.finditer(text.lower().translate(MARKS))]
    inside, all_words = words(quotation[1:-1]), words(text)
    size = len(inside)
    for at in range(len(found) - size + 1):
        if all_words[at : at + size] != inside:
            continue
        before_denies = at > 0 and all_words[at - 1] in DENIALS
        after = found[at + size] if at + size < len(found) else None
        if not before_denies and not (after and all_words[at + size] in DENIALS and _belongs(text, after)):
            return True
    return False


def _belongs(text: str, denial: re.Match[str]) -> bool:
    before = re.split(r"[\w]", text[: denial.start()])[-1]
    sentence = PAUSE.split(text[denial.start() :])[0]
    own = bool(SENTENCE_END.search(before)) and len(words(sentence)) > FEW_WORDS
    return not own or text[denial.start()].islower()


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
@example("i did not\npay that fee")
@example("I am happy with all of it. Not!")
@example("这是我付的吗？不是。")
@example("no one ever told me that i i need to pay for this one")
@example("the fee and the card and the payment " * 9 + "is not mine")
@example("我们 " * 100 + "不 " + "付款 " * 150)
def test_what_is_quoted_is_a_run_of_words_that_loses_no_denial(text: str) -> None:
    for piece in pieces(text):
        quotation = quoted(piece)
        if words(quotation):
            assert keeps_denials(text, quotation), (text, piece, quotation)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from(("en", "zh")))
def test_so_is_what_a_summary_quotes(texts: list[str], language: str) -> None:
    turns = [
        SaidTurn(seq, "human_agent" if seq % 2 else "customer", text, NOON)
        for seq, text in enumerate(texts, start=1)
    ]
    for quotation in re.findall("“.*?”", analyse(turns, CONFIG, language).summary, re.DOTALL):
        if words(quotation):
            assert any(keeps_denials(text, quotation) for text in texts), (texts, quotation)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Good morning, not a single payment of these is mine.", "Not a single payment of these is mine."),
        ("Hello, nobody told me about the fee.", "Nobody told me about the fee."),
        ("Hi there, nothing works", "Nothing works."),
        ("Hello never charge me again", "Hello never charge me again."),
        ("Hello, we don't record this call", "We don't record this call."),
        ("Hello Never, charge me again", "Hello Never, charge me again."),
        ("Good evening Anna, I lost my card.", "I lost my card."),
        ("Yeah, right, you will call me back.", "Yeah, right, you will call me back."),
        ("do not call me again", "Do not call me again."),
        ("what you said is wrong", "What you said is wrong."),
        ("can you call me", "Can you call me?"),
        ("how much is it", "How much is it?"),
        ("when i called nobody answered", "When I called nobody answered."),
        ("iPhone insurance was charged twice", "iPhone insurance was charged twice."),
        ("感谢你们不给我退款，我很生气", "感谢你们不给我退款，我很生气。"),
        ("对 不上账", "对 不上账。"),
        ("您好，不好意思，我没有收到卡", "我没有收到卡。"),
        ("我还在等着呢", "我还在等着呢。"),
        ("怎么办呢", "怎么办呢？"),
        ("你们会退吗", "你们会退吗？"),
    ],
)
def test_greetings_go_and_nothing_else_does(said: str, shown: str) -> None:
    assert quoted(said) == f"“{shown}”"


@pytest.mark.parametrize(
    ("said", "sentences"),
    [
        ("i did not\npay that fee", ["i did not pay that fee"]),
        ("It opens at 9 a.m. not at 8.", ["It opens at 9 a.m. not at 8."]),
        ("I am happy with it. Not!", ["I am happy with it. Not!"]),
        ("I paid it. Not one of the others was sent.", ["I paid it.", "Not one of the others was sent."]),
        ("这是我付的吗？不是。", ["这是我付的吗？不是。"]),
        ("nobody ever told me in the branch i need to pay for it", ["nobody ever told me in the branch i need to pay for it"]),
        ("the only thing in all of this that i want to know", ["the only thing in all of this that i want to know"]),
        ("the money that was on it and all i want to do", ["the money that was on it and all i want to do"]),
        ("i was charged twice for one payment my account number is 12", ["i was charged twice for one payment", "my account number is 12"]),
        ("oh yes hello there good morning i want to close my account", ["oh yes hello there good morning", "i want to close my account"]),
    ],
)  # fmt: skip
def test_a_sentence_is_parted_where_another_one_begins(said: str, sentences: list[str]) -> None:
    assert pieces(said) == sentences


def test_what_is_cut_out_of_a_long_sentence_shows_it() -> None:
    said = "and then we went there again " * 14 + "but i did not pay that fee " * 12
    first, *between, last = pieces(said)
    assert first.endswith(" …") and last.startswith("… ") and all(len(each) <= 400 for each in pieces(said))
    assert all(each.startswith("… ") and each.endswith(" …") for each in between)
    assert not re.search(r"not …|… pay", " ".join(pieces(said)))
