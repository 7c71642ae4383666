"""A tenant's `questions/*.yaml`, each checked by itself and against the articles that it names."""

from collections.abc import Sequence
from pathlib import Path

from parley.backends.yaml_files import Document, check, parse_file
from parley.errors import ConfigurationError, TenantInvalid
from schemas.questions import QuestionFile
from schemas.tenant import Article


def load(folder: Path, articles: Sequence[Article], languages: Sequence[str]) -> list[QuestionFile]:
    """The files of these languages, by name. Raises `TenantInvalid` with one line a problem, `ConfigurationError` for none at all."""
    folder = folder.resolve()
    problems: list[str] = []
    found = [_file(path, folder, articles, problems) for path in sorted(folder.glob("questions/*.yaml"))]
    if problems:
        raise TenantInvalid(tuple(problems))
    files = [file for file in found if file is not None and file.language in languages]
    if not files:
        wanted = " or ".join(f"{language}.yaml" for language in languages)
        raise ConfigurationError(f"{folder.name}/questions: no file with questions in {wanted}")
    return files


def _file(path: Path, folder: Path, articles: Sequence[Article], problems: list[str]) -> QuestionFile | None:
    document = parse_file(path, folder, problems)
    checked = check(QuestionFile, document, problems) if document is not None else None
    if document is None or checked is None:
        return None
    file = checked.value
    if file.language != path.stem:
        problems.append(document.problem(("language",), f"the file is called {path.name}"))
    valid = {
        article.id
        for article in articles
        if article.language == file.language and article.valid_on(file.asked_on)
    }
    _note_articles(file, valid, document, problems)
    _note_repeated(file, document, problems)
    return file


def _note_articles(file: QuestionFile, valid: set[str], document: Document, problems: list[str]) -> None:
    for at, question in enumerate(file.questions):
        for article in question.articles:
            if article not in valid:
                where = ("questions", at, "articles")
                what = f"{article}: no article in {file.language} that is valid on {file.asked_on}"
                problems.append(document.problem(where, what))


def _note_repeated(file: QuestionFile, document: Document, problems: list[str]) -> None:
    seen: set[str] = set()
    for at, question in enumerate(file.questions):
        if question.text in seen:
            problems.append(document.problem(("questions", at, "text"), "asked above already"))
        seen.add(question.text)
