"""The engine port, one suite on every engine: what is written, and how it is told."""

import math
from dataclasses import replace
from typing import Any

import pytest

from parley.errors import PromptTooLong, RequestRefused
from parley.ports.engine import ChatMessage
from tests.support.engines import RunningEngine, asking
from tests.support.tiny_models import ADAPTERS, CONTEXT, TOKENS, Expected

pytestmark = pytest.mark.timeout(600)


def test_greedy_tokens_are_those_of_transformers_and_peft(engine: RunningEngine) -> None:
    """The base model and three adapters, all at once."""
    expected = [each for each in engine.models.expected() if each.adapter is None or engine.kind.adapters]
    if not engine.kind.exact:
        pytest.skip(f"{engine.kind.name} does not compute in float32")
    names = {adapter: engine.load(adapter) for adapter in ADAPTERS} if engine.kind.adapters else {}
    requests = [
        asking(each.prompt, max_tokens=TOKENS, ignore_eos=True, adapter=names.get(each.adapter or ""))
        for each in expected
    ]
    written = engine.write(*requests)
    for name in names.values():
        engine.unload(name)
    assert [each.token_ids for each in written] == [each.token_ids for each in expected]
    assert [whole(each.text) for each in written] == [whole(each.text) for each in expected]


def whole(text: str) -> str:
    """Without the beginning of a character that was to go on."""
    return text.rstrip("\ufffd")


def first(engine: RunningEngine) -> Expected:
    return engine.models.expected()[0]


def test_pieces_add_up_and_only_the_last_finishes(engine: RunningEngine) -> None:
    written = engine.write_one(asking(max_tokens=20, ignore_eos=True))
    assert len(written.pieces) > 3
    assert [piece.finish for piece in written.pieces[:-1]] == [None] * (len(written.pieces) - 1)
    assert written.finish == "length"
    assert written.last.completion_tokens == 20
    assert [piece.completion_tokens for piece in written.pieces[:-1]] == [0] * (len(written.pieces) - 1)
    if engine.kind.token_ids:
        assert len(written.token_ids) == 20


def test_counts_the_prompt_by_the_models_own_template(engine: RunningEngine) -> None:
    expected = first(engine)
    written = engine.write_one(asking(expected.prompt))
    assert written.last.prompt_tokens == len(expected.prompt_token_ids)


def test_a_prompt_may_be_token_ids(engine: RunningEngine) -> None:
    if not engine.kind.token_ids:
        pytest.skip(f"{engine.kind.name} takes messages alone")
    expected = first(engine)
    by_ids, by_messages = engine.write(
        asking(prompt_token_ids=tuple(expected.prompt_token_ids)), asking(expected.prompt)
    )
    assert by_ids.token_ids == by_messages.token_ids


def test_the_history_is_part_of_the_prompt(engine: RunningEngine) -> None:
    question = ChatMessage("user", "Where is my card?")
    history = (
        ChatMessage("system", "You help."),
        ChatMessage("user", "Hello"),
        ChatMessage("assistant", "Hi"),
    )
    alone, after = engine.write(asking(messages=(question,)), asking(messages=(*history, question)))
    assert after.last.prompt_tokens > alone.last.prompt_tokens + 3
    assert after.text != alone.text


def test_ends_after_max_tokens(engine: RunningEngine) -> None:
    written = engine.write(*(asking(max_tokens=wanted, ignore_eos=True) for wanted in (1, 2, 7)))
    assert [each.last.completion_tokens for each in written] == [1, 2, 7]
    assert {each.finish for each in written} == {"length"}


def test_ends_before_a_stop_string_and_does_not_tell_it(engine: RunningEngine) -> None:
    free = engine.write_one(asking(max_tokens=40, ignore_eos=True))
    middle = len(free.text) // 2
    stop = free.text[middle : middle + 3]
    assert len(stop) == 3
    stopped = engine.write_one(asking(max_tokens=40, ignore_eos=True, stop=(stop, "never written")))
    assert stopped.finish == "stop"
    assert stopped.text == free.text[: free.text.index(stop)]


def test_ends_where_the_model_ends(engine: RunningEngine) -> None:
    """The model talks nonsense, in which the end mark comes by chance; drawn at a high temperature, soon."""
    drawn = [asking(max_tokens=400, temperature=2.0, seed=seed) for seed in range(8)]
    ended = [each for each in engine.write(*drawn) if each.finish == "stop"]
    assert ended, "the end mark was never drawn in 3,200 tokens"
    assert all("<|end|>" not in each.text for each in ended)


def test_the_same_seed_draws_the_same(engine: RunningEngine) -> None:
    drawn = asking(max_tokens=24, temperature=1.0, seed=7, ignore_eos=True)
    again = replace(drawn, request_id=f"{drawn.request_id}-again")
    other = replace(drawn, request_id=f"{drawn.request_id}-other", seed=8)
    one, same, another = engine.write(drawn, again, other)
    assert one.text == same.text
    assert one.text != another.text


def test_tells_the_log_probability_of_each_token(engine: RunningEngine) -> None:
    if not engine.kind.logprobs:
        pytest.skip(f"{engine.kind.name} tells no log-probabilities")
    written = engine.write_one(asking(max_tokens=12, ignore_eos=True, logprobs=True))
    assert len(written.logprobs) == 12
    assert all(len(piece.logprobs) == len(piece.token_ids) for piece in written.pieces)
    assert all(-20 < value <= 0 for value in written.logprobs)
    # The likeliest of the vocabulary's tokens has at least one part of it.
    assert min(written.logprobs) >= -math.log(1024)
    assert engine.write_one(asking(max_tokens=4)).logprobs == []


def test_a_prompt_over_the_context_is_refused_with_both_numbers(engine: RunningEngine) -> None:
    with pytest.raises(PromptTooLong) as refused:
        engine.write_one(asking("card " * 2 * CONTEXT))
    assert refused.value.context_tokens == engine.engine.facts.context_tokens == CONTEXT
    assert refused.value.prompt_tokens > CONTEXT


def test_a_long_prompt_leaves_a_completion_what_is_left(engine: RunningEngine) -> None:
    if not engine.kind.token_ids:
        pytest.skip(f"{engine.kind.name} takes messages alone")
    almost, full = (tuple(range(5, 105)) * 41)[: CONTEXT - 10], tuple(range(5, 133)) * (CONTEXT // 128)
    written = engine.write_one(asking(prompt_token_ids=almost, max_tokens=50, ignore_eos=True))
    assert (written.last.completion_tokens, written.finish) == (CONTEXT - len(almost), "length")
    assert len(full) == CONTEXT
    with pytest.raises(PromptTooLong):
        engine.write_one(asking(prompt_token_ids=full))


@pytest.mark.parametrize(
    "wrong",
    [{"messages": ()}, {"max_tokens": 0}, {"temperature": -1.0}],
    ids=["no prompt", "no tokens wanted", "a negative temperature"],
)
def test_a_request_that_cannot_be_is_refused(engine: RunningEngine, wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        engine.write_one(asking(**wrong))
    assert engine.write_one(asking()).text


def test_a_hundred_at_once_are_answered_as_alone(engine: RunningEngine) -> None:
    alone = {each.prompt: each for each in engine.models.expected() if each.adapter is None}
    many = [asking(prompt, max_tokens=12, ignore_eos=True) for prompt in list(alone) * 17][:100]
    written = engine.write(*many)
    assert len(written) == 100
    by_prompt: dict[str, set[str]] = {}
    for request, each in zip(many, written, strict=True):
        by_prompt.setdefault(request.messages[0].content, set()).add(each.text)
    assert {len(texts) for texts in by_prompt.values()} == {1}
    if engine.kind.exact and engine.kind.token_ids:
        for request, each in zip(many, written, strict=True):
            assert each.token_ids == alone[request.messages[0].content].token_ids[:12]


def test_salts_and_priorities_change_no_answer(engine: RunningEngine) -> None:
    plain = asking(max_tokens=12, ignore_eos=True)
    same = [
        replace(plain, request_id=f"{plain.request_id}-{number}", cache_salt=salt, priority=priority)
        for number, (salt, priority) in enumerate(
            [("tenant-a", 0), ("tenant-b", 2), ("tenant-a", -1), ("", 1)]
        )
    ]
    assert len({each.text for each in engine.write(plain, *same)}) == 1
