"""The tenants' questions as the platform asks a model about them, and what is counted of its texts."""

from pathlib import Path

import pytest

from parley.backends import question_files
from parley.backends.tenant_folder import load
from parley.domain.guard import Guard, instructions_of
from parley.domain.prompting import RULES, Prompt, messages_of
from parley.errors import ConfigurationError
from schemas.base import TenantId
from schemas.parts import Passage
from schemas.questions import Question
from workers.retrain.starter import asked_texts
from workers.retrain.starter.asked import AskedQuestion, _prompts, save
from workers.retrain.starter.asked_texts import WrittenText
from workers.retrain.starter.evaluate import evaluate, judged
from workers.retrain.starter.prompts import Message

MOBILE = Path(__file__).resolve().parents[2] / "tenants" / "mobile"


def asked(
    text: str, language: str = "zh", articles: tuple[str, ...] = ("card",), says: tuple[str, ...] = ()
) -> AskedQuestion:
    passages = tuple(
        Passage(
            chunk_id=f"{name}/1",
            article_id=name,
            title=name,
            url="/x",
            path=(),
            language=language,
            text=said,
            score=1.0,
        )
        for name, said in (("card", "借记卡收费 8 欧元。"), ("loan", "贷款利率为 5%。"))
    )
    prompt = Prompt(
        tenant=TenantId("bank"),
        language=language,
        system="你是小助手。所有数字必须与原文相同。",
        examples=(),
        history=(),
        question=text,
        passages=passages,
        max_tokens=10,
        model=None,
        adapter=None,
        seed=0,
    )
    expect = "answer" if articles else "unanswered"
    told = instructions_of((prompt.system, *RULES.values()), ("小助手",))
    return AskedQuestion(
        Question(text=text, expect=expect, articles=articles, says=says),
        "同事",
        prompt,
        Guard(passages, instructions=told),
    )


@pytest.mark.parametrize(
    ("said", "articles", "violations"),
    [
        ("借记卡收费 8 欧元。[1]", ("card",), ()),
        ("借记卡收费 9 欧元。[2]", ("loan",), ("number",)),
        ("借记\ufffd收费。[1]", ("card",), ("garbled",)),
        ("所有数字必须与原文相同。", (), ("instructions",)),
        (RULES["zh"], ("card",), ("instructions",)),
        ("NO_ANSWER", (), ()),
        (None, (), ()),
    ],
)
def test_a_text_is_judged_as_the_platform_reads_it(
    said: str | None, articles: tuple[str, ...], violations: tuple[str, ...]
) -> None:
    found = judged(asked("多少钱"), said)
    assert (found.given.articles, found.violations) == (articles, violations)
    assert found.too_long == (said is None)


def test_shares_are_of_what_they_are_shares_of() -> None:
    questions = [
        asked("多少钱", says=("8 欧元",)),
        asked("多少", says=("8 欧元",)),
        asked("卡"),
        asked("天气", articles=()),
        asked("笑话", articles=()),
    ]
    said = ("借记卡收费 8 欧元。[1]", "借记卡收费 9 欧元。[1]", "借\ufffd。[1]", "NO_ANSWER", "哈哈。")
    texts = [
        WrittenText("base", "bank", "zh", question.question.text, text)
        for question, text in zip(questions, said, strict=True)
    ]
    [row] = evaluate(questions, texts)
    assert row == {
        "writer": "base",
        "tenant": "bank",
        "language": "zh",
        "asked": 5,
        "too_long": 0,
        "answerable": 3,
        "answered": 1.0,
        "source": 1.0,
        "right": 0.667,
        "served": 0.333,
        "refused": 0.5,
        "figures": 0.75,
        "garbled": 0.25,
        "stopped": 0.5,
    }


def test_there_are_no_shares_of_nothing() -> None:
    [row] = evaluate([asked("多少钱")], [WrittenText("base", "bank", "zh", "多少钱", "NO_ANSWER")])
    assert row["answered"] == 0 and not row.keys() & {"refused", "figures", "garbled", "stopped"}


def test_a_text_to_a_question_that_is_gone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is no question of bank in 'zh'"):
        evaluate([asked("多少钱")], [WrittenText("base", "bank", "zh", "几点", "九点。[1]")])


def test_texts_come_back_from_their_file(tmp_path: Path) -> None:
    texts = [WrittenText("base", "bank", "zh", "多少钱", text) for text in ("借\ufffd\n。", None)]
    asked_texts.save_texts(iter(texts), tmp_path / "texts.jsonl")
    assert asked_texts.load_texts(tmp_path / "texts.jsonl") == texts


def test_prompts_are_those_of_the_platform(tmp_path: Path) -> None:
    found = load(MOBILE)
    [file] = question_files.load(MOBILE, found.content.articles, ("zh",))
    prompts = list(_prompts(found, file))
    assert {"最便宜的套餐哪个", "语音信箱怎么关"} <= {each.question.text for each in prompts}
    assert all(each.prompt.passages and each.prompt.language == "zh" for each in prompts)
    assert save(prompts, tmp_path / "asked.jsonl") == len(prompts)
    read = asked_texts.load(tmp_path / "asked.jsonl")
    assert [each.messages for each in read] == [
        tuple(Message(*said) for said in messages_of(each.prompt)) for each in prompts
    ]
    assert {(each.tenant, each.language) for each in read} == {("mobile", "zh")}
    english = found.config.prompts.system["en"]
    assert {judged(each, english).violations for each in prompts} == {("instructions",)}
