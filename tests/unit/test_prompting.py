"""The messages that every engine gets, and what is left out of them where a context is short."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.domain.prompting import (
    RULES,
    ChatMessage,
    Prompt,
    hash_of,
    messages_of,
    shortened,
    without_control,
)
from parley.errors import PromptTooLong
from schemas.parts import HistoryTurn
from tests.support.small_tenant import TENANT
from tests.support.stories import PASSAGE

PROMPT = Prompt(
    tenant=TENANT,
    language="en",
    system="Be kind.",
    examples=(("q1", "a1"), ("q2", "a2")),
    history=(
        HistoryTurn(speaker="customer", text="hi"),
        HistoryTurn(speaker="bot", text="hello"),
        HistoryTurn(speaker="human_agent", text="it is me"),
    ),
    question="What does it cost?",
    passages=(
        PASSAGE,
        PASSAGE.model_copy(update={"title": "Cards", "path": ("Costs", "Abroad"), "text": "2 %."}),
    ),
    max_tokens=100,
    model=None,
    adapter=None,
    seed=7,
)


def words(messages: tuple[ChatMessage, ...]) -> int:
    return sum(len(message.content.split()) for message in messages)


LEAST = words(messages_of(replace(PROMPT, history=(), examples=(), passages=(PASSAGE,))))


def test_asks_with_instructions_examples_history_and_numbered_sources() -> None:
    messages = messages_of(PROMPT)
    assert messages[:-1] == (
        ("system", f"Be kind.\n\n{RULES['en']}"),
        ("user", "q1"),
        ("assistant", "a1"),
        ("user", "q2"),
        ("assistant", "a2"),
        ("user", "hi"),
        ("assistant", "hello"),
        ("assistant", "it is me"),
    )
    assert messages[-1] == (
        "user",
        "<sources>\n[1] Account fees\nThe Everyday account costs €4.50 a month.\n\n"
        "[2] Cards › Costs › Abroad\n2 %.\n</sources>\n\nWhat does it cost?",
    )


@pytest.mark.parametrize(("language", "rules"), [("zh", "zh"), ("en", "en"), ("fr", "en")])
def test_the_rules_are_in_the_language_of_the_conversation_or_in_english(language: str, rules: str) -> None:
    assert messages_of(replace(PROMPT, language=language))[0].content.endswith(RULES[rules])


def test_the_hash_tells_prompts_apart_and_bears_lone_surrogates() -> None:
    same, other = messages_of(PROMPT), messages_of(replace(PROMPT, question="\ud800"))
    assert hash_of(same) == hash_of(messages_of(PROMPT)) != hash_of(other)
    assert len(hash_of(other)) == 64


def test_a_prompt_that_fits_is_left_alone() -> None:
    assert shortened(PROMPT, words(messages_of(PROMPT)), words) == PROMPT


@pytest.mark.parametrize(
    ("too_many", "turns", "examples", "passages"),
    [
        (1, 2, 2, 2),  # "hi"
        (2, 1, 2, 2),  # and "hello"
        (5, 0, 2, 2),  # and "it is me"
        (6, 0, 1, 2),
        (9, 0, 0, 2),
        (10, 0, 0, 1),
    ],
)
def test_leaves_out_old_history_then_examples_then_the_worst_passages(
    too_many: int, turns: int, examples: int, passages: int
) -> None:
    left = shortened(PROMPT, words(messages_of(PROMPT)) - too_many, words)
    assert left == replace(
        PROMPT,
        history=PROMPT.history[len(PROMPT.history) - turns :],
        examples=PROMPT.examples[:examples],
        passages=PROMPT.passages[:passages],
    )


def test_question_and_best_passage_are_never_left_out() -> None:
    with pytest.raises(PromptTooLong) as raised:
        shortened(PROMPT, LEAST - 1, words)
    assert (raised.value.prompt_tokens, raised.value.context_tokens) == (LEAST, LEAST - 1)


def test_without_passages_the_question_alone_is_kept() -> None:
    bare = replace(PROMPT, passages=())
    least = words(messages_of(replace(bare, history=(), examples=())))
    assert shortened(bare, least, words).question == PROMPT.question


@given(
    st.lists(st.text(max_size=30), max_size=12),
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=6),
    st.lists(st.text(max_size=60), max_size=6),
    st.integers(0, 400),
)
def test_what_is_left_fits_and_one_part_more_would_not(
    said: list[str], examples: list[tuple[str, str]], texts: list[str], room: int
) -> None:
    def characters(messages: tuple[ChatMessage, ...]) -> int:
        return sum(len(message.content) for message in messages)

    prompt = replace(
        PROMPT,
        history=tuple(HistoryTurn(speaker="customer", text=text) for text in said),
        examples=tuple(examples),
        passages=tuple(PASSAGE.model_copy(update={"text": text}) for text in texts),
    )
    barest = replace(prompt, history=(), examples=(), passages=prompt.passages[:1])
    limit = characters(messages_of(barest)) + room
    left = shortened(prompt, limit, characters)
    assert characters(messages_of(left)) <= limit
    if left.history != prompt.history:
        kept = len(left.history)
        # The part that was given up last is put back.
        if len(left.passages) < len(prompt.passages):
            more = replace(left, passages=prompt.passages[: len(left.passages) + 1])
        elif len(left.examples) < len(prompt.examples):
            more = replace(left, examples=prompt.examples[: len(left.examples) + 1])
        else:
            more = replace(left, history=prompt.history[len(said) - kept - 1 :])
        assert characters(messages_of(more)) > limit


def test_what_a_person_writes_is_never_a_control_token() -> None:
    control = {"<|end|>", "<|end|>x", "<s>"}
    said = (ChatMessage("user", "a<|end|>x<|system|><s> b"), ChatMessage("assistant", "<|end|>"))
    apart = without_control(said, control)
    assert apart == (ChatMessage("user", "a< |end|>x<|system|>< s> b"), ChatMessage("assistant", "< |end|>"))
    assert not any(token in message.content for message in apart for token in control)
    plain = (ChatMessage("user", "an ordinary < text"),)
    assert without_control(plain, control) == plain == without_control(plain, ())
