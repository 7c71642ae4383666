"""`parley adapters probe`: prompts whose answers show a serving worker that it decodes with this adapter, written beside its weights."""

import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer

from parley.cli.common import JsonOption, print_json, step
from parley.errors import ConfigurationError

NEEDED = ("torch", "transformers", "peft")
MOST_QUESTIONS = 200


def probe(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The adapter's folder, as PEFT saves it.")],
    questions: Annotated[
        Path,
        typer.Option(
            "--questions", "-q", help="Text, one question a line, of the kind that the adapter answers."
        ),
    ],
    base: Annotated[
        Path | None,
        typer.Option(
            envvar="PARLEY_ENGINE_MODEL",
            help="The base model's folder. Default: models/starter.",
        ),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(help="The version before: probes then tell the adapter from that one too."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=32, help="Probes to keep.")] = 4,
    device: Annotated[str, typer.Option(help="cpu, cuda, …")] = "cpu",
    as_json: JsonOption = False,
) -> None:
    """Write DIR/probes.json: the tokens and log-probabilities by which a worker knows this adapter from its base. To be done before publishing."""
    _check_installed()
    asked = _lines(questions)
    model = _folder(base)
    from workers.retrain.probes import write_probes

    with step(f"{len(asked)} questions to {folder.name} and its base"):
        kept = write_probes(
            model, folder, _prompts(model, asked), previous=previous, most=most, device=device
        )
    told = [
        {"tokens": len(each.token_ids), "nats": round(sum(each.logprobs) - sum(each.base_logprobs), 2)}
        for each in kept
    ]
    if as_json:
        print_json({"probes": told})
    else:
        nats = ", ".join(f"{each['nats']:g}" for each in told)
        typer.echo(f"{folder}: {len(kept)} probes, likelier than under the base by {nats} nats")


def _lines(questions: Path) -> list[str]:
    try:
        found = [line.strip() for line in questions.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"--questions: {questions} cannot be read ({type(error).__name__})"
        ) from error
    if not found:
        raise ConfigurationError(f"--questions: {questions} has none; allowed: one a line")
    return found[:MOST_QUESTIONS]


def _folder(base: Path | None) -> Path:
    from parley.engine_settings import STARTER

    folder = base or STARTER
    if not (folder / "config.json").is_file():
        raise ConfigurationError(f"--base: {folder} is no model's folder; allowed: one with config.json")
    return folder


def _prompts(model: Path, asked: list[str]) -> list[list[int]]:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model, local_files_only=True)
    return [
        tokenizer.encode(
            tokenizer.apply_chat_template(
                [{"role": "user", "content": each}], tokenize=False, add_generation_prompt=True
            ),
            add_special_tokens=False,
        )
        for each in asked
    ]


def _check_installed() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"probing needs {', '.join(missing)}: install the extra `train` (pip install 'parley[train]')"
        )
