"""Texts that are still being said, and several that are written together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.domain.masking import masker_of
from parley.domain.masking.partial import HIDDEN, hidden
from parley.domain.masking.placeholders import BETWEEN, apart, together

MASKER = masker_of(())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("I lost my card", "I lost my card"),
        ("my card number is 4111", f"my card number is {HIDDEN}"),
        ("my card number is 4", f"my card number is {HIDDEN}"),
        ("my card number is four one", f"my card number is four {HIDDEN}"),
        ("it is four one one one and", f"it is {HIDDEN} and"),
        ("call 0171 555 0199 please", f"call {HIDDEN} please"),
        ("I have 2 cards and 1 account", "I have 2 cards and 1 account"),
        ("我的卡号是六二二二零", f"我的卡号是{HIDDEN}"),
        ("我的卡丢了", "我的卡丢了"),
        ("write to mira@mail.example now", f"write to {HIDDEN} now"),
        ("my email is john dot smith", f"my email is {HIDDEN}".replace(" is", "")),
        ("卡号六二", f"卡号{HIDDEN}"),
        ("my name is Mira", f"my name is {HIDDEN}"),
        ("", ""),
    ],
)
def test_numbers_in_the_making_are_not_shown(said: str, shown: str) -> None:
    assert hidden(MASKER.find(said)) == shown


def test_where_a_number_is_expected_no_digit_is_shown() -> None:
    assert hidden(MASKER.find("it is 45 and then 3"), expected=True) == f"it is {HIDDEN} and then {HIDDEN}"


@given(st.text(max_size=60), st.text("0123456789", min_size=3, max_size=19))
def test_no_long_number_is_ever_shown(before: str, number: str) -> None:
    assert number not in hidden(MASKER.find(f"{before} {number}"))
    assert number not in hidden(MASKER.find(f"{before} {number} and more"))


CARD, MAIL = "4111 1111 1111 1111", "mira@mail.example"


def test_texts_written_together_are_numbered_as_one_and_stay_apart() -> None:
    texts = [f"card {CARD}", "", f"{MAIL} or {CARD}", "nothing"]
    found = together([MASKER.find(text) for text in texts])
    assert apart(found.masked()) == ["card [card_1]", "", "[email_1] or [card_1]", "nothing"]


def test_a_number_that_ends_one_text_and_begins_the_next_is_none() -> None:
    found = together([MASKER.find("4111 1111"), MASKER.find("1111 1111")])
    assert apart(found.masked()) == ["4111 1111", "1111 1111"]


@given(
    st.lists(
        st.text(max_size=20).map(lambda text: text.replace(BETWEEN, ""))
        | st.sampled_from([f"{CARD}", f"to {MAIL}."]),
        min_size=1,
        max_size=6,
    )
)
def test_any_texts_come_apart_as_each_alone(texts: list[str]) -> None:
    found = [MASKER.find(text) for text in texts]
    written = apart(together(found).masked())
    assert len(written) == len(texts)
    for text, each in zip(written, found, strict=True):
        assert (text == each.text) == (not each.taken)
