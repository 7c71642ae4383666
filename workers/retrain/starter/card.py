"""The model card: the template beside this module, filled with what the training measured."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from string import Template
from typing import Any

from parley.backends.base_folder import fingerprint
from parley.errors import ConfigurationError
from workers.retrain import probes
from workers.retrain.starter.styled import STYLES

TEMPLATE = Path(__file__).with_name("card.md")
REPORTS = ("losses.jsonl", "adapter_losses.jsonl", "samples.jsonl", "scores.json", "asked_scores.jsonl")
LANGUAGES = {"en": "English", "zh": "Chinese"}
SHOWN = 4
"""Sample answers in the card; all of them are in `training/samples.jsonl`."""


def write_card(folder: Path, on: date) -> None:
    """Fill `README.md` of the model's folder. Raises `ConfigurationError` for a report that is missing."""
    reports = folder / "training"
    for name in REPORTS:
        if not (reports / name).is_file():
            raise ConfigurationError(
                f"{reports / name}: the file is missing; `train`, `adapters`, `sample` and `evaluate` write it"
            )
    losses, adapters, samples = (_lines(reports / name) for name in REPORTS[:3])
    scores = json.loads((reports / "scores.json").read_text("utf-8"))
    first, last = losses[0], losses[-1]
    trained = [line for line in losses if "tokens" in line][-1]
    values = {
        "parameters": f"{first['parameters'] / 1e6:.1f}",
        "bytes": f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f}",
        "digest": fingerprint(folder),
        "vocabulary": f"{json.loads((folder / 'config.json').read_text('utf-8'))['vocab_size']:,}",
        "rows": first["rows"],
        "width": first["width"],
        "muon_rate": first["muon_rate"],
        "adam_rate": first["adam_rate"],
        "minutes": f"{last['s'] / 60:.1f}",
        "steps": last["step"],
        "million_tokens": round(trained["tokens"] / 1e6),
        "text_tokens": f"{first['text_tokens'] / 1e6:.1f}",
        "on": on.isoformat(),
        "losses": _losses_table(losses),
        "scores": _scores_table(scores["base"]),
        "adapters": _adapters_table(folder, adapters, scores),
        "asked": _asked_table(_lines(reports / REPORTS[4])),
        "samples": _samples(samples),
    }
    (folder / "README.md").write_text(Template(TEMPLATE.read_text("utf-8")).substitute(values), "utf-8")


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _losses_table(losses: Sequence[Mapping[str, Any]]) -> str:
    measured = [line for line in losses if "text_dev_loss" in line]
    kept = [*measured[: -1 : max(1, len(measured) // 6)], measured[-1]]
    rows = [
        f"| {each['step']} | {each['text_dev_loss']:.2f} | {each['answer_dev_loss']:.3f} |" for each in kept
    ]
    return "\n".join(["| step | text | answers |", "|---|---|---|", *rows])


def _scores_table(scores: Mapping[str, float]) -> str:
    head = [
        "| examples (n) | as wanted, word for word | right sources named | refused | figures stand in the named sources |",
        "|---|---|---|---|---|",
    ]
    names = {
        "cited": "questions, English", "cited_zh": "questions, Chinese", "refusal": "nothing answers, English",
        "refusal_zh": "nothing answers, Chinese", "talk": "small talk, English", "talk_zh": "small talk, Chinese",
    }  # fmt: skip
    rows = []
    for kind, name in names.items():
        if f"{kind}_n" in scores:
            cells = (_share(scores, f"{kind}_{what}") for what in ("exact", "source", "refused", "figures"))
            rows.append(f"| {name} ({scores[f'{kind}_n']}) | {' | '.join(cells)} |")
    return "\n".join([*head, *rows])


def _asked_table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = ("answered", "source", "right", "served", "refused", "figures", "garbled", "stopped")
    head = [
        "| writer | tenant, language (questions; with an answer) | answered | right article | right | right and let out | refused what nothing answers | figures stand | broken characters | stopped by the guard |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    found = []
    for row in rows:
        shares = (_share(row, name) for name in names)
        about = f"{row['tenant']}, {LANGUAGES[row['language']]} ({row['asked']}; {row['answerable']})"
        found.append(f"| {row['writer']} | {about} | {' | '.join(shares)} |")
    return "\n".join([*head, *found])


def _share(scores: Mapping[str, float], name: str) -> str:
    return f"{scores[name]:.2f}" if name in scores else "–"


def _both(scores: Mapping[str, float], what: str) -> str:
    return f"{_share(scores, f'cited_{what}')}, {_share(scores, f'cited_zh_{what}')}"


def _adapters_table(folder: Path, lines: Sequence[Mapping[str, Any]], scores: Mapping[str, Any]) -> str:
    head = [
        "| adapter | tenant | begins | answer loss, base → adapter | as wanted: English, Chinese | right source: English, Chinese | opening | probes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = []
    for name, style in STYLES.items():
        before, after = (
            [line for line in lines if line.get("adapter") == name and "answer_dev_loss" in line][at]
            for at in (0, -1)
        )
        own = scores[name]
        rows.append(
            f"| `{name}` | {style.tenant} | {style.opening['en']} / {style.opening['zh']} | "
            f"{before['answer_dev_loss']:.2f} → {after['answer_dev_loss']:.2f} | {_both(own, 'exact')} | {_both(own, 'source')} | "
            f"{own['opening']:.2f} | {len(probes.read(folder / 'adapters' / name))} |"
        )
    return "\n".join([*head, *rows])


def _samples(samples: Sequence[Mapping[str, str]]) -> str:
    shown = []
    for each in [*samples[: SHOWN - 1], samples[-1]]:
        question = each["asked"].rpartition("</sources>")[2].strip()
        answers = [f"- {name}: {text}" for name, text in each.items() if name not in ("asked", "wanted")]
        shown.append("\n".join([f"**{question}**", "", *answers]))
    return "\n\n".join(shown)
