"""`parley models plan`: what a base model needs of GPUs, by the account of the engine and with its defaults."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from parley.backends.checkpoint_files import Checkpoint, open_checkpoint
from parley.backends.vllm_engine.memory import STEP_TOKENS
from parley.backends.vllm_engine.memory import serving as serving_by
from parley.cli.common import JsonOption, print_json, table
from parley.domain.model_advice import MOST_GPUS, advice, as_served, reason, serving_precision, ways_to_fit
from parley.domain.model_families import shape_of
from parley.domain.model_plan import GIB, GPUS, Plan, least_gpus, plan, possible_gpus
from parley.domain.model_shapes import ModelShape
from parley.domain.precisions import PRECISIONS, Precision, Tensor, precision_of
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError

ENGINE = EngineSettings.model_construct(model="")
"""The engine's own defaults, whatever this shell's environment says: what is planned need not run here."""

ModelArgument = Annotated[
    str, typer.Argument(help="A folder with config.json, or a Hugging Face id in the local cache.")
]


def plan_command(
    model: ModelArgument,
    gpus: Annotated[
        int, typer.Option(min=1, max=64, help="GPUs that share it by tensor parallelism.")
    ] = ENGINE.tensor_parallel,
    gpu: Annotated[str, typer.Option(help=f"Kind of GPU: {', '.join(GPUS)}.")] = "h200",
    memory: Annotated[float | None, typer.Option(min=0.1, help="GiB of one GPU, instead of a kind.")] = None,
    quantization: Annotated[
        str | None,
        typer.Option(help=f"Precision of the weights: {', '.join(PRECISIONS)}. Without it the model's own."),
    ] = None,
    kv_fp8: Annotated[bool, typer.Option("--kv-fp8", help="Keep the KV cache in fp8.")] = False,
    context: Annotated[
        int | None,
        typer.Option(
            min=8,
            help="Tokens of prompt and completion together; without it as many as the model was made for.",
        ),
    ] = None,
    slots: Annotated[
        int, typer.Option(min=0, max=512, help="Adapters that can decode at once; 0: none.")
    ] = ENGINE.max_loras,
    rank: Annotated[
        int, typer.Option(min=1, max=512, help="Highest rank of an adapter.")
    ] = ENGINE.max_lora_rank,
    held: Annotated[
        int | None,
        typer.Option(min=0, help="Adapters kept in the host's memory; without it four times the slots."),
    ] = None,
    sequences: Annotated[
        int, typer.Option(min=1, max=8192, help="Completions at once.")
    ] = ENGINE.max_num_seqs,
    step_tokens: Annotated[int, typer.Option(min=8, help="Tokens of one step.")] = STEP_TOKENS,
    utilisation: Annotated[
        float, typer.Option(min=0.05, max=1, help="The part of a GPU's memory that the engine may take.")
    ] = ENGINE.gpu_memory_utilization,
    eager: Annotated[bool, typer.Option("--eager", help="Without CUDA graphs.")] = ENGINE.enforce_eager,
    download: Annotated[bool, typer.Option("--download", help="Fetch what the local cache lacks.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Work out what MODEL needs: weights, adapter slots, a step, the KV cache; whether that fits, and if not, what would. Loads nothing.

    Without options it is planned as the engine runs without settings. Exit status 1 where it does not fit.
    """
    if slots and held is not None and held <= slots:
        raise ConfigurationError(f"--held: {held} is too few; {slots} slots need at least {slots + 1}")
    found = open_checkpoint(model, download=download)
    shape = shape_of(found.config)
    _check_context(context, shape)
    chosen = ENGINE.model_copy(
        update={
            "tensor_parallel": gpus,
            "max_model_len": context,
            "max_loras": slots,
            "max_lora_rank": rank,
            "held_adapters": held,
            "max_num_seqs": sequences,
            "max_num_batched_tokens": step_tokens,
            "gpu_memory_utilization": utilisation,
            "enforce_eager": eager,
        }
    )
    serving = replace(
        serving_by(chosen, int((memory or _memory(gpu)) * GIB)),
        precision=_precision(found.config, quantization),
        cache_fp8=kv_fp8,
    )
    serving, tensors = as_served(found.config, serving, found.tensors)
    worked_out = plan(shape, serving, tensors)
    kind = f"{memory:g} GiB" if memory else gpu
    if as_json:
        print_json(_report(found, shape, worked_out, tensors))
    else:
        _tell(found, shape, worked_out, kind, tensors)
    if not worked_out.fits:
        raise typer.Exit(1)


# --- what is asked for -------------------------------------------------------------------------------------------------


def _check_context(context: int | None, shape: ModelShape) -> None:
    """vLLM refuses to start with more: what a model writes beyond the positions that it was made for is no language."""
    if context is not None and context > shape.context:
        raise ConfigurationError(
            f"--context: {context} is more than the model was made for; allowed: 8 to {shape.context} tokens"
        )


def _memory(gpu: str) -> float:
    if gpu.lower() not in GPUS:
        raise ConfigurationError(f"--gpu: {gpu!r} is not known; known: {', '.join(GPUS)}; or say --memory")
    return GPUS[gpu.lower()]


def _precision(config: dict[str, Any], wanted: str | None) -> Precision:
    if wanted is None:
        return serving_precision(config)
    if wanted not in PRECISIONS:
        raise ConfigurationError(f"--quantization: {wanted!r} is not known; allowed: {', '.join(PRECISIONS)}")
    own = precision_of(config)
    if own is not None and own.name != wanted:
        raise ConfigurationError(
            f"--quantization: the checkpoint is quantised already ({own.name}) and is served as it is"
        )
    return own or PRECISIONS[wanted]


# --- what is told ------------------------------------------------------------------------------------------------------


def _tell(
    found: Checkpoint, shape: ModelShape, worked_out: Plan, kind: str, tensors: tuple[Tensor, ...]
) -> None:
    serving = worked_out.serving
    typer.echo(f"{found.name}: {shape.family}, {_billions(shape.parameters)} parameters{_active(shape)}")
    for note in shape.notes:
        typer.echo(f"  {note}")
    if worked_out.unsplittable is None:
        typer.echo(f"{serving.precision.name} on {serving.gpus} x {kind}, GiB on each GPU:")
        table(_rows(worked_out, from_files=bool(tensors)), ("  what", "     GiB", ""))
    if serving.slots and worked_out.unsplittable is None:
        typer.echo(f"in the host's memory, adapters: at most {worked_out.host / GIB:.2f} GiB")
    if worked_out.fits:
        typer.echo(
            f"fits: {worked_out.cached_tokens:,} tokens of KV cache, "
            f"{worked_out.requests:.1f} requests of {worked_out.context:,} tokens at once"
        )
    else:
        begin = (
            "does not fit" if worked_out.unsplittable is None else f"--gpus {serving.gpus} is not possible"
        )
        typer.echo(f"{begin}: {reason(shape, worked_out)}. {advice(ways_to_fit(shape, serving, tensors))}")
    numbers = [f"{name} {count}" for name, count in least_gpus(shape, serving).items() if count]
    typer.echo(f"least number of GPUs: {', '.join(numbers) or 'no kind, up to 8'}")


def _rows(worked_out: Plan, *, from_files: bool) -> list[tuple[str, ...]]:
    serving = worked_out.serving
    slots = f"{serving.slots} of rank {serving.rank}" if serving.slots else "none"
    one = worked_out.context * worked_out.cache_per_token
    lines = [
        ("weights", worked_out.weights, "as the files hold them" if from_files else "by the config"),
        ("adapter slots", worked_out.slots, slots),
        (
            "a step",
            worked_out.step,
            f"estimate: {serving.step_tokens:,} tokens, {serving.sequences} sequences",
        ),
        ("CUDA graphs", worked_out.graphs, "estimate"),
        ("libraries", worked_out.workspace, "estimate"),
        ("left for the KV cache", worked_out.cache, f"{worked_out.cache_per_token / 1024:,.0f} KiB a token"),
        ("one request", one, f"{worked_out.context:,} tokens"),
        ("the engine's part", worked_out.budget, f"{serving.utilisation:.0%} of {serving.memory / GIB:.1f}"),
    ]
    return [(f"  {name}", f"{size / GIB:8.2f}", note) for name, size, note in lines]


def _report(
    found: Checkpoint, shape: ModelShape, worked_out: Plan, tensors: tuple[Tensor, ...]
) -> dict[str, Any]:
    serving = worked_out.serving
    ways = [] if worked_out.fits else ways_to_fit(shape, serving, tensors)
    return {
        "model": found.name,
        "family": shape.family,
        "parameters": shape.parameters,
        "active_parameters": shape.active_parameters,
        "precision": serving.precision.name,
        "gpus": serving.gpus,
        "context": worked_out.context,
        "from_files": bool(tensors),
        "bytes_per_gpu": {
            "memory": serving.memory,
            "budget": worked_out.budget,
            "weights": worked_out.weights,
            "slots": worked_out.slots,
            "step": worked_out.step,
            "graphs": worked_out.graphs,
            "workspace": worked_out.workspace,
            "cache": worked_out.cache,
            "cache_per_token": worked_out.cache_per_token,
        },
        "host_bytes": worked_out.host,
        "cached_tokens": worked_out.cached_tokens,
        "requests": round(worked_out.requests, 2),
        "fits": worked_out.fits,
        "missing_bytes": 0 if worked_out.unsplittable else worked_out.missing,
        "unsplittable": worked_out.unsplittable,
        "possible_gpus": possible_gpus(shape, serving, MOST_GPUS),
        "would_fit": [way.words for way in ways],
        "least_gpus": least_gpus(shape, serving),
        "notes": shape.notes,
    }


def _billions(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count >= 1e8 else f"{count / 1e6:.2f} M"


def _active(shape: ModelShape) -> str:
    same = shape.active_parameters == shape.parameters
    return "" if same else f", of which a token goes through {_billions(shape.active_parameters)}"
