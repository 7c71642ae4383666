"""What a failing model writes besides false facts: broken characters, control tokens, its own instructions. And all that is none of these."""

import unicodedata
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.backends.tenant_folder import TenantFolder, load
from parley.domain.guard import Guard, Instructions, check_against, instructions_of
from parley.domain.guard.claims import sentences
from parley.domain.guard.signs import SIGN
from parley.domain.guard.wording import words_of
from parley.domain.prompting import RULES, ChatMessage, without_control
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
        ("感谢您的咨询。友好地回答，只依据资料。", "instructions"),
        ("利率和日期必须与资料完全一致。", "instructions"),
        ("安德银行，所有数字必须与资料完全一致。", "instructions"),
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
        "数字、利率和日期以合同为准。",
        "填写的信息必须与资料一致。",
        "感谢您的咨询。只根据资料回答。",
        "The figures, exactly as in the contract.",
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


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("The fee is \ufffd4.50.", "Prices\nThe fee is \ufffd4.50. The card is free."),
        ("月费\ufffd元。借记卡免费。", "月费\ufffd元。挂失免费。借记卡免费。"),
        ("Models write </think> first.", "Models write </think> first."),
        ("The API takes <|im_end|> tokens.", "The API takes <|im_end|> tokens."),
        ("The API takes < |im_end|> tokens.", "The API takes <|im_end|> tokens."),
        ("Two bars mean or, as in a <| b.", "Write a <| b."),
        ("Programs answer NO_ANSWER.", "Our interface says NO_ANSWER."),
    ],
)
def test_what_looks_like_debris_may_be_quoted(said: str, source: str) -> None:
    assert wording_of(said, told("bank")) != set()
    assert wording_of(said, told("bank"), ("Nothing of the kind.", source)) == set()


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("The fee is \ufffd9.", "The fee is \ufffd4.50."),
        ("月费\ufffd元，挂\ufffd。", "月费\ufffd元，挂失免费。"),
        ("The API takes <|im_start|> tokens.", "The API takes <|im_end|> tokens."),
        ("It takes <|im_end|>, <|user|>.", "It takes <|im_end|>."),
        ("It takes <|im_end|>.", "It takes < |im_end|>."),
    ],
)
def test_a_source_with_debris_excuses_no_other(said: str, source: str) -> None:
    assert wording_of(said, Instructions(), (source,)) & {"garbled", "control"}


def test_control_tokens_pass_as_they_are_taken_apart_for_the_model() -> None:
    source = "The API takes <|im_end|> and <｜end▁of▁sentence｜>."
    [asked] = without_control((ChatMessage("user", source),), ("<|im_end|>", "<｜end▁of▁sentence｜>"))
    assert asked.content != source
    assert wording_of(asked.content, told("bank"), (source,)) == set()
    assert wording_of(asked.content, told("bank")) == {"control"}


@pytest.mark.parametrize(
    ("system", "answers", "repeated"),
    [
        (
            "Ты помощник банка. Отвечай клиентам кратко, только по источникам, и не меняй чисел.",
            ("Это помощник.", "Клиентам доступен перевод.", "Отвечайте клиентам кратко."),
            "Хорошо! Отвечай клиентам кратко, ТОЛЬКО по источникам.",
        ),
        (
            "Du bist der Helfer. Antworte freundlich über größere Beträge und nenne jede Gebühr.",
            ("Größere Beträge überweisen Sie in der App.", "Für größere Beträge und Gebühren: die App."),
            "Gern: antworte freundlich ÜBER größere Beträge und.",
        ),
        (
            "Eres el asistente. Responde con información útil según las fuentes, nada más.",
            ("Encontrará información útil según su país.",),
            "Con información útil según las fuentes.",
        ),
        (
            "आप बैंक के सहायक हैं। केवल दिए गए स्रोतों से संक्षेप में उत्तर दें।",
            ("आप बैंक के ग्राहक हैं।", "संक्षेप में उत्तर यहाँ है।"),
            "केवल दिए गए स्रोतों से संक्षेप में।",
        ),
        (
            "あなたは銀行のアシスタントです。お客様のご質問には資料だけに基づいて簡潔にお答えください。",
            ("アシスタントです。", "簡潔にお答えください。", "お客様のご質問は窓口へ。"),
            "お客様のご質問には資料だけに基づいて簡潔にお答えします。",
        ),
    ],
)
def test_words_are_words_in_every_language(system: str, answers: tuple[str, ...], repeated: str) -> None:
    instructions = instructions_of((system, *RULES.values()), ())
    assert {each: wording_of(each, instructions) for each in answers} == {each: set() for each in answers}
    assert wording_of(repeated, instructions) == {"instructions"}


def test_accents_by_themselves_cut_no_word() -> None:
    apart = unicodedata.normalize("NFD", "Größere Beträge überweisen Sie später.")
    assert words_of(apart) == apart.removesuffix(".").lower().split()


def test_chinese_words_of_an_ordinary_prompt_may_be_said() -> None:
    told_so = "你是某银行的助手。如需人工服务，请联系客户服务中心。请提供有效身份证件。"
    instructions = instructions_of((told_so,))
    for said in ("请联系客户服务中心。", "客户服务中心", "办理时请携带有效身份证件。"):
        assert wording_of(said, instructions) == set()
    assert wording_of("如需人工服务，请联系客户服务。", instructions) == {"instructions"}
    assert wording_of("您好！请提供有效身份证件。", instructions) == {"instructions"}


def test_what_a_name_leaves_of_a_sentence_is_no_sentence() -> None:
    """Five words of a sentence that has a name, a quotation, a decimal point or a line's end in it; and five that are one."""
    told_so = (
        "Alder Bank is open on every weekday. Cash costs 3.5 percent of the amount.\n"
        'Say "Dear customer" to all of our guests. Write in the plain\nwords that our guests use.'
    )
    instructions = instructions_of((told_so, "Never name any other bank."), ("Alder Bank",))
    for said in (
        "The branch is open on every weekday.",
        "A percent of the amount.",
        "Welcome to all of our guests.",
        "Write in the plain style.",
        "The words that our guests use.",
    ):
        assert wording_of(said, instructions) == set()
    assert wording_of("Never name any other bank.", instructions) == {"instructions"}


@pytest.mark.parametrize("name", ["Al", "al", "ways", "A", "Keep", "ALWAYS"])
def test_a_name_is_no_part_of_a_word(name: str) -> None:
    """`Keep` and `ALWAYS` are words of the sentence, and leave a row of six behind them."""
    instructions = instructions_of(("Always keep every detail of the account private.",), (name,))
    assert wording_of("Every detail of the account private.", instructions) == {"instructions"}
    said = wording_of("Always keep every detail of the family.", instructions)
    assert said == (set() if name in ("Keep", "ALWAYS") else {"instructions"})


def test_names_are_left_out_in_any_case_and_the_longest_first() -> None:
    """Else `bank in the city and the country` would be left."""
    text = "由ALDER  bank的助手回答。Work for alder Bank in the city and the country."
    instructions = instructions_of((text,), ("Alder", "Alder Bank"))
    assert wording_of("A bank in the city and the country.", instructions) == {"instructions"}
    assert wording_of("Alder Bank in the city and the.", instructions) == set()


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
    st.sampled_from(["keep every number", "rate", "and date exactly as", "written there", "the card", "资料", "完全一致", "数字", "利率和日期", "必须与", "больших", "суммах и", "größere", "beträge über", ",", "，"]),
    max_size=30,
)  # fmt: skip
LANGUAGES = instructions_of(
    (
        *RULES.values(),
        "Больших größere суммах и beträge über больших суммах и beträge über.",
        "数字 rate 利率和日期 beträge über 必须与",
    )
)


@given(WORDS)
def test_looking_for_few_signs_first_misses_no_row(parts: list[str]) -> None:
    text = " ".join(parts)
    words = f" {' '.join(words_of(text))} "
    rows = {row for found in LANGUAGES.rows.values() for row in found if row in words}
    assert set(LANGUAGES.repeated(text, SIGN.findall(text.lower()))) == rows
    assert wording_of(text, LANGUAGES) == ({"instructions"} if rows else set())


def test_a_guard_without_instructions_looks_for_the_rest() -> None:
    assert check_against("Answer only from the sources.", ()).passed
    assert check_against("资料\ufffd", ()).violations == ("garbled",)
