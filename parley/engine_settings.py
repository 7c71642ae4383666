"""Settings of the language model that runs in the worker's own process: `PARLEY_ENGINE_…`, read once and passed on as a value.

They say what to run and how much of the machine it may have. What an engine calls these things itself is its backend's affair.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from parley.errors import ConfigurationError

#: Ranks that engines make buffers for (vLLM's `MaxLoRARanks`); others are rounded up to the next of them.
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)

STARTER = Path(__file__).resolve().parents[1] / "models" / "starter"
"""The model that ships with Parley."""


class EngineSettings(BaseSettings):
    """One base model on this machine, and the room for adapters beside it."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_ENGINE_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    #: A folder with `config.json`, safetensors and a tokenizer, or an id on the Hugging Face hub.
    model: Annotated[str, Field(min_length=1)]
    #: Branch, tag or commit of an id; of a folder, what answers shall call its content (empty: worked out from its files).
    revision: str = ""
    #: What answers call the model; empty: the folder's name, or the id.
    served_name: str = ""
    #: Never ask the hub for anything: an id must be in its local cache, or the start is refused at once. A folder never asks.
    offline: bool = False
    #: What weights are computed in; auto: as the model's own configuration says.
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    #: fp8 or int8 quantise a 16-bit model's weights while loading; any other name is the engine's own. Checkpoints that are
    #: quantised already (AWQ, GPTQ, compressed-tensors, fp8) say so themselves: leave it empty for them.
    quantization: str = ""
    #: dummy makes weights up instead of reading them: for measuring a shape.
    load_format: Literal["auto", "dummy"] = "auto"
    #: Tokens that prompt and completion may have together; empty: as many as the model was made for.
    max_model_len: Annotated[int, Field(ge=8)] | None = None
    #: Completions that run at once; more wait.
    max_num_seqs: Annotated[int, Field(ge=1, le=8192)] = 256
    #: Tokens that one step may compute, prompts among them; empty: the engine's choice.
    max_num_batched_tokens: Annotated[int, Field(ge=8)] | None = None
    #: GPUs that share each layer.
    tensor_parallel: Annotated[int, Field(ge=1, le=64)] = 1
    #: Part of each GPU's memory that the engine may use for weights, adapters and cache together.
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9
    #: Bytes of the key-value cache on each device; empty: what is left of the share above. On CPUs, name it.
    kv_cache_bytes: Annotated[int, Field(ge=1 << 20)] | None = None
    #: Keep what prompts begin with, and compute it once.
    prefix_caching: bool = True
    #: Tokens that the engine collects before it tells about them.
    stream_interval: Annotated[int, Field(ge=1, le=64)] = 1
    #: Run without captured graphs and compilation: starts sooner, answers slower.
    enforce_eager: bool = False

    #: Adapters that decode at once, one slot in each GPU's memory for each; 0: base model only.
    max_loras: Annotated[int, Field(ge=0, le=512)] = 8
    #: The highest rank of an adapter; every slot has room for it.
    max_lora_rank: Annotated[int, Field(ge=1, le=512)] = 16
    #: Adapters kept ready in the host's memory, those in slots among them; empty: four times the slots.
    held_adapters: Annotated[int, Field(ge=2, le=65536)] | None = None

    #: How several tokens a step are guessed: ngram needs nothing, others (eagle3, draft_model, mtp …) a model.
    speculative_method: str = ""
    #: Folder or id of the guessing model.
    speculative_model: str = ""
    #: Tokens guessed a step; 0 turns guessing off.
    speculative_tokens: Annotated[int, Field(ge=0, le=32)] = 0

    #: Collect the engine's own metrics, beside the worker's.
    metrics: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.max_loras and self.held < self.max_loras + 1:
            raise ValueError(
                f"held_adapters is {self.held}; {self.max_loras} slots need at least {self.max_loras + 1}"
            )
        if self.speculative_tokens and not (self.speculative_method or self.speculative_model):
            raise ValueError("speculative_tokens needs speculative_method (ngram …) or speculative_model")
        if (self.speculative_method or self.speculative_model) and not self.speculative_tokens:
            raise ValueError("speculative_method and speculative_model need speculative_tokens of 1 to 32")
        return self

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """From the environment. Raises `ConfigurationError` naming the variable and what is allowed."""
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks each value
        except ValidationError as error:
            raise ConfigurationError("; ".join(map(_problem, error.errors(include_url=False)))) from error

    @property
    def folder(self) -> Path | None:
        """The model's folder; None for an id on the hub."""
        path = Path(self.model).expanduser()
        return path if path.is_dir() else None

    @property
    def name(self) -> str:
        """What answers call the model."""
        return self.served_name or (self.folder.resolve().name if self.folder else self.model)

    @property
    def held(self) -> int:
        """Adapters that the engine keeps; 0 without slots."""
        return 0 if not self.max_loras else self.held_adapters or 4 * self.max_loras

    @property
    def rank(self) -> int:
        """The rank that slots have room for: `max_lora_rank` rounded up to one that engines know; 0 without slots."""
        return next(rank for rank in RANKS if rank >= self.max_lora_rank) if self.max_loras else 0


def engine_settings() -> EngineSettings:
    """The starter model is what runs where no other is named. Raises `ConfigurationError`."""
    return EngineSettings.load(model=os.environ.get("PARLEY_ENGINE_MODEL") or str(STARTER))


def _problem(error: object) -> str:
    """One line: the variable, or what of several does not fit together."""
    assert isinstance(error, dict)
    where = "_".join(map(str, error["loc"])).upper()
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"PARLEY_ENGINE_{where}: {message}" if where else f"PARLEY_ENGINE_{message}"
