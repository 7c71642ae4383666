"""What a model needs of the devices, by the account of `parley models plan` and in the words of the engine's settings."""

from parley.backends.checkpoint_files import Checkpoint
from parley.domain.model_advice import explain_out_of_memory, plan_as_served
from parley.domain.model_plan import GIB, Serving
from parley.domain.precisions import PRECISIONS
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError

STEP_TOKENS = 2048
"""What vLLM takes for an `AsyncLLM` where none are named (`SchedulerConfig.DEFAULT_MAX_NUM_BATCHED_TOKENS`, release 0.32)."""
SETTINGS = (
    "PARLEY_ENGINE_QUANTIZATION, PARLEY_ENGINE_TENSOR_PARALLEL, PARLEY_ENGINE_MAX_MODEL_LEN, PARLEY_ENGINE_MAX_LORAS, "
    "PARLEY_ENGINE_MAX_NUM_SEQS, PARLEY_ENGINE_GPU_MEMORY_UTILIZATION, PARLEY_ENGINE_KV_CACHE_BYTES"
)


def check_memory(settings: EngineSettings, checkpoint: Checkpoint, device_bytes: int) -> None:
    """Raises `ConfigurationError` where the weights alone exceed what the devices may give, saying what would fit."""
    needed = _weights(settings, checkpoint, device_bytes)
    share = device_bytes * settings.gpu_memory_utilization
    if needed > share:
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: the weights of {settings.name} take {needed / GIB:.1f} GiB on each of "
            f"{settings.tensor_parallel} devices; the engine may use {share / GIB:.1f} GiB there "
            f"({settings.gpu_memory_utilization:.0%} of {device_bytes / GIB:.1f}); {would_fit(settings, checkpoint, device_bytes)}"
        )


def would_fit(settings: EngineSettings, checkpoint: Checkpoint | None, device_bytes: int) -> str:
    """Why it does not fit and what would, for the message of a start that failed of it.

    A model that the planner does not know, one that is not here, and a cache of a size of its own leave it at naming what to turn.
    """
    turn = f"give it more or ask for less: {SETTINGS}"
    if checkpoint is None or settings.kv_cache_bytes is not None:
        return turn
    try:
        words = explain_out_of_memory(checkpoint.config, serving(settings, device_bytes), checkpoint.tensors)
    except ConfigurationError:
        return turn
    return f"{words}; the settings: {SETTINGS}"


def serving(settings: EngineSettings, device_bytes: int) -> Serving:
    """As the planner has it; `parley models plan` asks it too, so both give one account."""
    named = {"float32": "fp32", "float16": "fp16"}.get(settings.dtype, "bf16")
    quantised = settings.quantization if settings.quantization in PRECISIONS else named
    return Serving(
        memory=device_bytes,
        gpus=settings.tensor_parallel,
        precision=PRECISIONS[quantised],
        context=settings.max_model_len or 0,
        slots=settings.max_loras,
        rank=settings.rank,
        held=settings.held,
        sequences=settings.max_num_seqs,
        step_tokens=settings.max_num_batched_tokens or STEP_TOKENS,
        utilisation=settings.gpu_memory_utilization,
        graphs=not settings.enforce_eager,
    )


def _weights(settings: EngineSettings, checkpoint: Checkpoint, device_bytes: int) -> float:
    """Bytes on each device; as the files hold them for a model that the planner does not know."""
    try:
        found = plan_as_served(checkpoint.config, serving(settings, device_bytes), checkpoint.tensors)
    except ConfigurationError:
        return sum(tensor.bytes for tensor in checkpoint.tensors) / settings.tensor_parallel
    return found.weights
