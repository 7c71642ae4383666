"""Our settings in vLLM's words, and the environment that its processes are started with."""

import logging
import os
import sys

from parley.backends.vllm_engine.owner import OWNER
from parley.backends.vllm_engine.start_log import LEVEL, QUIET
from parley.engine_settings import EngineSettings

#: What we call quantising while loading, as vLLM does (`vllm.config.quantization`). Its plain `fp8` is left to checkpoints.
QUANTIZATIONS = {"fp8": "fp8_per_tensor", "int8": "int8_per_channel_weight_only"}

WORKER_EXTENSION = "parley.backends.vllm_engine.worker_extension.SlotTable"


def prepare_environment(settings: EngineSettings) -> None:
    """To be called before vLLM is imported: it, and the processes that it starts, read these once.

    `spawn`: an engine that is forked from a process with PyTorch's threads never starts. Its logs begin at ERROR, with `PARLEY_LOG_LEVEL=DEBUG`
    at INFO, unless the shell says otherwise; they tell nothing of what requests say.
    """
    os.environ[OWNER] = str(os.getpid())
    os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "spawn"
    os.environ["VLLM_NO_USAGE_STATS"] = "1"
    os.environ.setdefault(LEVEL, "INFO" if logging.getLogger().isEnabledFor(logging.DEBUG) else QUIET)
    if os.environ[LEVEL] == QUIET:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", QUIET)
        for name in ("vllm", "torch"):  # until they read their own configuration
            logging.getLogger(name).setLevel(QUIET)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if settings.offline or settings.folder is not None:
        _stay_offline()


def _stay_offline() -> None:
    """The library reads the variable when it is imported, which may have been long ago; processes that start later read it anew."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    if (constants := sys.modules.get("huggingface_hub.constants")) is not None:
        constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]  # a module of any name


def engine_arguments(settings: EngineSettings, extension: str = WORKER_EXTENSION) -> dict[str, object]:
    """What `AsyncEngineArgs` takes. `extension` is the class that is mixed into vLLM's workers."""
    chosen: dict[str, object] = {
        "model": str(settings.folder or settings.model),
        "served_model_name": settings.name,
        "dtype": settings.dtype,
        "load_format": settings.load_format,
        "max_num_seqs": settings.max_num_seqs,
        "tensor_parallel_size": settings.tensor_parallel,
        "gpu_memory_utilization": settings.gpu_memory_utilization,
        "enable_prefix_caching": settings.prefix_caching,
        "stream_interval": settings.stream_interval,
        "enforce_eager": settings.enforce_eager,
        "scheduling_policy": "priority",
        "disable_log_stats": not settings.metrics,
        "trust_remote_code": False,
        "worker_extension_cls": extension,
        "skip_tokenizer_init": not _has_tokenizer(settings),
    }
    return {**chosen, **_where_named(settings), **_adapters(settings), **_speculative(settings)}


def _has_tokenizer(settings: EngineSettings) -> bool:
    """A folder may be without one; its engine takes prompts as token ids alone."""
    names = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "tekken.json")
    return settings.folder is None or any((settings.folder / name).is_file() for name in names)


def _where_named(settings: EngineSettings) -> dict[str, object]:
    """Those for which vLLM has a default of its own that is better than one of ours."""
    named = {
        "revision": "" if settings.folder else settings.revision,
        "quantization": QUANTIZATIONS.get(settings.quantization, settings.quantization),
        "max_model_len": settings.max_model_len,
        "max_num_batched_tokens": settings.max_num_batched_tokens,
        "kv_cache_memory_bytes": settings.kv_cache_bytes,
    }
    return {name: value for name, value in named.items() if value}


def _adapters(settings: EngineSettings) -> dict[str, object]:
    """vLLM may keep one more than we do, so that it never has to choose which one to drop."""
    if not settings.max_loras:
        return {}
    return {
        "enable_lora": True,
        "max_loras": settings.max_loras,
        "max_lora_rank": settings.rank,
        "max_cpu_loras": settings.held + 1,
    }


def _speculative(settings: EngineSettings) -> dict[str, object]:
    if not settings.speculative_tokens:
        return {}
    named = {"method": settings.speculative_method, "model": settings.speculative_model}
    chosen: dict[str, object] = {name: value for name, value in named.items() if value}
    chosen["num_speculative_tokens"] = settings.speculative_tokens
    if settings.speculative_method == "ngram":
        chosen["prompt_lookup_max"] = settings.speculative_tokens
    return {"speculative_config": chosen}
