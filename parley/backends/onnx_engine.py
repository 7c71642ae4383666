"""The engine on ONNX Runtime: an exported model on the CPU, for the edge and for machines without a GPU.

Completions are batched continuously: every pass adds a token to each of those that run, those of one adapter at once, and reads on in one new prompt.
Passes are computed in a thread; all that is decided is decided in the event loop between two of them, so an abort waits for one pass at most.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from parley.backends.chat_tokenizer import ChatTokenizer
from parley.backends.completion_requests import check_request
from parley.backends.held_adapters import HeldAdapters
from parley.backends.onnx_adapters import inputs_of
from parley.backends.onnx_completions import Batch, Completion, Died
from parley.backends.onnx_decoder import OnnxDecoder
from parley.errors import (
    AdapterRefused,
    EngineDied,
    PromptTooLong,
    RequestRefused,
)
from parley.ports.engine import AdapterFiles, CompletionRequest, EngineFacts, Piece

RUNNING = 8
SLOTS = 16
MAX_RANK = 64


class OnnxEngine:
    """Implements `parley.ports.engine.Engine`. An engine that died can be started again."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "",
        context_tokens: int | None = None,
        running: int = RUNNING,
        threads: int = 0,
        slots: int = SLOTS,
        held: int | None = None,
        max_rank: int = MAX_RANK,
    ) -> None:
        """`folder` is one of `parley models export-onnx`. `name`: what answers call the model; empty: as it was called when it was exported.

        `running` completions share a pass; each may need the whole context's memory. `threads`: 0 is one for each core. `slots`: adapters that
        decode at once, each in a pass of its own; none where the export made no places for them. `held`: adapters in memory; None is four times the slots.
        """
        self._folder = folder
        self._name = name
        self._context_tokens = context_tokens
        self._running = running
        self._threads = threads
        self._slots = slots
        self._held = max(slots + 1, held or 4 * slots)
        self._max_rank = max_rank
        self._living: _Living | None = None

    @property
    def facts(self) -> EngineFacts:
        return self._life.facts

    async def start(self) -> None:
        """An engine that was started before is closed first."""
        await self.close()
        self._living = await asyncio.to_thread(self._open)
        self._living.begin()

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        living = self._life
        completion = living.admit(request)
        try:
            while True:
                piece = await completion.arrived.get()
                if isinstance(piece, Died):
                    raise EngineDied(piece.reason) from piece.error
                yield piece
                if piece.finish is not None:
                    return
        finally:
            living.let_go(completion)

    async def abort(self, request_id: str) -> None:
        if self._living is not None:
            self._living.batch.abort_by_id(request_id)

    async def load(self, adapter: AdapterFiles) -> None:
        await self._life.load(adapter, self._max_rank)

    async def unload(self, name: str) -> None:
        await self._life.unload(name)

    async def forget(self) -> bool:
        """Nothing is kept here."""
        return True

    async def close(self) -> None:
        living, self._living = self._living, None
        if living is not None:
            await living.end()

    @property
    def _life(self) -> "_Living":
        if self._living is None:
            raise EngineDied("the engine was not started, or is closed")
        return self._living

    def _open(self) -> "_Living":
        decoder = OnnxDecoder(
            self._folder, rows=self._running, context_tokens=self._context_tokens, threads=self._threads
        )
        told = decoder.exported
        name, revision = self._name or told.get("model") or self._folder.name, told.get("revision")
        slots = self._slots if decoder.shapes else 0
        facts = EngineFacts(
            model=f"{name}@{revision}" if revision else name,
            context_tokens=decoder.context_tokens,
            running=self._running,
            slots=slots,
            held=self._held if slots else 0,
            max_rank=self._max_rank if slots else 0,
        )
        return _Living(facts, decoder, ChatTokenizer(self._folder))


class _Living:
    """From one start to its end."""

    def __init__(self, facts: EngineFacts, decoder: OnnxDecoder, tokenizer: ChatTokenizer) -> None:
        self.facts = facts
        self.batch = Batch(decoder, facts.running)
        self._decoder = decoder
        self._tokenizer = tokenizer
        self._adapters: HeldAdapters[None] = HeldAdapters(facts.held)
        self._loading = asyncio.Lock()
        self._computing = ThreadPoolExecutor(1, "onnx")
        self._work: asyncio.Task[None] | None = None
        self._died: Died | None = None

    def begin(self) -> None:
        self._work = asyncio.create_task(self._run(), name="onnx")

    async def end(self) -> None:
        """What is under way ends as died; the pass that is being computed ends first."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        await asyncio.to_thread(self._computing.shutdown)
        self._die(Died("the engine was closed"))

    def admit(self, request: CompletionRequest) -> Completion:
        self._check_alive()
        completion = Completion(
            request, self._prompt(request), self.facts.context_tokens, self._tokenizer.stream()
        )
        self._adapters.use(request.adapter)
        try:
            self.batch.add(completion)
        except BaseException:
            self._adapters.release(request.adapter)
            raise
        return completion

    def let_go(self, completion: Completion) -> None:
        self.batch.abort(completion)
        self._adapters.release(completion.request.adapter)

    async def load(self, adapter: AdapterFiles, max_rank: int) -> None:
        await asyncio.shield(asyncio.ensure_future(self._load(adapter, max_rank)))

    async def _load(self, adapter: AdapterFiles, max_rank: int) -> None:
        async with self._loading:
            self._check_alive()
            if adapter.name in self._adapters:
                return
            if (shapes := self._decoder.shapes) is None:
                raise AdapterRefused(f"{adapter.folder}: the model was exported without places for adapters")
            inputs = await asyncio.to_thread(inputs_of, adapter, shapes, max_rank)
            if (surplus := self._adapters.surplus()) is not None:
                await self._unload(surplus)
            await self._between_passes(self._decoder.add_adapter, adapter.name, inputs)
            self._adapters.keep(adapter.name, None)

    async def unload(self, name: str) -> None:
        async with self._loading:
            await self._unload(name)

    async def _unload(self, name: str) -> None:
        if name in self._adapters:
            self._adapters.forget(name)
            await self._between_passes(self._decoder.remove_adapter, name)

    async def _between_passes(self, work: Callable[..., None], *arguments: object) -> None:
        """The pass that is being computed may read the weights by their address."""
        await asyncio.get_running_loop().run_in_executor(self._computing, work, *arguments)

    def _check_alive(self) -> None:
        if self._died is not None:
            raise EngineDied(self._died.reason) from self._died.error

    def _prompt(self, request: CompletionRequest) -> list[int]:
        """Raises `PromptTooLong` where the context leaves no room for one token more, and `RequestRefused`."""
        check_request(request)
        given = request.prompt_token_ids
        tokens = self._tokenizer.prompt_ids(request.messages) if given is None else list(given)
        if not all(0 <= token < self._decoder.vocabulary for token in tokens):
            raise RequestRefused(f"prompt_token_ids: allowed: 0 to {self._decoder.vocabulary - 1}")
        if len(tokens) >= self.facts.context_tokens:
            raise PromptTooLong(len(tokens), self.facts.context_tokens)
        return tokens

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self.batch.wanted()
                planned = self.batch.plan()
                self.batch.deliver(planned, await loop.run_in_executor(self._computing, planned.compute))
        except Exception as error:  # whatever ONNX Runtime raises: the rows are in no known state then
            self._die(Died(f"a pass failed: {type(error).__name__}", error))

    def _die(self, died: Died) -> None:
        self._died = self._died or died
        self.batch.die(self._died)
