"""`python -m workers.retrain.encoder STEP`: prepare, train, export, compare."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[3]
BaseOption = Annotated[
    Path, typer.Option(help="all-MiniLM-L6-v2: config.json, tokenizer.json, model.safetensors.")
]
WeightsOption = Annotated[Path, typer.Option(help="Weights that `train` wrote.")]

app = typer.Typer(no_args_is_help=True, help="Make the sentence encoder's files.")


@app.command("prepare")
def prepare_(
    out: Annotated[Path, typer.Option(help="Where the training data go.")],
    data: Annotated[Path, typer.Option(envvar="PARLEY_DATA", help="The folder of public sets.")],
) -> None:
    """Gather the training data from the public sets and this repository's tenants."""
    from workers.retrain.prepare import prepare

    made = prepare(data, ROOT / "tenants", out)
    counts = {name: len(rows) for name, rows in made.intents.items()}
    questions = {name: len(found.queries) for name, found in made.retrieval.items()}
    typer.echo(
        json.dumps({**counts, **questions, "titles": len(made.titles), "articles": len(made.articles)})
    )


@app.command("train")
def train_(
    data: Annotated[Path, typer.Option(help="What `prepare` wrote.")],
    base: BaseOption,
    out: Annotated[Path, typer.Option(help="Where the weights go (safetensors, float16).")],
    steps: int = 1400,
    learning_rate: float = 5e-5,
    batch: int = 256,
    keep: Annotated[float, typer.Option(help="Weight of staying near the base model.")] = 2.0,
    seed: int = 1,
    everything: Annotated[
        bool, typer.Option("--everything/--held-back", help="Train on the development parts too.")
    ] = True,
    device: Annotated[str, typer.Option(help="cuda, cpu, or empty: what is there.")] = "",
) -> None:
    """Train further: a few minutes on one GPU, hours on a CPU. The defaults are the recipe of models/encoder."""
    import torch

    from workers.retrain.encoder.train import Recipe, train
    from workers.retrain.prepare import load

    recipe = Recipe(steps, learning_rate, batch, keep, seed, everything)
    train(base, load(data), out, recipe, device or ("cuda" if torch.cuda.is_available() else "cpu"))


@app.command("export")
def export_(weights: WeightsOption, base: BaseOption, out: Path = ROOT / "models" / "encoder") -> None:
    """Write model.onnx (INT8) and tokenizer.json."""
    from workers.retrain.encoder.export import export

    export(weights, base / "tokenizer.json", out)


@app.command("compare")
def compare_(
    weights: WeightsOption,
    base: BaseOption,
    data: Annotated[Path, typer.Option(envvar="PARLEY_DATA", help="The folder of public sets.")],
    int8: Annotated[Path, typer.Option(help="Folder that `export` wrote.")] = ROOT / "models" / "encoder",
    threads: int = max(1, (os.cpu_count() or 2) // 2),
) -> None:
    """What INT8 costs: cosines to float32, and accuracy on BANKING77 and CLINC150 with each."""
    from workers.retrain.encoder.compare import compare

    for line in compare(weights, base / "tokenizer.json", int8, data, threads):
        typer.echo(json.dumps(line))


if __name__ == "__main__":
    app()
