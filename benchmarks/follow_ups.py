"""Follow-ups on the reference bank: what customers ask next, with what they asked before and as if they had not.

- `follow_ups.LANGUAGE`: of `follow_ups.yaml`, how many get a right article cited, with the questions before them and without.
- `unrelated`: of the bank's own questions that an article answers, how many get one alone, and how many when another question of the file, on
  something else, was asked before.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.reporting import report
from parley.backends import question_files
from parley.backends.tenant_folder import load
from parley.cli.evaluating_answers import open_pieces
from parley.cli.run import TENANTS
from workers.asking import Pieces

Asked = tuple[Sequence[str], str, Sequence[str]]
"""What was asked before, the question, and the articles that answer it."""
FILE = Path(__file__).with_name("follow_ups.yaml")


def main() -> None:
    follow_ups: dict[str, list[dict[str, Any]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    folder = TENANTS / "bank"
    found = load(folder)
    for file in question_files.load(folder, found.content.articles, found.config.languages):
        own = [question for question in file.questions if question.expect == "answer"]
        with open_pieces(found, file) as pieces:
            asked: list[Asked] = [
                (each["before"], each["text"], each["articles"]) for each in follow_ups[file.language]
            ]
            alone: list[Asked] = [([], question.text, question.articles) for question in own]
            after: list[Asked] = [
                ([other.text], question.text, question.articles)
                for question, other in zip(own, own[len(own) // 2 :] + own, strict=False)
            ]
            report(
                f"follow_ups.{file.language}",
                questions=len(asked),
                right=_right(pieces, asked),
                right_without=_right(pieces, [([], text, articles) for _, text, articles in asked]),
                unrelated=len(own),
                unrelated_right=_right(pieces, after),
                unrelated_right_alone=_right(pieces, alone),
            )


def _right(pieces: Pieces, questions: Sequence[Asked]) -> int:
    return sum(
        not set(articles).isdisjoint(pieces.ask(text, before).given.articles)
        for before, text, articles in questions
    )
