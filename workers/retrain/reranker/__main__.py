"""`python -m workers.retrain.reranker STEP`: train, export. The encoder's `prepare` gathers the data, its `train` what mines them."""

from pathlib import Path
from typing import Annotated

import typer

from parley.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[3]

app = typer.Typer(no_args_is_help=True, help="Make the re-ranker's files.")


@app.command("train")
def train_(
    data: Annotated[
        Path, typer.Option(help="What `workers.retrain.encoder prepare` wrote.", exists=True, dir_okay=False)
    ],
    base: Annotated[
        Path,
        typer.Option(help="all-MiniLM-L6-v2: config.json, tokenizer.json.", exists=True, file_okay=False),
    ],
    encoder: Annotated[
        Path,
        typer.Option(
            help="Weights of `workers.retrain.encoder train --held-back`; 500 steps suffice.",
            exists=True,
            dir_okay=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder for weights (safetensors, float16) and tokenizer.")],
    teacher_steps: int = 2969,
    teacher_batch: Annotated[int, typer.Option(help="Lists of 12 a step.")] = 24,
    student_steps: int = 5128,
    student_batch: Annotated[int, typer.Option(help="Lists of 10 a step.")] = 64,
    vocabulary: Annotated[int, typer.Option(help="Word pieces to keep.")] = 14_000,
    most: Annotated[int, typer.Option(help="Lists of one kind at most; few, to try it out.")] = 12_000,
    seed: int = 1,
    device: Annotated[str, typer.Option(help="cuda, cpu, or empty: what is there.")] = "",
) -> None:
    """Train teacher and student: some minutes on one GPU, far too long on a CPU. The defaults are the recipe of models/reranker."""
    import torch

    from workers.retrain.prepare import load
    from workers.retrain.reranker.train import Recipe, train

    for name in ("config.json", "tokenizer.json"):
        if not (base / name).is_file():
            raise ConfigurationError(f"{base / name}: the file is missing; the base is all-MiniLM-L6-v2")
    recipe = Recipe(teacher_steps, teacher_batch, student_steps, student_batch, vocabulary, most, seed)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    train(base, encoder, load(data), out, recipe, device)


@app.command("export")
def export_(
    trained: Annotated[
        Path, typer.Option(help="The folder that `train` wrote.", exists=True, file_okay=False)
    ],
    out: Path = ROOT / "models" / "reranker",
) -> None:
    """Write model.onnx (INT8) and tokenizer.json."""
    from workers.retrain.reranker.export import export

    export(trained, out)


def main() -> None:
    try:
        app()
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
