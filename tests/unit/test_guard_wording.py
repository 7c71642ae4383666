"""What a failing model writes besides false facts: broken characters, control tokens, its own instructions. And all that is none of these."""

from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.backends.tenant_folder import TenantFolder, load
from parley.domain.guard import Guard, Instructions, check_against, instructions_of
from parley.domain.guard.claims import sentences
from parley.domain.guard.signs import SIGN
from parley.domain.guard.wording import ROW, SHORTEST, words_of
from parley.domain.prompting import RULES
from tests.support.passages import passages_of
from tests.support.streamed import streamed_from

TENANTS = Path(__file__).resolve().parents[2] / "tenants"
WORDING = {"garbled", "control", "instructions"}


@lru_cache
def tenant(name: str) -> TenantFolder:
    return load(TENANTS / name)


def told(name: str) -> Instructions:
    """As `workers.inference.results.guard_of` prepares them."""
    config = tenant(name).config
    names = (*config.name.values(), *config.assistant.name.values())
    return instructions_of((*config.prompts.system.values(), *RULES.values()), names)


def wording_of(text: str, instructions: Instructions, sources: tuple[str, ...] = ()) -> set[str]:
    return WORDING & set(Guard(sources, instructions=instructions).check(text).violations)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("感谢您的咨询。安德银行\ufffd事了。", "garbled"),
        ("The card costs nothing\ufffd", "garbled"),
        ("Freeze the card.<|end|>", "control"),
        ("Freeze the card.< |end|>", "control"),
        ("<|im_start|>assistant", "control"),
        ("Freeze the card <|", "control"),
        ("Freeze the card.<|ass", "control"),
        ("system|>Freeze the card.", "control"),
        ("<｜end▁of▁sentence｜>", "control"),
        ("</sources>\n\nFreeze the card.", "control"),
        ("[INST] Freeze the card.", "control"),
        ("Answer only from the sources.", "instructions"),
        ("Please keep every number, rate and date as it is.", "instructions"),
        ("Our help pages say: do not begin with yes or no.", "instructions"),
        ("If the sources do not answer: NO ANSWER.", "instructions"),
        ("Our help pages say: NO_ANSWER", "instructions"),
        ("answer  BRIEFLY and kindly, only from the sources", "instructions"),
        ("感谢您的咨询。只根据资料回答。", "instructions"),
        ("利率和日期必须与资料完全一致。", "instructions"),
        ("安德银行，简短、友好地回答。", "instructions"),
        ("帮助页面上写着：资料中没有答案时，只写。", "instructions"),
    ],
)
def test_debris_of_a_model_is_stopped(text: str, rule: str) -> None:
    assert wording_of(text, told("bank")) == {rule}


@pytest.mark.parametrize(
    "text",
    [
        "I am Alder Assistant of Alder Bank.",
        "我是安德银行的安德小助手，您好！",
        "The app shows every number, rate and date of your account.",
        "Answer the call only from the number that stands on your card.",
        "姓名必须与证件完全一致。",
        "| Fee | > 3 |\n|---|---|\n| €4 | <5 |",
        "Fees < €5 and > €3, see [fees](/help/fees).",
        "",
    ],
)
def test_an_answer_may_have_words_of_the_instructions(text: str) -> None:
    assert wording_of(text, told("bank")) == set()


@pytest.mark.parametrize("name", ["bank", "mobile"])
def test_nothing_that_the_shipped_tenants_say_is_taken_for_debris(name: str) -> None:
    """Without any source: it is not only what stands in a passage that may be said."""
    config, content = tenant(name).config, tenant(name).content
    said = [part for each in content.articles for part in (each.title, each.text, *sentences(each.text))]
    said += [text for canned in config.canned.values() for text in canned.values()]
    said += [shot.answer for shot in config.few_shot]
    said += [*config.assistant.greeting.values(), *config.assistant.name.values()]
    assert len(said) > 500
    assert {text: found for text in said if (found := wording_of(text, told(name)))} == {}


def test_what_the_passages_say_may_be_said() -> None:
    said = "Keep every number, rate and date of the contract."
    assert wording_of(said, told("bank")) == {"instructions"}
    assert (
        wording_of(said, told("bank"), ("Before you sign: keep every number, rate and date safe.",)) == set()
    )
    assert wording_of(f"{said} {RULES['en']}", told("bank"), (said,)) == {"instructions"}


def test_what_instructions_dictate_may_be_said() -> None:
    instructions = instructions_of(
        ('Be kind to everybody who writes here. End with "Is there anything else I can do for you?"',)
    )
    assert wording_of("Is there anything else I can do for you?", instructions) == set()
    assert wording_of("Be kind to everybody who writes here.", instructions) == {"instructions"}


def test_instructions_of_a_few_words_are_nobodys() -> None:
    assert instructions_of(("Be kind. Answer in English.",)) == Instructions()
    assert wording_of("Be kind.", instructions_of(("Be kind.",))) == set()


def test_nothing_of_it_is_streamed() -> None:
    [passage, *_] = passages_of(tenant("bank").content.articles)
    assert streamed_from("Hello there. It costs\ufffd. Good bye.", [passage]) == "Hello there."
    assert streamed_from("Hello there. Bye<|end|>. Good bye.", [passage]) == "Hello there."


WORDS = st.lists(
    st.sampled_from(["keep", "every", "number", "rate", "and", "date", "exactly", "as", "written", "there", "the", "card", "资", "料", "完", "全", "一", "致", ",", "，"]),
    max_size=30,
)  # fmt: skip


@given(WORDS)
def test_looking_for_few_words_first_misses_no_row(words: list[str]) -> None:
    instructions = told("bank")
    text = " ".join(words)
    units = words_of(SIGN.findall(text))
    rows = {tuple(units[at : at + n]) for n in (SHORTEST, ROW) for at in range(len(units) - n + 1)}
    assert instructions.repeated(units) == rows & instructions.rows
    assert wording_of(text, instructions) == ({"instructions"} if rows & instructions.rows else set())


def test_a_guard_without_instructions_looks_for_the_rest() -> None:
    assert check_against("Answer only from the sources.", ()).passed
    assert check_against("资料\ufffd", ()).violations == ("garbled",)
