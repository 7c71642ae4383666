"""Bringing vLLM's engine up for a model, or saying why it does not come up. Imports vLLM."""

import logging
from time import monotonic
from typing import Any

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.platforms import current_platform
from vllm.v1.engine.async_llm import AsyncLLM

from parley.backends.base_folder import find_base
from parley.backends.checkpoint_files import Checkpoint
from parley.backends.vllm_engine.arguments import engine_arguments
from parley.backends.vllm_engine.living import Living
from parley.backends.vllm_engine.memory import check_memory, would_fit
from parley.backends.vllm_engine.processes import children
from parley.backends.vllm_engine.start_log import start_log
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError
from parley.ports.engine import EngineFacts

log = logging.getLogger(__name__)

CPU_CACHE_BYTES = 1 << 30
"""The host's memory is not the engine's alone: a share of all of it is seldom free."""
MEMORY_WORDS = ("out of memory", "No available memory", "KV cache", "Available memory", "memory utilization")

NO_KERNEL = "Failed to find a kernel"
REASONS = ". Reasons: "
"""What an error ends with whose next lines name one kernel each."""
FOR_CPUS = (
    "there is no kernel for the quantisation of this checkpoint on CPUs: those of `parley models quantize` with --bits 8 or --bits 4 run there, "
    "those with --weight-only on GPUs alone"
)


def start(settings: EngineSettings, extension: str, checkpoint: Checkpoint | None) -> Living:
    """Takes seconds to minutes. `checkpoint`: the model's files, where they are known to be here.

    Raises `ConfigurationError` for a model that cannot run here.
    """
    device_bytes = int(current_platform.get_device_total_memory())
    if checkpoint is not None:
        check_memory(settings, checkpoint, device_bytes)
    began, told = monotonic(), start_log()
    if current_platform.is_cpu() and settings.kv_cache_bytes is None:
        settings = settings.model_copy(update={"kv_cache_bytes": CPU_CACHE_BYTES})
    arguments = engine_arguments(settings, extension)
    if current_platform.is_cpu() and settings.max_loras:
        # What is compiled cannot be mended any more (`worker_extension.reads_no_slot`).
        arguments["enforce_eager"] = True
    before = children()
    try:
        vllm = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        told.show()
    except Exception as error:  # of vLLM, PyTorch, transformers, the hub or pydantic
        cause = (told.cause() or _first_line(error)).removesuffix(REASONS)
        advice = _advice(cause, settings, checkpoint, device_bytes)
        raise ConfigurationError(
            f"the engine does not start with {settings.model}: {cause}{'; ' if advice else ''}{advice}"
        ) from error
    facts = _facts(settings, vllm)
    log.info("%s is up after %.0f s", facts.model, monotonic() - began)
    return Living(vllm, facts, told, children() - before)


def _advice(cause: str, settings: EngineSettings, checkpoint: Checkpoint | None, device_bytes: int) -> str:
    """What would help; empty where that is not known."""
    if _lacks_memory(cause):
        return would_fit(settings, checkpoint, device_bytes)
    return FOR_CPUS if current_platform.is_cpu() and NO_KERNEL in cause else ""


def _lacks_memory(cause: str) -> bool:
    return any(words in cause for words in MEMORY_WORDS)


def _first_line(error: Exception) -> str:
    """Pydantic's errors say in their second line what the first one only counts."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = lines[1] if len(lines) > 1 and "validation error" in lines[0] else "".join(lines[:1])
    return f"{type(error).__name__}: {told}"


def _facts(settings: EngineSettings, vllm: Any) -> EngineFacts:
    base = find_base(settings.model, settings.revision or None, offline=settings.offline)
    return EngineFacts(
        model=f"{settings.name}@{base.revision}",
        context_tokens=int(vllm.vllm_config.model_config.max_model_len),
        running=settings.max_num_seqs,
        resumes=settings.prefix_caching,
        slots=settings.max_loras,
        held=settings.held,
        max_rank=settings.rank,
    )
