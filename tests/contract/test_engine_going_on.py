"""The engine port: a completion that was aborted goes on where it was, in another request; or the engine says that it cannot do that."""

from typing import Any

import pytest

from parley.errors import RequestRefused
from parley.ports.engine import CompletionRequest
from tests.support.engines import RunningEngine, Written, asking
from tests.support.tiny_models import TOKENS, Expected

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def resuming(engine: RunningEngine) -> RunningEngine:
    if not engine.engine.facts.resumes:
        pytest.skip(f"{engine.kind.name} does not go on with completions")
    return engine


def test_an_engine_that_does_not_go_on_says_so(engine: RunningEngine) -> None:
    if engine.engine.facts.resumes:
        pytest.skip(f"{engine.kind.name} goes on with completions")
    with pytest.raises(RequestRefused, match="written"):
        engine.write_one(asking(written=(1, 2), max_tokens=9))


def whole_of(engine: RunningEngine, expected: Expected) -> Written:
    return engine.write_one(asking(expected.prompt, max_tokens=TOKENS, ignore_eos=True))


def going_on(expected: Expected, written: tuple[int, ...]) -> CompletionRequest:
    return asking(expected.prompt, max_tokens=TOKENS, ignore_eos=True, written=written)


def joined(begun: Written, rest: Written) -> list[int]:
    kept = len(begun.token_ids) - rest.pieces[0].rewritten
    return begun.token_ids[:kept] + rest.token_ids


def test_wherever_it_is_cut_the_tokens_and_the_text_are_the_same(resuming: RunningEngine) -> None:
    """Also within a character, which this model's broken text is full of."""
    rewritten = 0
    for expected in [each for each in resuming.models.expected() if each.adapter is None]:
        whole = whole_of(resuming, expected)
        for cut in range(1, TOKENS, 3):
            begun = resuming.write_one(asking(expected.prompt, max_tokens=cut, ignore_eos=True))
            rest = resuming.write_one(going_on(expected, tuple(begun.token_ids)))
            assert joined(begun, rest) == whole.token_ids
            assert begun.text + rest.text == whole.text, cut
            rewritten += rest.pieces[0].rewritten
            assert not any(piece.rewritten for piece in rest.pieces[1:])
    assert rewritten > 0


def test_the_last_piece_counts_the_whole_completion(resuming: RunningEngine) -> None:
    expected = resuming.models.expected()[0]
    rest = resuming.write_one(going_on(expected, tuple(expected.token_ids[:10])))
    assert rest.last.completion_tokens == TOKENS and rest.finish == "length"
    assert rest.last.prompt_tokens == len(expected.prompt_token_ids)


def test_an_aborted_completion_goes_on(resuming: RunningEngine) -> None:
    expected = resuming.models.expected()[0]
    whole = whole_of(resuming, expected)
    request = asking(expected.prompt, max_tokens=TOKENS, ignore_eos=True)
    begun = resuming.loop.run(resuming.aborted_after(request, 5))
    assert begun.finish == "abort" and 5 <= len(begun.token_ids) < TOKENS
    rest = resuming.write_one(going_on(expected, tuple(begun.token_ids)))
    assert joined(begun, rest) == whole.token_ids and begun.text + rest.text == whole.text


def test_an_adapters_completion_goes_on_with_the_adapter(resuming: RunningEngine) -> None:
    expected = next(each for each in resuming.models.expected() if each.adapter == "a")
    name = resuming.load("a")
    rest = resuming.write_one(
        asking(
            expected.prompt,
            max_tokens=TOKENS,
            ignore_eos=True,
            adapter=name,
            written=tuple(expected.token_ids[:20]),
        )
    )
    resuming.unload(name)
    begun = 20 - rest.pieces[0].rewritten
    assert [*expected.token_ids[:begun], *rest.token_ids] == list(expected.token_ids)


@pytest.mark.parametrize("wrong", [{"stop": ("x",)}, {"max_tokens": 3}])
def test_what_cannot_go_on_is_refused_and_named(resuming: RunningEngine, wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused, match=r"written.*allowed|written: cannot"):
        resuming.write_one(asking(written=(5, 6, 7), **wrong))
    assert resuming.write_one(asking()).text
