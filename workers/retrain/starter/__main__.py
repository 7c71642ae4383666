"""`python -m workers.retrain.starter STEP`: prepare, train, adapters, probes, sample, evaluate, card."""

import json
from pathlib import Path
from typing import Annotated

import typer

from parley.errors import ParleyError

ROOT = Path(__file__).resolve().parents[3]
DataOption = Annotated[Path, typer.Option(help="What `prepare` wrote.", exists=True, file_okay=False)]
MadeOption = Annotated[Path, typer.Option(help="Where `train` and `adapters` write.")]
DeviceOption = Annotated[str, typer.Option(help="cuda, cpu, or empty: what is there.")]
ModelOption = Annotated[Path, typer.Option(help="The model's folder, with `adapters/` and `training/`.")]
MODEL = ROOT / "models" / "starter"
DATA, MADE = ROOT / ".starter-data", ROOT / ".starter-made"

app = typer.Typer(no_args_is_help=True, help="Make the starter model and its adapters.")


@app.command("prepare")
def prepare_(
    data: Annotated[Path, typer.Option(envvar="PARLEY_DATA", help="The folder of public sets.")],
    out: Annotated[Path, typer.Option(help="Where the prepared data go.")] = DATA,
    share: Annotated[float, typer.Option(help="Of the text; less than 1 to try it out.")] = 1.0,
    vocabulary: int = 12_288,
) -> None:
    """Choose the text, read this repository's tenants, train the tokenizer, make prompts of the tenants' questions. Three minutes on a CPU."""
    from workers.retrain.starter.prepare import prepare

    typer.echo(json.dumps(prepare(data, ROOT / "tenants", out, share=share, size=vocabulary)))


@app.command("train")
def train_(
    data: DataOption = DATA,
    out: MadeOption = MADE,
    minutes: float = 5.0,
    steps: Annotated[int, typer.Option(help="0: as many as the minutes hold.")] = 0,
    rows: Annotated[int, typer.Option(help="A step.")] = 64,
    width: Annotated[int, typer.Option(help="Tokens a row.")] = 2_048,
    layers: int = 7,
    muon_rate: float = 2e-3,
    adam_rate: float = 1.5e-3,
    processes: Annotated[int, typer.Option(help="That draw examples; 0: none beside this one.")] = 12,
    seed: int = 1,
    compiled: bool = True,
    device: DeviceOption = "",
) -> None:
    """Train the model: five minutes of one large GPU. The defaults are the recipe of models/starter."""
    from workers.retrain.starter.train import Recipe, train

    recipe = Recipe(minutes, steps, rows, width, layers, muon_rate, adam_rate, processes, seed, compiled)
    train(data, out, recipe, _device(device))


@app.command("adapters")
def adapters_(
    data: DataOption = DATA,
    made: MadeOption = MADE,
    seconds: Annotated[float, typer.Option(help="For each adapter.")] = 25.0,
    steps: Annotated[int, typer.Option(help="0: as many as the seconds hold.")] = 0,
    rows: int = 16,
    width: int = 2_048,
    learning_rate: float = 2e-3,
    processes: int = 12,
    seed: int = 1,
    device: DeviceOption = "",
) -> None:
    """Train the tenants' adapters on the model."""
    from workers.retrain.starter.adapters import AdapterRecipe, train_adapters
    from workers.retrain.starter.styled import STYLES

    recipe = AdapterRecipe(seconds, steps, rows, width, learning_rate, processes, seed)
    train_adapters(data, made / "model", made / "adapters", recipe, _device(device), tuple(STYLES))


@app.command("probes")
def probes_(data: DataOption = DATA, made: MadeOption = MADE, device: DeviceOption = "") -> None:
    """Write the adapters' probes: prompts whose answers tell whose adapter wrote them."""
    from workers.retrain.starter.adapters import write_probes
    from workers.retrain.starter.styled import STYLES

    write_probes(data, made / "model", made / "adapters", _device(device), tuple(STYLES))


@app.command("sample")
def sample_(
    data: DataOption = DATA, made: MadeOption = MADE, scored: int = 400, device: DeviceOption = ""
) -> None:
    """Let the model and its adapters answer, to read and to count, and what `evaluate` counts."""
    from workers.retrain.starter import asked_texts
    from workers.retrain.starter.samples import sample

    sample(data, made, _device(device), scored=scored)
    prompts = asked_texts.load(data / asked_texts.FILE)
    written = asked_texts.write(prompts, made / "model", made / "adapters", _device(device))
    asked_texts.save_texts(written, made / asked_texts.TEXTS_FILE)


@app.command("evaluate")
def evaluate_(
    model: ModelOption = MODEL,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="What `sample` wrote; without it model and adapters are asked now.", dir_okay=False
        ),
    ] = None,
    tenant_folders: Annotated[Path, typer.Option("--tenants", help="The tenants' folder.")] = ROOT
    / "tenants",
    out: Annotated[Path | None, typer.Option(help="A file for the rows.", dir_okay=False)] = None,
    device: DeviceOption = "",
) -> None:
    """Count what model and adapters answer to the platform's own prompts about the tenants' questions: a JSON line a writer, tenant and language."""
    from workers.retrain.starter import asked_texts
    from workers.retrain.starter.asked import asked_questions, prompt_of
    from workers.retrain.starter.evaluate import evaluate

    asked = list(asked_questions(tenant_folders))
    if answers is not None:
        texts = asked_texts.load_texts(answers)
    else:
        prompts = [prompt_of(each) for each in asked]
        texts = list(asked_texts.write(prompts, model, model / "adapters", _device(device)))
    lines = [json.dumps(row) for row in evaluate(asked, texts)]
    typer.echo("\n".join(lines))
    if out is not None:
        out.write_text("\n".join(lines) + "\n", "utf-8")


@app.command("card")
def card_(
    folder: ModelOption = MODEL,
    on: Annotated[str, typer.Option(help="The day of the training, as 2026-12-31; empty: today.")] = "",
) -> None:
    """Write the model card from what the training measured."""
    from datetime import date

    from workers.retrain.starter.card import write_card

    write_card(folder, date.fromisoformat(on) if on else date.today())


def _device(asked: str) -> str:
    import torch

    return asked or ("cuda" if torch.cuda.is_available() else "cpu")


def main() -> None:
    try:
        app()
    except ParleyError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
