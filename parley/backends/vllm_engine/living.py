"""One life of vLLM's engine, from its start to its end. Imports vLLM.

`AsyncLLM` is used one step below its `generate`: `add_request` gives the queue of a completion's outputs, and reading it here spares
every piece a second generator. What waits for vLLM is never given up without an `abort` (vllm#57061: such a request would stay
in the engine for ever).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vllm import SamplingParams
from vllm.inputs import tokens_input
from vllm.lora.request import LoRARequest
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.exceptions import EngineDeadError

from parley.backends.held_adapters import HeldAdapters
from parley.backends.vllm_engine.building import called_off, to_its_end
from parley.backends.vllm_engine.calls import in_our_words, reason, while_alive
from parley.backends.vllm_engine.pieces import Pieces
from parley.backends.vllm_engine.processes import kill
from parley.backends.vllm_engine.prompts import Prompts
from parley.backends.vllm_engine.start_log import StartLog
from parley.errors import AdapterRefused, EngineDied, RequestRefused
from parley.ports.engine import AdapterFiles, CompletionRequest, EngineFacts, Piece

if TYPE_CHECKING:
    from psutil import Process

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class _UnderWay:
    """One completion: vLLM's queue of its outputs once it was let in, and whether it was aborted before that."""

    __slots__ = ("aborted", "queue")

    def __init__(self) -> None:
        self.queue: Any = None
        self.aborted = False


class Living:
    """`vllm` is the `AsyncLLM`, and `processes` are those that it runs in; the other methods are those of the port."""

    def __init__(
        self, vllm: Any, facts: EngineFacts, told: StartLog, processes: Collection["Process"]
    ) -> None:
        self.facts = facts
        self._told = told
        self._processes = processes
        self._vllm = vllm
        self._prompts = Prompts(vllm.tokenizer, facts.context_tokens)
        self._adapters: HeldAdapters[LoRARequest] = HeldAdapters(facts.held)
        self._changing_adapters = asyncio.Lock()
        self._under_way: dict[str, _UnderWay] = {}

    @property
    def model_config(self) -> Any:
        return self._running().vllm_config.model_config.hf_text_config

    @property
    def cache_block_tokens(self) -> int:
        return int(self._running().vllm_config.cache_config.block_size)

    async def begin(self) -> None:
        """One token, so that whatever vLLM does at its first request is done; then its workers are mended.

        Where there will be adapters, with log-probabilities, as their probes are asked: vLLM compiles what ranks them when they are first
        wanted, and the first adapter's load would wait for it, on a CPU for a C++ compiler's seconds.

        vLLM begins to watch its process with the first request, so this one looks by itself whether it is there.
        """
        first = asyncio.ensure_future(self._one_token())
        try:
            while not (await asyncio.wait({first}, timeout=LOOK_EVERY_S))[0]:
                if self._running().errored:
                    raise EngineDied("the engine's process ended as soon as it was started")
            first.result()
        finally:
            await called_off(first)
        if self.facts.slots:
            mended = {fault for each in await self.ask_workers("parley_mend") for fault in each}
            log.info("faults of this vLLM that were mended: %s", ", ".join(sorted(mended)) or "none")

    async def _one_token(self) -> None:
        request = CompletionRequest(
            "start", prompt_token_ids=(0,), max_tokens=1, logprobs=self.facts.slots > 0
        )
        async for _ in self.generate(request):
            pass

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        if request.request_id in self._under_way:
            raise RequestRefused(f"request {request.request_id} is under way already")
        vllm, prompt = self._running(), self._prompts.token_ids(request)
        written = self._prompts.written(request)
        parameters = self._parameters(request, self._prompts.room(prompt, request.max_tokens), len(written))
        adapter = self._adapters.use(request.adapter)
        own = self._under_way[request.request_id] = _UnderWay()
        pieces, finished = self._pieces(request, len(prompt), len(written)), False
        try:
            with in_our_words():
                queue = own.queue = await vllm.add_request(
                    request.request_id,
                    tokens_input(prompt + written, cache_salt=request.cache_salt or None),
                    parameters,
                    lora_request=adapter,
                    priority=request.priority,
                )
                if self._vllm is None:
                    raise EngineDeadError()  # closed while it was let in: nobody will tell its end
                if own.aborted:
                    await vllm.abort(queue.request_id, internal=True)
                while not finished:
                    output = queue.get_nowait() or await queue.get()
                    finished = output.finished
                    yield pieces.make(output)
        finally:
            del self._under_way[request.request_id]
            self._adapters.release(request.adapter)
            if not finished:
                await self._abort(request.request_id)

    async def abort(self, request_id: str) -> None:
        own = self._under_way.get(request_id)
        if own is not None:
            own.aborted = True
            await self._abort(request_id)

    async def load(self, adapter: AdapterFiles) -> None:
        if not self.facts.slots:
            raise AdapterRefused("this engine takes no adapters: PARLEY_ENGINE_MAX_LORAS is 0")
        # To the end, also when the caller gives up: else nobody would know what vLLM holds.
        await asyncio.shield(asyncio.ensure_future(self._load(adapter)))

    async def unload(self, name: str) -> None:
        await asyncio.shield(asyncio.ensure_future(self._unload(name)))

    async def forget(self) -> bool:
        if self._under_way:
            return False
        with in_our_words():
            return bool(await while_alive(vllm := self._running(), vllm.reset_prefix_cache()))

    async def ask_workers(self, method: str) -> list[Any]:
        with in_our_words():
            answers: list[Any] = await while_alive(vllm := self._running(), vllm.collective_rpc(method))
        return answers

    async def end(self) -> None:
        """vLLM's objects are let go of with it: what an error's traceback keeps of this life is not to keep them too."""
        vllm, self._vllm = self._running(), None
        self._told.hide()
        for own in self._under_way.values():
            if own.queue is not None:
                own.queue.put(EngineDeadError())
        await to_its_end(asyncio.to_thread(self._shut_down, vllm))

    def _shut_down(self, vllm: Any) -> None:
        kill(self._processes)
        vllm.shutdown()

    def _running(self) -> Any:
        if self._vllm is None:
            raise EngineDied("the engine is closed")
        return self._vllm

    @staticmethod
    def _pieces(request: CompletionRequest, prompt: int, written: int) -> Pieces:
        rewritten = len(request.written) - written
        return Pieces(prompt, logprobs=request.logprobs, written=written, rewritten=rewritten)

    def _parameters(self, request: CompletionRequest, max_tokens: int, written: int) -> SamplingParams:
        """A completion that goes on is sampled with numbers of its own, not with those of its beginning again."""
        with in_our_words():
            return SamplingParams(
                max_tokens=max_tokens - written,
                temperature=request.temperature,
                seed=request.seed if request.seed is None else request.seed + written,
                stop=list(request.stop),
                logprobs=0 if request.logprobs else None,  # 0: of the tokens that are written, no others
                ignore_eos=request.ignore_eos,
                detokenize=self._prompts.has_tokenizer,
                output_kind=RequestOutputKind.DELTA,
            )

    async def _abort(self, request_id: str) -> None:
        if self._vllm is not None:
            with suppress(EngineDeadError):
                await self._vllm.abort(request_id)

    async def _load(self, adapter: AdapterFiles) -> None:
        async with self._changing_adapters:
            if adapter.name in self._adapters:
                return
            surplus = self._adapters.surplus()
            if surplus is not None:
                await self._remove(surplus)
            await self._add(adapter)

    async def _unload(self, name: str) -> None:
        async with self._changing_adapters:
            await self._remove(name)

    async def _add(self, adapter: AdapterFiles) -> None:
        """A new version always has its own name, number and folder, and is never loaded over another."""
        vllm = self._running()
        request = LoRARequest(adapter.name, self._adapters.new_number(), str(adapter.folder.resolve()))
        try:
            await while_alive(vllm, vllm.add_lora(request))
        except EngineDeadError as error:
            raise EngineDied("the engine ended while an adapter was loaded") from error
        except Exception as error:  # vLLM passes its workers' errors on as plain ones
            with in_our_words():  # what was loaded in part goes
                await while_alive(vllm, vllm.remove_lora(request.lora_int_id))
            raise AdapterRefused(f"{adapter.folder}: {reason(error)}") from error
        self._adapters.keep(adapter.name, request)

    async def _remove(self, name: str) -> None:
        request = self._adapters.forget(name)
        if request is not None:
            with in_our_words():
                await while_alive(vllm := self._running(), vllm.remove_lora(request.lora_int_id))
