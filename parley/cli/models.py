"""`parley models`: base models. What one needs of GPUs, a smaller checkpoint of it, and its form for the edge."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from parley.backends.checkpoint_files import Checkpoint, open_checkpoint
from parley.cli.common import JsonOption, print_json, step, table
from parley.cli.quantizing import quantize
from parley.domain.model_advice import advice, as_served, reason, serving_precision, ways_to_fit
from parley.domain.model_families import shape_of
from parley.domain.model_plan import GIB, GPUS, Plan, Serving, least_gpus, plan
from parley.domain.model_shapes import ModelShape
from parley.domain.precisions import PRECISIONS, Precision, Tensor, precision_of
from parley.errors import ConfigurationError

app = typer.Typer(help="Base models: what they need, smaller checkpoints.", no_args_is_help=True)

app.command("quantize")(quantize)

ModelArgument = Annotated[
    str, typer.Argument(help="A folder with config.json, or a Hugging Face id in the local cache.")
]


@app.command("plan")
def plan_command(
    model: ModelArgument,
    gpus: Annotated[int, typer.Option(min=1, max=64, help="GPUs that share it by tensor parallelism.")] = 1,
    gpu: Annotated[str, typer.Option(help=f"Kind of GPU: {', '.join(GPUS)}.")] = "h200",
    memory: Annotated[float | None, typer.Option(min=0.1, help="GiB of one GPU, instead of a kind.")] = None,
    quantization: Annotated[
        str | None,
        typer.Option(help=f"Precision of the weights: {', '.join(PRECISIONS)}. Without it the model's own."),
    ] = None,
    kv_fp8: Annotated[bool, typer.Option("--kv-fp8", help="Keep the KV cache in fp8.")] = False,
    context: Annotated[
        int | None, typer.Option(min=1, help="Tokens of prompt and completion together.")
    ] = None,
    slots: Annotated[int, typer.Option(min=0, help="Adapters that can decode at once; 0: none.")] = 0,
    rank: Annotated[int, typer.Option(min=1, help="Highest rank of an adapter.")] = 16,
    held: Annotated[int, typer.Option(min=0, help="Adapters kept in the host's memory.")] = 0,
    sequences: Annotated[int, typer.Option(min=1, help="Completions at once.")] = 256,
    step_tokens: Annotated[int, typer.Option(min=1, help="Tokens of one step.")] = 8192,
    utilisation: Annotated[
        float, typer.Option(min=0.05, max=1, help="The part of a GPU's memory that the engine may take.")
    ] = 0.92,
    eager: Annotated[bool, typer.Option("--eager", help="Without CUDA graphs.")] = False,
    download: Annotated[bool, typer.Option("--download", help="Fetch what the local cache lacks.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Work out what MODEL needs: weights, adapter slots, a step, the KV cache; whether that fits, and if not, what would. Loads nothing.

    Exit status 1 where it does not fit.
    """
    found = open_checkpoint(model, download=download)
    shape = shape_of(found.config)
    precision = _precision(found.config, quantization)
    serving = Serving(
        memory=int((memory or _memory(gpu)) * GIB),
        gpus=gpus,
        precision=precision,
        cache_fp8=kv_fp8,
        context=context or 0,
        slots=slots,
        rank=rank,
        held=held,
        sequences=sequences,
        step_tokens=step_tokens,
        utilisation=utilisation,
        graphs=not eager,
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


@app.command("export-onnx")
def export_onnx_command(
    model: ModelArgument,
    out: Annotated[Path, typer.Argument(help="The folder to write.", file_okay=False)],
    precision: Annotated[str, typer.Option(help="fp32 or int8.")] = "int8",
) -> None:
    """Write the form of MODEL that the ONNX engine runs on a CPU."""
    chosen: Literal["fp32", "int8"]
    match precision:
        case "fp32" | "int8":
            chosen = precision
        case _:
            raise ConfigurationError(f"--precision: {precision!r} is not known; allowed: fp32, int8")
    folder = open_checkpoint(model).folder
    from parley.backends.onnx_export import export_onnx

    with step(f"writing {out}"):
        export_onnx(folder, out, chosen)


# --- what is asked for -------------------------------------------------------------------------------------------------


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
    typer.echo(f"{serving.precision.name} on {serving.gpus} x {kind}, GiB on each GPU:")
    table(_rows(worked_out, from_files=bool(tensors)), ("  what", "     GiB", ""))
    if serving.slots:
        typer.echo(f"in the host's memory, adapters: at most {worked_out.host / GIB:.2f} GiB")
    if worked_out.fits:
        typer.echo(
            f"fits: {worked_out.cached_tokens:,} tokens of KV cache, "
            f"{worked_out.requests:.1f} requests of {worked_out.context:,} tokens at once"
        )
    else:
        typer.echo(f"does not fit: {reason(worked_out)}. {advice(ways_to_fit(shape, serving, tensors))}")
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
        "would_fit": [way.words for way in ways],
        "least_gpus": least_gpus(shape, replace(serving)),
        "notes": shape.notes,
    }


def _billions(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count >= 1e8 else f"{count / 1e6:.2f} M"


def _active(shape: ModelShape) -> str:
    same = shape.active_parameters == shape.parameters
    return "" if same else f", of which a token goes through {_billions(shape.active_parameters)}"
