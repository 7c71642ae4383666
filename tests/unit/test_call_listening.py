"""What is masked in a turn is masked in what was heard of it, whatever stands between the digits, and over connections of one call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calls.listening import Listening
from connectors.calls.noise import normalise
from parley.domain.masking import masker_of

MASKER = masker_of(())


@pytest.mark.parametrize(
    "heard",
    [
        "my pin is um four uh seven uh one uh two",
        "um my card is 4539 uh 1488 um 0343 er 6467",
        "my account number is um four five uh three nine um one four",
        "我的密码是嗯六嗯二嗯二嗯二",
    ],
)
def test_a_number_with_fillers_in_it_is_in_neither(heard: str) -> None:
    said = Listening(MASKER).find(normalise(heard), heard)
    assert said.original is None
    assert said.text.taken


def test_what_was_heard_stays_where_it_hides_nothing() -> None:
    heard = "um, I, I lost my card 4111 1111 1111 1111"
    said = Listening(MASKER).find(normalise(heard), heard)
    assert said.original is not None
    assert said.original.masked().text == "um, I, I lost my card [card_1]"


def test_a_turn_without_noise_has_one_text() -> None:
    assert Listening(MASKER).find("I lost my card", "I lost my card").original is None


def test_a_repeated_turn_changes_nothing_of_what_is_expected() -> None:
    one = Listening(MASKER)
    one.find("Can I take your card number please?", "Can I take your card number please?", "s1")
    long = "I am looking for it in my bag now, and it takes me a moment longer"
    for _ in range(10):
        one.find(long, long, "s2")
    assert one.find("4539 1488", "4539 1488", "s3").text.taken


DIGITS = st.lists(
    st.sampled_from(["4", "5", "39", "seven", "um", "uh", "er,", "is", "六", "嗯"]), max_size=12
)


@given(st.lists(DIGITS.map(" ".join) | st.sampled_from(["card number?", "and your PIN?"]), max_size=6))
def test_no_value_of_the_text_stands_in_what_is_kept_of_the_original(turns: list[str]) -> None:
    one = Listening(MASKER)
    for turn in turns:
        said = one.find(normalise(turn), turn)
        if said.original is not None:
            values = sorted((each.kind, each.value) for each in said.text.taken)
            assert values == sorted((each.kind, each.value) for each in said.original.taken)
