"""What a recogniser's errors cost retrieval: hit@5 of questions as they are written and as they would be heard on a call.

- `word_errors.bank.LANGUAGE`: the bank's own questions that an article answers, by `parley.cli.evaluating_retrieval`'s lookup; written, spoken without
  an error (no punctuation, no capitals, numbers in words, fillers), and with 10 and 20 % of words (in Chinese characters) wrong, each
  drawn ten times (`benchmarks/speech.py`). What is heard passes the normalisation of calls before it is looked up. Losses are in points of hit@5.
- `word_errors.dstc10`: DSTC10's spoken questions with a real recogniser's errors, as they are, beside BM25 of the set's own part (`PARLEY_DATA`).
"""

import re
from collections.abc import Sequence
from statistics import fmean

from benchmarks.reporting import DATA, report
from benchmarks.speech import Heard, Recogniser
from connectors.calls.noise import normalise
from parley.backends import question_files
from parley.backends.tenant_folder import load
from parley.cli import retrieval_scores
from parley.cli.evaluating_retrieval import CHUNKS, TENANT, VERSION, ask, fill, open_lookup
from parley.cli.retrieval_files import read
from parley.cli.run import TENANTS
from parley.domain.chunking import Chunk, chunks_of
from parley.domain.ranking import Ranked
from parley.ports.models import Query
from schemas.questions import Question, QuestionFile
from workers.rag.lookup import Lookup

RATES = (0.1, 0.2)
DRAWS = 10
DEEP = 5
DSTC10_BM25 = 0.309
"""With four turns of history: the set's own README."""
_WORDS = re.compile(r"[a-z]+")


def main() -> None:
    folder = TENANTS / "bank"
    found = load(folder)
    chunks = chunks_of(found.content.articles)
    with open_lookup("sqlite:", words_only=False) as lookup:
        fill(lookup, chunks)
        for file in question_files.load(folder, found.content.articles, found.config.languages):
            bank(lookup, file, [each for each in chunks if each.language == file.language])
    dstc10()


def bank(lookup: Lookup, file: QuestionFile, chunks: Sequence[Chunk]) -> None:
    questions = [question for question in file.questions if question.expect == "answer"]
    recogniser = Recogniser(file.language, _vocabulary(chunks))
    written = _hit(lookup, file, questions, [question.text for question in questions])
    figures: dict[str, float] = {"written": round(written, 4)}
    for name, rate, draws in (
        ("spoken", 0.0, 1),
        *((f"wer_{rate:.0%}".rstrip("%"), rate, DRAWS) for rate in RATES),
    ):
        heard = [[recogniser.hear(each.text, rate, draw) for each in questions] for draw in range(draws)]
        hits = [_hit(lookup, file, questions, [normalise(each.text) for each in one]) for one in heard]
        figures[name] = round(fmean(hits), 4)
        figures[f"{name}_loss_points"] = round(100 * (written - fmean(hits)), 2)
        figures[f"{name}_rate"] = round(_rate(heard), 4)
    report(f"word_errors.bank.{file.language}", questions=len(questions), **figures)


def _vocabulary(chunks: Sequence[Chunk]) -> set[str]:
    return {word for chunk in chunks for word in _WORDS.findall(f"{chunk.title} {chunk.text}".lower())}


def _rate(heard: Sequence[Sequence[Heard]]) -> float:
    return sum(each.errors for one in heard for each in one) / sum(each.said for one in heard for each in one)


def _hit(lookup: Lookup, file: QuestionFile, questions: Sequence[Question], texts: Sequence[str]) -> float:
    """The share of the questions with a right article among the first five."""
    queries = [Query(text, file.language, file.asked_on.isoformat(), limit=CHUNKS) for text in texts]
    rankings = [_articles(lookup, query) for query in queries]
    rights = [dict.fromkeys(question.articles, 1) for question in questions]
    return fmean(
        retrieval_scores.hit(ranking, right, DEEP) for ranking, right in zip(rankings, rights, strict=True)
    )


def _articles(lookup: Lookup, query: Query) -> list[str]:
    [found] = lookup.find(TENANT, VERSION, [query])
    read_over = lookup.read(query, [Ranked(each.score, each.passage) for each in found])
    return list(dict.fromkeys(each.passage.article_id for each in read_over))


def dstc10() -> None:
    folder = DATA / "retrieval_dstc10_spoken"
    if not folder.is_dir():
        report("word_errors.dstc10", skipped=f"{folder.name} is not below PARLEY_DATA")
        return
    found = read(folder)
    rights = [query.right for query in found.queries]
    figures: dict[str, float] = {}
    for name, words_only in (("hit@5", False), ("by_words", True)):
        with open_lookup("sqlite:", words_only=words_only) as lookup:
            fill(lookup, found.chunks("en"))
            rankings, _ = ask(lookup, found, "en", with_history=True)
        figures[name] = retrieval_scores.line(rankings, rights)["hit@5"]
    report("word_errors.dstc10", questions=len(rights), **figures, bm25=DSTC10_BM25)
