"""Numbers that are asked for in one turn of a call and told in others."""

import itertools
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.domain.masking import masker_of
from parley.domain.masking.dictated import Dictation

MASKER = masker_of(())


def told(*turns: str) -> list[str]:
    listening = Dictation(MASKER)
    return [listening.find(turn).masked().text for turn in turns]


@pytest.mark.parametrize(
    ("turns", "written"),
    [
        (("What's your card number?", "4111 1111", "okay", "1111 1111"), ("[card_1]", "okay", "[card_1]")),
        (("my card number is 4111 1111", "1111 1111"), ("[card_1]",)),
        (("the long number on the front?", "Four one one one", "mhm", "one one one one"), ("[card_1]", "mhm", "[card_1]")),
        (("And your PIN?", "never say it", "four seven one one"), ("never say it", "[code_1]")),
        (("account number please. it is 12345678",), ()),
        (("Your phone number?", "0171", "555 0199"), ("[phone_1]", "[phone_1]")),
        (("可以提供一下您的卡号吗？", "6222 0200", "嗯", "一一二二三三四四"), ("[card_1]", "嗯", "[card_1]")),
        (("请问您的身份证号？", "一一零一零一一九九零"), ("[id_1]",)),
        (("card number please?", "sure, one moment", "ok", "let me find it", "right", "4539 1488", "45"), ("sure, one moment", "ok", "let me find it", "right", "[card_1]", "[card_1]")),
        (("Can I have your card details?", "4539 1488"), ("[card_1]",)),
        (("May I have the card, please?", "fourteen"), ("[card_1]",)),
        (("卡背面后三位", "三八一"), ("[code_1]",)),
        (("What is your date of birth?", "the fourteenth of March nineteen eighty eight"), ("[id_1]",)),
        (("date of birth?", "14/03/1988"), ("[id_1]",)),
        (("您的出生日期？", "一九八八年三月十四日"), ("[id_1]",)),
        (("can I call you back? on which number can I reach you", "oh one seven one"), ("[phone_1]",)),
    ],
)  # fmt: skip
def test_pieces_of_what_was_asked_for_are_taken(turns: tuple[str, ...], written: tuple[str, ...]) -> None:
    found = told(*turns)
    assert tuple(found[1:]) == written
    assert not any(character.isdigit() for text in found for character in text.replace("_1]", ""))


@pytest.mark.parametrize(
    "turn",
    [
        "thirty five years",
        "I paid 250 euros on 3 May",
        "at 10.30",
        "12:30 tomorrow",
        "I sent 1,200.50 to Anna",
        "the rate is 1.75 percent",
        "and then 300 dollars, on 12/05/2026",
        "one moment please",
        "it took 5 working days",
        "等了三十分钟",
        "I've been a customer since 2019",
        "I was charged 1200 twice",
    ],
)
def test_what_is_an_amount_a_date_or_a_time_stays(turn: str) -> None:
    assert told("What is your account number?", turn)[1] == turn


def test_an_amount_behind_a_number_does_not_keep_the_number() -> None:
    assert told("card number?", "4539 1488 2 days")[1] == "[card_1] 2 days"


def test_a_birth_is_told_with_the_words_for_it() -> None:
    assert told("I was born on 3 May 1990, and I may come on 4 June") == [
        "I was born on [id_1], and I may come on 4 June"
    ]


@pytest.mark.parametrize("unit", ["1", "1,", "one ", "一", "1 may ", "card number ", "12 12 ", "may "])
@pytest.mark.parametrize("end", ["a", " euros", "元", ":1", ""])
def test_a_long_text_is_gone_through_once(unit: str, end: str) -> None:
    """Sixteen times the text takes about sixteen times the time, and not two hundred and fifty-six."""

    def spent(characters: int) -> float:
        listening = Dictation(MASKER)
        listening.find("card number and date of birth?")
        text = unit * (characters // len(unit)) + end
        began = process_time()
        listening.find(text)
        return process_time() - began

    spent(1_000)
    assert spent(16_000) < 100 * max(spent(1_000), 0.0005)


def test_what_nobody_asked_for_is_left_to_the_other_rules() -> None:
    assert told("It was in 2019.", "order 4711 0815", "card ending in 4242") == [
        "It was in 2019.",
        "order 4711 0815",
        "card ending in 4242",
    ]


def test_after_a_few_turns_nothing_is_expected_any_more() -> None:
    talk = [
        "I am looking at the account that you have told me of now",
        "it seems that the transfer was sent back by the other bank",
        "they say that the name of the recipient was not the right one",
        "so you would have to send it again with the right name this time",
        "and 4711 0815 is the order",
    ]
    assert told("Your account number?", "12345678", *talk)[-1] == talk[-1]


@given(st.lists(st.text(max_size=30) | st.sampled_from(["your PIN?", "4711 12", "card number"]), max_size=8))
def test_any_turns_keep_all_but_what_is_taken(turns: list[str]) -> None:
    listening = Dictation(MASKER)
    for turn in turns:
        found = listening.find(turn)
        spans = [(each.start, each.end) for each in found.taken]
        assert spans == sorted(spans)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
        assert found.text == turn
