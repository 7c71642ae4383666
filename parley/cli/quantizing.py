"""`parley models quantize`: a smaller checkpoint, and what it costs."""

import importlib.util
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from parley.backends.checkpoint_files import find
from parley.cli.common import JsonOption, print_json, step, table
from parley.cli.json_lines import objects
from parley.errors import ConfigurationError

GROUPS = (128, 64, 32, -1)
"""Those that vLLM's kernels have."""

NEEDED = ("torch", "transformers", "safetensors", "compressed_tensors")


def quantize(
    model: Annotated[str, typer.Argument(help="A folder, or a Hugging Face id in the local cache.")],
    out: Annotated[Path, typer.Argument(help="The folder to write.", file_okay=False)],
    bits: Annotated[int, typer.Option(help="8 or 4.")] = 4,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="JSON lines with text, messages or token_ids; without it each weight is only rounded.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Windows of the calibration set.")] = 128,
    length: Annotated[int, typer.Option(min=8, help="Tokens of a window.")] = 512,
    group_size: Annotated[
        int, typer.Option(help="With 4 bits: weights that share a scale; 128, 64, 32, or -1 for a row.")
    ] = 128,
    weight_only: Annotated[
        bool, typer.Option("--weight-only", help="With 8 bits: leave activations at 16 (GPU only).")
    ] = False,
    text: Annotated[
        Path | None, typer.Option(help="Measure perplexity on this text.", exists=True, dir_okay=False)
    ] = None,
    requests: Annotated[
        int, typer.Option(min=0, help="Measure speed with so many completions at once; 0: do not.")
    ] = 16,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of each of them.")] = 64,
    device: Annotated[str, typer.Option(help="cuda, cpu, or empty: what is there.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write an 8-bit or 4-bit checkpoint of MODEL to OUT, in the compressed-tensors format that vLLM loads, and print memory, perplexity and
    speed before and after. Weights are fitted to the calibration set by GPTQ; embeddings and output stay as they are.
    """
    _check(bits, group_size, weight_only=weight_only)
    _check_installed()
    os.environ.setdefault(
        "TQDM_DISABLE", "1"
    )  # the libraries' progress bars, among the lines that say what is done
    from workers.retrain.quantize.making import Wanted, quantise_checkpoint

    rows = None if calibration is None else list(objects(calibration, "text, messages or token_ids"))
    wanted = Wanted(
        bits=bits,
        group=group_size if bits == 4 and group_size > 0 else None,
        activations=bits == 8 and not weight_only,
        calibration=rows,
        samples=samples,
        length=length,
        text=None if text is None else _read(text),
        requests=requests,
        tokens=tokens,
        device=_device(device),
    )
    report = quantise_checkpoint(find(model), out, wanted, step)
    if as_json:
        print_json({"model": model, "out": str(out), **report})
    else:
        _tell(report)


def _check(bits: int, group_size: int, *, weight_only: bool) -> None:
    if bits not in (8, 4):
        raise ConfigurationError(f"--bits: {bits} is not possible; allowed: 8, 4")
    if group_size not in GROUPS:
        raise ConfigurationError(
            f"--group-size: {group_size} is not possible; allowed: {', '.join(map(str, GROUPS))}"
        )
    if weight_only and bits == 4:
        raise ConfigurationError("--weight-only: 4-bit checkpoints always are; it goes with --bits 8")


def _check_installed() -> None:
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise ConfigurationError(
            f"quantising needs {', '.join(missing)}: install the extra `train` (pip install 'parley[train]')"
        )


def _device(asked: str) -> str:
    import torch

    there = torch.cuda.is_available()
    device = asked or ("cuda" if there else "cpu")
    if device not in ("cuda", "cpu"):
        raise ConfigurationError(f"--device: {device!r} is not known; allowed: cuda, cpu")
    if device == "cuda" and not there:
        raise ConfigurationError("--device: there is no CUDA device here")
    return device


def _read(text: Path) -> str:
    try:
        return text.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--text: {text} cannot be read as UTF-8 ({error})") from error


def _tell(report: dict[str, Any]) -> None:
    before, after = report["before"], report["after"]
    how = f"GPTQ, {report['samples']} samples" if report["samples"] else "rounded to the nearest"
    typer.echo(f"{report['scheme']}, {report['matrices']} matrices, {how}, {report['seconds']:g} s")
    rows = [
        _memory_row("quantised matrices", before["matrix_bytes"], after["matrix_bytes"]),
        _memory_row("all weights", before["bytes"], after["bytes"]),
    ]
    if "perplexity" in before:
        old, new = before["perplexity"], after["perplexity"]
        rows.append(("perplexity", f"{old:.3f}", f"{new:.3f}", f"{new / old - 1:+.1%}"))
    if "speed" in before:
        rows.append(_speed_row(before["speed"], after["speed"]))
    table(rows, ("", "before", "after", ""))


def _memory_row(name: str, before: int, after: int) -> tuple[str, ...]:
    return name, f"{before / 1e6:,.1f} MB", f"{after / 1e6:,.1f} MB", f"{after / before - 1:+.1%}"


def _speed_row(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    shown = [f"{each['tokens_per_s']:,.0f}" if "failed" not in each else "failed" for each in (before, after)]
    failed = [each["failed"] for each in (before, after) if "failed" in each]
    note = failed[0] if failed else f"{after['tokens_per_s'] / before['tokens_per_s'] - 1:+.1%}"
    return "tokens/s " + before.get("backend", ""), *shown, note
