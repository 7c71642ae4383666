"""A turn's text without what is no speech."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calls.formats import read
from connectors.calls.noise import normalise
from tests.support.growth import SQUARED, growth

CASES = """
Um, I, uh, lost my card | I lost my card
So, er, what now? Hmm. | So what now?
I I want the the card | I want the card
I, I want it | I want it
I-I need a w-w-word and a ca-ca-card | I need a word and a card
[inaudible] hello (background noise) <noise> <unk> [laughter] | hello
Hold on [inaudible 00:12:04] please | Hold on please
嗯，我，我想查一下那个账户 | 我想查一下那个账户
那个，呃，卡丢了 | 卡丢了
您好（背景噪音）请讲【听不清】 | 您好 请讲
um uh hm |
<noise> |
... |
嗯 |
five five seven double two two | five five seven double two two
A A 1, S S 9 | A A 1, S S 9
A-A-1 and 1-800-555-555 | A-A-1 and 1-800-555-555
t t for tommy, alpha alpha | t t for tommy, alpha alpha
t er e s a, uh, ke ke n n e d y | t er e s a ke ke n n e d y
d e tree tree f [noise] w um | d e tree tree f w
uh-huh | uh-huh
the ER, Room 5 | the ER, Room 5
my name is [PII], {{NAME}} (Mrs) | my name is [PII], {{NAME}} (Mrs)
额度和余额是多少 | 额度和余额是多少
那个账户 | 那个账户
re-read the co-op's e-mail | re-read the co-op's e-mail
um, .5 or , uh, -3.5 percent . | .5 or -3.5 percent.
-5 is too cold | -5 is too cold
  two   spaces\tand a tab  | two spaces and a tab
""".strip("\n").splitlines()


@pytest.mark.parametrize("case", CASES)
def test_noise(case: str) -> None:
    original, _, expected = case.rpartition("|")
    assert normalise(original) == expected.strip()


def test_a_turn_of_noise_is_kept_and_no_worker_sees_it() -> None:
    (call,) = read(b"Agent: Um, hello.\nCustomer: [inaudible]\nAgent: Hello?")
    assert [(turn.text, turn.original) for turn in call.turns] == [
        ("Hello.", "Um, hello."),
        ("", "[inaudible]"),
        ("Hello?", "Hello?"),
    ]
    assert [turn.text for turn in call.spoken] == ["Hello.", "Hello?"]


@given(st.text(alphabet="umh erI-,. 嗯那个[]<>(noise)5我\x00\n", max_size=60))
def test_nothing_grows_and_no_digit_is_lost(text: str) -> None:
    clean = normalise(text)
    assert len(clean) <= len(text)
    assert clean.count("5") == text.count("5") or not clean or "[" in text or "(" in text or "<" in text


@pytest.mark.parametrize(
    "piece",
    [
        "um ",
        "h",
        "uh",
        "a-",
        "I I ",
        "[",
        "嗯",
        "嗯，",
        "那个，",
        "we we-",
        "a'",
        ", , ",
        "Um, ",
        "hi, um ",
        "， ",
    ],
)
def test_work_grows_with_the_text(piece: str) -> None:
    assert growth(normalise, piece) < SQUARED / 2


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (
            "I have it here on my phone. Uh, so how do I freeze it?",
            "I have it here on my phone. So how do I freeze it?",
        ),
        ("Um, uh, so how do I freeze it?", "So how do I freeze it?"),
        ("Um, iPhone, please", "iPhone, please"),
        ("Hi, um, I'm in Osaka", "Hi, I'm in Osaka"),
        ("There's, uh, a fee", "There's a fee"),
        ("周五可以。 嗯，对了，还有一件事", "周五可以。对了，还有一件事"),
        ("周五可以。嗯， 对了", "周五可以。对了"),
        ("卡号，嗯， 6222 0000", "卡号， 6222 0000"),
    ],
)
def test_a_filler_leaves_no_mark_behind(heard: str, said: str) -> None:
    assert normalise(heard) == said
