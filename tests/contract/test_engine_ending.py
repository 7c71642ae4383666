"""The engine port: completions that are ended before they end by themselves."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley.errors import RequestRefused
from parley.ports.engine import CompletionRequest, Piece
from tests.support.engines import RunningEngine, Written, asking, written

pytestmark = pytest.mark.timeout(600)

LONG = 3900


def long_one() -> CompletionRequest:
    return asking(max_tokens=LONG, ignore_eos=True)


def test_abort_ends_a_running_completion(engine: RunningEngine) -> None:
    ended = engine.loop.run(engine.aborted_after(long_one(), 5))
    assert ended.finish == "abort"
    assert 5 <= ended.last.completion_tokens < LONG
    assert [piece.finish for piece in ended.pieces[:-1]] == [None] * (len(ended.pieces) - 1)
    assert engine.write_one(asking()).text


def test_what_was_written_before_the_abort_is_told(engine: RunningEngine) -> None:
    request = long_one()
    ended = engine.loop.run(engine.aborted_after(request, 8))
    full = engine.write_one(asking(max_tokens=40, ignore_eos=True))
    assert full.text.startswith(ended.text.rstrip("\ufffd")[:20])


def test_abort_ends_waiting_ones_too(engine: RunningEngine) -> None:
    """More than run at once; all are aborted in the moment that they were asked."""
    requests = [long_one() for _ in range(engine.engine.facts.running + 20)]

    async def ask_and_abort() -> list[Written]:
        asked = [asyncio.ensure_future(written(engine.engine.generate(each))) for each in requests]
        for _ in range(3):  # turns of the event loop: all are on their way, none is done
            await asyncio.sleep(0)
        await asyncio.gather(*(engine.engine.abort(each.request_id) for each in requests))
        return await asyncio.gather(*asked)

    ended = engine.loop.run(ask_and_abort())
    assert {each.finish for each in ended} == {"abort"}
    assert all(each.last.completion_tokens < LONG for each in ended)
    assert engine.write_one(asking()).text


def test_a_deadline_is_an_abort_at_a_time(engine: RunningEngine) -> None:
    """The time counts from the first token, for which a busy machine may take its time."""
    request = long_one()

    async def until(seconds: float) -> Written:
        ending: list[asyncio.Task[None]] = []

        async def abort() -> None:
            await asyncio.sleep(seconds)
            await engine.engine.abort(request.request_id)

        async def pieces() -> AsyncIterator[Piece]:
            async for piece in engine.engine.generate(request):
                if piece.token_ids and not ending:
                    ending.append(asyncio.ensure_future(abort()))
                yield piece

        found = await written(pieces())
        await asyncio.gather(*ending)
        return found

    ended = engine.loop.run(until(0.3))
    assert ended.finish == "abort"
    assert 0 < ended.last.completion_tokens < LONG


def test_a_generator_that_is_closed_early_is_aborted(engine: RunningEngine) -> None:
    requests = [long_one() for _ in range(engine.engine.facts.running)]

    async def first_piece(request: CompletionRequest) -> None:
        pieces = engine.engine.generate(request)
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]  # an async generator, which the port need not promise

    async def all_of_them() -> None:
        await asyncio.gather(*map(first_piece, requests))

    engine.loop.run(all_of_them())
    # All places are free again: this one does not wait behind thousands of tokens of each of them.
    assert engine.loop.run(written(engine.engine.generate(asking(max_tokens=2))), 10).text


def test_a_cancelled_task_leaves_nothing_in_the_engine(engine: RunningEngine) -> None:
    """Which the worker does not do; a program that ends might."""

    async def cancel_at(turns: int) -> None:
        task = asyncio.ensure_future(written(engine.engine.generate(long_one())))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for turns in range(1, 40, 3):
        engine.loop.run(cancel_at(turns))
    assert engine.loop.run(written(engine.engine.generate(asking(max_tokens=2))), 10).text


def test_aborting_what_is_over_or_unknown_does_nothing(engine: RunningEngine) -> None:
    request = asking()
    engine.write_one(request)
    engine.loop.run(engine.engine.abort(request.request_id))
    engine.loop.run(engine.engine.abort("never asked"))
    assert engine.write_one(asking()).text


def test_one_id_is_not_under_way_twice(engine: RunningEngine) -> None:
    request = long_one()

    async def twice() -> Written:
        pieces = engine.engine.generate(request)
        first = await anext(pieces)
        with pytest.raises(RequestRefused, match=request.request_id):
            await written(engine.engine.generate(request))
        await engine.engine.abort(request.request_id)
        return Written((first, *(await written(pieces)).pieces))

    assert engine.loop.run(twice()).finish == "abort"
