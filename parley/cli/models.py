"""`parley models`: base models. What one needs of GPUs, a smaller checkpoint of it, and its form for the edge."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from parley.backends.base_folder import EXPORT_FILE
from parley.backends.checkpoint_files import open_checkpoint
from parley.backends.json_files import read_object
from parley.cli.common import JsonOption, print_json, step
from parley.cli.planning import ModelArgument, plan_command
from parley.cli.quantizing import quantize
from parley.errors import ConfigurationError

app = typer.Typer(help="Base models: what they need, smaller checkpoints.", no_args_is_help=True)

app.command("plan")(plan_command)
app.command("quantize")(quantize)


@app.command("export-onnx")
def export_onnx_command(
    model: ModelArgument,
    out: Annotated[Path, typer.Argument(help="The folder to write.", file_okay=False)],
    precision: Annotated[str, typer.Option(help="fp32 or int8.")] = "int8",
    as_json: JsonOption = False,
) -> None:
    """Write the form of MODEL that the ONNX engine runs on a CPU, and say what was written. It needs the extra `onnx-export`."""
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
    report = _report(out)
    if as_json:
        print_json(report)
    else:
        _tell(report)


def _report(out: Path) -> dict[str, Any]:
    """`modules`: the projections of each layer that take adapters."""
    exported = read_object(out / EXPORT_FILE)
    adapters = exported["adapters"] or {"layers": 0, "modules": {}}
    return {
        "model": exported["model"],
        "revision": exported["revision"],
        "out": str(out),
        "precision": exported["precision"],
        "bytes": sum(file.stat().st_size for file in out.iterdir()),
        "layers": adapters["layers"],
        "modules": sorted(adapters["modules"]),
    }


def _tell(report: dict[str, Any]) -> None:
    typer.echo(
        f"{report['out']}: {report['model']} in {report['precision']}, {report['bytes'] / 1e6:,.1f} MB, revision {report['revision']}"
    )
    if report["modules"]:
        names = sorted(name.rpartition(".")[2] for name in report["modules"])
        typer.echo(f"adapters: on {', '.join(names)} of each of {report['layers']} layers")
    else:
        typer.echo("adapters: none, it has no place for them")
    typer.echo(f"to serve it: PARLEY_ENGINE_MODEL={report['out']} parley run --generator onnx")
