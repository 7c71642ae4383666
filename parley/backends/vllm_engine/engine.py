"""`VllmEngine`: the engine port on vLLM's `AsyncLLM`, which keeps the model in a process of its own and batches continuously.

Here is what outlives the engine's process: settings, start, death, close. One process's life is `living.Living`, which imports vLLM.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any

from parley.backends.base_folder import find_cached
from parley.backends.checkpoint_files import Checkpoint
from parley.backends.vllm_engine.arguments import WORKER_EXTENSION, prepare_environment
from parley.backends.vllm_engine.building import built
from parley.backends.vllm_engine.checkpoint import checkpoint_of
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError, EngineDied
from parley.ports.engine import AdapterFiles, CompletionRequest, EngineFacts, Piece

if TYPE_CHECKING:
    from parley.backends.vllm_engine.living import Living


class VllmEngine:
    """Implements `parley.ports.engine.Engine`.

    `extension`: the class that is mixed into vLLM's workers (`worker_extension.SlotTable`, or one derived from it).
    """

    def __init__(self, settings: EngineSettings, *, extension: str = WORKER_EXTENSION) -> None:
        self._settings = settings
        self._extension = extension
        self._living: Living | None = None

    @property
    def settings(self) -> EngineSettings:
        return self._settings

    @property
    def facts(self) -> EngineFacts:
        return self._life().facts

    @property
    def model_config(self) -> Any:
        """The language model's own configuration, a `transformers.PretrainedConfig`."""
        return self._life().model_config

    @property
    def cache_block_tokens(self) -> int:
        """Tokens that the prefix cache keeps together."""
        return self._life().cache_block_tokens

    async def start(self) -> None:
        """An engine that was started before is closed first."""
        await self.close()
        prepare_environment(self._settings)
        settings, checkpoint = await asyncio.to_thread(_checked, self._settings)
        living = await built(partial(_build, settings, self._extension, checkpoint), _end)
        self._living = living
        try:
            await living.begin()
        except BaseException:
            await self.close()
            raise

    def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        return self._living.generate(request) if self._living else _not_started()

    async def abort(self, request_id: str) -> None:
        if self._living is not None:
            await self._living.abort(request_id)

    async def load(self, adapter: AdapterFiles) -> None:
        await self._life().load(adapter)

    async def unload(self, name: str) -> None:
        await self._life().unload(name)

    async def forget(self) -> bool:
        """Let go of what the prefix cache has of prompts. False while anything runs: then new prompts take the room by and by."""
        return await self._life().forget()

    async def ask_workers(self, method: str) -> list[Any]:
        """What each of vLLM's workers answers to a method of its extension."""
        return await self._life().ask_workers(method)

    async def close(self) -> None:
        living, self._living = self._living, None
        if living is not None:
            await living.end()
            del living
            gc.collect()  # vLLM's objects refer to each other, and complain when they are only found as Python ends

    def _life(self) -> "Living":
        if self._living is None:
            raise EngineDied("the engine was not started, or is closed")
        return self._living


async def _not_started() -> AsyncIterator[Piece]:
    raise EngineDied("the engine was not started, or is closed")
    yield


def _checked(settings: EngineSettings) -> tuple[EngineSettings, Checkpoint | None]:
    """Before anything is started. Raises `ConfigurationError` for files that are missing or not whole."""
    settings = _at_hand(settings)
    return settings, checkpoint_of(settings)


def _build(settings: EngineSettings, extension: str, checkpoint: Checkpoint | None) -> "Living":
    """Raises `ConfigurationError` where vLLM is not installed, or cannot run this model here."""
    try:
        from parley.backends.vllm_engine.starting import start
    except ImportError as error:
        raise ConfigurationError(
            f"vLLM cannot be loaded ({error}): `pip install 'parley[vllm]'` where there is a GPU with CUDA (in a checkout `make engine-cuda`), "
            "`make engine` in a checkout for Linux on x86-64 without one"
        ) from error
    return start(settings, extension, checkpoint)


def _at_hand(settings: EngineSettings) -> EngineSettings:
    """With the cache's folder in place of an id where the hub is not to be asked: vLLM would ask for what it does not find."""
    if not settings.offline or settings.folder is not None:
        return settings
    folder = find_cached(settings.model, settings.revision or None)
    return settings.model_copy(update={"model": str(folder), "served_name": settings.name, "revision": ""})


async def _end(living: "Living") -> None:
    await living.end()
