"""`adapter_config.json`, as PEFT writes it: what of it every engine can serve, and what is refused.

The engines ignore what they do not know and would then answer wrongly without a word, so whatever changes what the weights mean is
refused here. The list is vLLM's (`vllm/lora/peft_helper.py`, 0.32), with the variants that PEFT 0.21 has beyond it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from parley.domain.tensor_header import is_count, json_object, quoted
from parley.errors import AdapterRefused

FILE = "adapter_config.json"
MAX_RANK = 512
"""vLLM's largest `max_lora_rank`."""
MAX_TARGETS = 10_000

UNSERVED: Mapping[str, str] = {
    "use_dora": "DoRA",
    "lora_bias": "a bias of LoRA's own",
    "modules_to_save": "whole modules beside LoRA",
    "rank_pattern": "ranks that differ by module",
    "alpha_pattern": "alphas that differ by module",
    "alora_invocation_tokens": "aLoRA",
    "layer_replication": "replicated layers",
    "trainable_token_indices": "trained tokens",
    "target_parameters": "LoRA on bare parameters",
    "use_qalora": "QALoRA",
    "use_bdlora": "BD-LoRA",
    "arrow_config": "Arrow",
    "kasa_config": "KaSA",
    "monteclora_config": "MonteCLoRA",
}
"""Fields that must be absent, null, false or empty, and what they mean. Patterns are regular expressions, which the engine would run, and
versions of vLLM before 0.32 ignore them."""

INITIAL = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
"""Ways to begin training that leave the base as it is. PiSSA, OLoRA, CorDA and LoftQ change it, so their weights fit no other base."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """`base_revision` is empty where the file does not say it."""

    rank: int
    targets: tuple[str, ...]
    base_model: str
    base_revision: str


def read_config(content: bytes, max_rank: int = MAX_RANK) -> AdapterConfig:
    """Raises `AdapterRefused` naming the field, what is wrong and what is allowed."""
    fields = json_object(FILE, content)
    _check_kind(fields)
    return AdapterConfig(
        _rank(fields, min(max_rank, MAX_RANK)),
        _targets(fields),
        _base(fields),
        _text(fields, "revision") or "",
    )


def _check_kind(fields: Mapping[str, object]) -> None:
    if fields.get("peft_type") != "LORA":
        raise _refused("peft_type", fields.get("peft_type"), "LORA")
    if fields.get("task_type") not in (None, "CAUSAL_LM"):
        raise _refused("task_type", fields.get("task_type"), "CAUSAL_LM or null")
    for field, meaning in UNSERVED.items():
        if fields.get(field):
            raise AdapterRefused(f"{FILE}: {field}: {meaning} cannot be served; allowed: none")
    if fields.get("bias", "none") != "none":
        raise _refused("bias", fields["bias"], "none")
    start = fields.get("init_lora_weights", True)
    if not (start is None or isinstance(start, bool)) and not (
        isinstance(start, str) and start.lower() in INITIAL
    ):
        raise _refused(
            "init_lora_weights", start, f"true, false, {', '.join(INITIAL)} (others change the base)"
        )
    alpha = fields.get("lora_alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha <= 1e6:
        raise _refused("lora_alpha", alpha, "a number above 0, up to 1,000,000")
    if not isinstance(fields.get("use_rslora", False), bool):
        raise _refused("use_rslora", fields["use_rslora"], "true or false")


def _rank(fields: Mapping[str, object], most: int) -> int:
    rank = fields.get("r")
    if not isinstance(rank, int) or not is_count(rank, 1, most):
        raise _refused("r", rank, f"a rank from 1 to {most}")
    return rank


def _targets(fields: Mapping[str, object]) -> tuple[str, ...]:
    """A text would be a regular expression, or a word that PEFT has replaced by a list when it saves."""
    targets = fields.get("target_modules")
    if not isinstance(targets, list) or not 1 <= len(targets) <= MAX_TARGETS:
        raise _refused("target_modules", targets, "a list of names of modules")
    names = [each for each in targets if isinstance(each, str)]
    if len(names) != len(targets):
        raise _refused("target_modules", targets, "a list of names of modules")
    return tuple(sorted(set(names)))


def _base(fields: Mapping[str, object]) -> str:
    name = _text(fields, "base_model_name_or_path")
    if not name:
        raise _refused("base_model_name_or_path", name, "the model that it was trained on")
    return name


def _text(fields: Mapping[str, object], field: str) -> str | None:
    value = fields.get(field)
    if value is not None and not (isinstance(value, str) and len(value) <= 1_000):
        raise _refused(field, value, "a text or null")
    return value


def _refused(field: str, value: object, allowed: str) -> AdapterRefused:
    return AdapterRefused(f"{FILE}: {field}: is {quoted(value)}; allowed: {allowed}")
