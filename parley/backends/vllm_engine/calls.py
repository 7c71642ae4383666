"""Calls into vLLM: its errors in our words, and no waiting for an engine that is gone. Imports vLLM."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from vllm.exceptions import VLLMValidationError
from vllm.v1.engine.exceptions import EngineDeadError

from parley.backends.vllm_engine.building import called_off
from parley.errors import EngineDied, GeneratorUnavailable, ParleyError, RequestRefused

T = TypeVar("T")


async def while_alive(vllm: Any, call: Coroutine[Any, Any, T]) -> T:
    """What the engine's process answers. Raises `EngineDeadError` when it ends; vLLM itself would leave the caller waiting."""
    answer = asyncio.ensure_future(call)
    try:
        await asyncio.wait({answer, vllm.output_handler}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise EngineDeadError()
    finally:
        await called_off(answer)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raises `EngineDied`, `RequestRefused` and `GeneratorUnavailable` for what vLLM raises."""
    try:
        yield
    except ParleyError:
        raise
    except EngineDeadError as error:
        raise EngineDied("the engine's process ended") from error
    except (ValueError, VLLMValidationError) as error:  # a ValueError no longer, in later releases
        raise RequestRefused(str(error)) from error
    except Exception as error:
        raise GeneratorUnavailable(f"the engine failed: {error}") from error


def reason(error: Exception) -> str:
    """What a worker said, without vLLM's words around it."""
    return str(error).removeprefix("Call to add_lora method failed: ")
