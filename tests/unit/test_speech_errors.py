"""The simulated recogniser of `python -m benchmarks word_errors`: what is said, and how much of it is heard wrongly."""

import pytest

from benchmarks.speech import FILLERS, Recogniser, sound, spoken
from connectors.calls.noise import normalise

ENGLISH = [
    "How do I open a savings account, and what does it cost?",
    "Can I pay with my card abroad, or do I have to order foreign cash before?",
    "What happens when a transfer to the wrong account was sent yesterday?",
]
CHINESE = ["我的银行卡丢了，补办新卡要多少钱，多久能寄到？", "房贷可以提前还款吗，要收多少手续费？"]
WORDS = ("opening", "saving", "amount", "costs", "order", "transform", "yesterday", "foreigner")


@pytest.mark.parametrize(
    ("written", "language", "said"),
    [
        ("It's €4.50 a month!", "en", "it's four point five zero euros a month"),
        (
            "My 15-year-old, 8000 and 100,250",
            "en",
            "my fifteen year old eight thousand and one hundred thousand two hundred fifty",
        ),
        ("What does 2% of £20 cost?", "en", "what does two percent of twenty pounds cost"),
        ("给15岁的儿子开账户", "zh", "给十五岁的儿子开账户"),
        ("转12,000欧元，还是10,050？", "zh", "转一万二千欧元还是一万零五十"),
        ("利率是3.35吗", "zh", "利率是三点三五吗"),
    ],
)
def test_what_is_said_has_neither_figures_nor_punctuation(written: str, language: str, said: str) -> None:
    joint = " " if language == "en" else ""
    assert joint.join(spoken(written, language)) == said


@pytest.mark.parametrize(("language", "texts"), [("en", ENGLISH), ("zh", CHINESE)])
@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_about_as_much_is_wrong_as_was_asked_for(language: str, texts: list[str], rate: float) -> None:
    recogniser = Recogniser(language, WORDS)
    heard = [recogniser.hear(text, rate, draw) for text in texts for draw in range(100)]
    wrong = sum(each.errors for each in heard) / sum(each.said for each in heard)
    assert wrong == pytest.approx(rate, abs=0.025)
    assert len({each.text for each in heard}) > 150


@pytest.mark.parametrize(("language", "texts"), [("en", ENGLISH), ("zh", CHINESE)])
def test_the_same_is_heard_at_each_run(language: str, texts: list[str]) -> None:
    for text in texts:
        first, second = Recogniser(language, WORDS), Recogniser(language, reversed(WORDS))
        assert first.hear(text, 0.2, 3) == second.hear(text, 0.2, 3)
        assert first.hear(text, 0.2, 3) != first.hear(text, 0.2, 4)


@pytest.mark.parametrize(("language", "texts"), [("en", ENGLISH), ("zh", CHINESE)])
def test_without_errors_the_normalisation_of_calls_leaves_what_was_said(
    language: str, texts: list[str]
) -> None:
    recogniser = Recogniser(language, WORDS)
    joint = " " if language == "en" else ""
    hesitant = 0
    for text in texts:
        for draw in range(50):
            heard = recogniser.hear(text, 0.0, draw)
            assert heard.errors == 0
            assert normalise(heard.text) == joint.join(spoken(text, language))
            hesitant += any(filler in heard.text for filler in FILLERS[language])
    assert hesitant > 20


def test_a_word_without_a_homophone_is_taken_for_one_that_sounds_alike_and_is_no_form_of_it() -> None:
    recogniser = Recogniser("en", ("transfers", "yesterday", "gesture", "cashier"))
    heard = {word for draw in range(200) for word in recogniser.hear("cashew", 1.0, draw).text.split()}
    assert "cashier" not in heard  # begins alike: another form, which would be no error
    assert heard & {"gesture", "yesterday", "transfers"}
    assert sound("phone") == sound("fone") != sound("bone")
