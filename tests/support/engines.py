"""The engines as the contract suite sees them: what each can do, how one is opened, and an event loop for it to live in.

Another backend is one more `EngineKind` in `KINDS`; nothing else has to know of it.
"""

import asyncio
import importlib.util
import os
import platform
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Thread
from typing import Any, TypeVar

from parley.engine_settings import EngineSettings
from parley.errors import EngineDied
from parley.ports.engine import AdapterFiles, ChatMessage, CompletionRequest, Engine, Finish, Piece
from tests.support.tiny_models import RANK, TinyModels

T = TypeVar("T")
SLOTS = 4
#: Where `make test` installs the engines; elsewhere the suite leaves out those that are missing, whatever was promised.
ENGINES_INSTALLABLE = (sys.platform, platform.machine()) == ("linux", "x86_64")
ANSWER_WITHIN_S = 60.0
START_WITHIN_S = 300.0


@dataclass(frozen=True)
class EngineKind:
    """A backend and what it can do; the suite leaves out what it cannot."""

    name: str
    #: The engine on the tiny Llama, not started yet.
    open: Callable[[TinyModels], Engine]
    #: Why it cannot run here; None where it can.
    missing: Callable[[], str | None]
    #: It loads adapters.
    adapters: bool = False
    #: It takes prompts as token ids, and tells those that it writes.
    token_ids: bool = False
    logprobs: bool = False
    #: In float32: greedy tokens are those of transformers and PEFT.
    exact: bool = False
    #: Ends its process as the kernel would, where it has one.
    kill: Callable[[Engine], None] | None = None


def _open_vllm(models: TinyModels) -> Engine:
    from parley.backends.vllm_engine import VllmEngine

    return VllmEngine(vllm_settings(str(models.llama)))


def vllm_settings(model: str) -> EngineSettings:
    return EngineSettings.load(
        model=model,
        dtype="float32",
        max_loras=SLOTS,
        max_lora_rank=RANK,
        max_num_seqs=64,
        kv_cache_bytes=64 << 20,
        enforce_eager=True,
    )


def vllm_missing() -> str | None:
    if importlib.util.find_spec("vllm") is None:
        return f"vLLM is not installed ({platform.system()} {platform.machine()}): make test installs it on Linux x86-64"
    return None


def _kill_vllm(engine: Engine) -> None:
    for pid in vllm_processes(engine):
        os.kill(pid, signal.SIGKILL)


def vllm_processes(engine: Any) -> list[int]:
    """Of the engine's core; its workers are that one's children."""
    return [each.pid for each in engine._living._vllm.engine_core.resources.engine_manager.processes]


def _open_openai(models: TinyModels) -> Engine:
    from tests.support.model_servers import ServedEngine, VllmServer

    return ServedEngine(VllmServer(models.llama, models.root))


def _open_onnx(models: TinyModels) -> Engine:
    from parley.backends.onnx_engine import OnnxEngine
    from tests.support.exported import exported

    return OnnxEngine(exported(models, "fp32"), slots=SLOTS, max_rank=RANK)


def onnx_missing() -> str | None:
    from parley.backends.onnx_export import NEEDED

    missing = [name for name in (*NEEDED, "jinja2") if importlib.util.find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed ({platform.system()} {platform.machine()}): make test installs them on Linux x86-64"
    return None


KINDS = {
    kind.name: kind
    for kind in (
        EngineKind(
            "vllm",
            _open_vllm,
            vllm_missing,
            adapters=True,
            token_ids=True,
            logprobs=True,
            exact=True,
            kill=_kill_vllm,
        ),
        EngineKind(
            "openai",
            _open_openai,
            vllm_missing,
            adapters=True,
            token_ids=True,
            logprobs=True,
            exact=True,
        ),
        EngineKind(
            "onnx",
            _open_onnx,
            onnx_missing,
            adapters=True,
            token_ids=True,
            logprobs=True,
            exact=True,
        ),
    )
}


class Loop:
    """An event loop in a thread of its own; everything that an engine is asked, is asked there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()

    def run(self, call: Coroutine[Any, Any, T], within_s: float = ANSWER_WITHIN_S) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(within_s)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass(frozen=True)
class Written:
    """A whole completion."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def token_ids(self) -> list[int]:
        return [token for piece in self.pieces for token in piece.token_ids]

    @property
    def logprobs(self) -> list[float]:
        return [value for piece in self.pieces for value in piece.logprobs]

    @property
    def last(self) -> Piece:
        return self.pieces[-1]

    @property
    def finish(self) -> Finish | None:
        return self.last.finish


@dataclass
class RunningEngine:
    """A started engine, its loop, and the models that its adapters belong to."""

    kind: EngineKind
    engine: Engine
    loop: Loop
    models: TinyModels

    @classmethod
    def start(cls, kind: EngineKind, models: TinyModels, engine: Engine | None = None) -> "RunningEngine":
        made = cls(kind, engine or kind.open(models), Loop(), models)
        made.loop.run(made.engine.start(), START_WITHIN_S)
        return made

    def revive(self) -> None:
        """Start it again where it ended."""
        try:
            self.write_one(asking(max_tokens=1))
        except EngineDied:
            self.loop.run(self.engine.start(), START_WITHIN_S)

    def write(self, *requests: CompletionRequest) -> list[Written]:
        """All at once."""
        return self.loop.run(self._all(requests))

    def write_one(self, request: CompletionRequest) -> Written:
        return self.write(request)[0]

    def load(self, name: str, as_name: str | None = None) -> str:
        """One of the tiny Llama's adapters, by the name that requests use."""
        files = AdapterFiles(as_name or f"{name}@1", self.models.adapter(name), RANK)
        self.loop.run(self.engine.load(files))
        return files.name

    def unload(self, name: str) -> None:
        self.loop.run(self.engine.unload(name))

    def close(self) -> None:
        self.loop.run(self.engine.close())
        self.loop.close()

    async def aborted_after(self, request: CompletionRequest, pieces: int) -> Written:
        """Aborted once so many pieces have come, and read to its end."""
        told = []
        async for piece in self.engine.generate(request):
            told.append(piece)
            if len(told) == pieces:
                await self.engine.abort(request.request_id)
        return Written(tuple(told))

    async def _all(self, requests: Sequence[CompletionRequest]) -> list[Written]:
        return await asyncio.gather(*(written(self.engine.generate(request)) for request in requests))


async def written(pieces: AsyncIterator[Piece]) -> Written:
    return Written(tuple([piece async for piece in pieces]))


_numbers = count(1)


def asking(text: str = "Where is my card?", **chosen: Any) -> CompletionRequest:
    """A request with an id of its own; without `prompt_token_ids`, a customer's message."""
    if "prompt_token_ids" not in chosen:
        chosen.setdefault("messages", (ChatMessage("user", text),))
    return CompletionRequest(f"r{next(_numbers)}", **{"max_tokens": 16, **chosen})
