"""A tenant's folder on disk to an immutable version: every file is checked, every problem is listed with file and line."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from parley.backends.yaml_files import check, parse, read
from parley.errors import TenantInvalid
from schemas.parts import Language
from schemas.tenant import (
    REQUIRED_CANNED,
    Article,
    ArticleFront,
    IntentFile,
    IntentRule,
    Localized,
    TenantConfig,
    TenantContent,
    TenantFile,
)

FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
CANNED: TypeAdapter[dict[str, dict[str, str]]] = TypeAdapter(dict[str, Localized])
MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class TenantFolder:
    """A folder that passed its checks. `version` is the digest of all its content."""

    version: str
    config: TenantConfig
    content: TenantContent


def load(folder: Path) -> TenantFolder:
    """Raises `TenantInvalid` with one line a problem: `file:line: field: what is wrong or allowed`."""
    folder = folder.resolve()
    problems: list[str] = []
    file = _tenant_file(folder, problems)
    intents = _intents(folder, problems)
    canned = _canned(folder, problems)
    articles = _articles(folder, problems)
    if file is not None:
        _check_together(folder, file, intents, canned, articles, problems)
    if problems or file is None:
        left_out = [f"… and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        raise TenantInvalid(tuple(problems[:MOST_PROBLEMS] + left_out))
    rules = {
        intent.id: IntentRule.model_validate(intent.model_dump(exclude={"examples"}))
        for intent in intents.values()
    }
    config = TenantConfig.model_validate({**file.model_dump(), "intents": rules, "canned": canned})
    content = TenantContent(
        examples={intent.id: intent.examples for intent in intents.values()},
        articles=tuple(_linked(article, file.site_url) for article in articles),
    )
    return TenantFolder(version_of(config, content), config, content)


def _linked(article: Article, site_url: str) -> Article:
    """The article with the link that customers get: below the tenant's site unless it is a full address already."""
    full = article.url.startswith("http")
    return article if full else article.model_copy(update={"url": f"{site_url.rstrip('/')}{article.url}"})


def version_of(config: TenantConfig, content: TenantContent) -> str:
    """The first 16 hexadecimal digits of SHA-256 over the canonical JSON of everything."""
    digest = hashlib.sha256()
    for part in (config, content):
        digest.update(part.model_dump_json().encode())
    return digest.hexdigest()[:16]


def _tenant_file(folder: Path, problems: list[str]) -> TenantFile | None:
    text = read(folder / "tenant.yaml", folder, problems)
    document = parse(f"{folder.name}/tenant.yaml", text, problems) if text is not None else None
    file = check(TenantFile, document, problems) if document is not None else None
    if file is None or document is None:
        return None
    if file.id != folder.name:
        problems.append(
            f"{document.path}:{document.line(('id',))}: id: must be the folder's name, {folder.name}"
        )
    try:
        ZoneInfo(file.hours.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        line = document.line(("hours", "timezone"))
        problems.append(
            f"{document.path}:{line}: hours.timezone: unknown; allowed: an IANA name such as Europe/Dublin"
        )
    return file


def _intents(folder: Path, problems: list[str]) -> dict[str, IntentFile]:
    found: dict[str, IntentFile] = {}
    for path in sorted((folder / "intents").glob("*.yaml")):
        text = read(path, folder, problems)
        name = f"{folder.name}/intents/{path.name}"
        document = parse(name, text, problems) if text is not None else None
        intent = check(IntentFile, document, problems) if document is not None else None
        if intent is None or document is None:
            continue
        if intent.id != path.stem:
            problems.append(f"{name}:{document.line(('id',))}: id: must be the file's name, {path.stem}")
        found[path.stem] = intent
    if not found:
        problems.append(f"{folder.name}/intents:1: file: at least two intents are needed")
    return found


def _canned(folder: Path, problems: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted((folder / "canned").glob("*.yaml")):
        text = read(path, folder, problems)
        name = f"{folder.name}/canned/{path.name}"
        document = parse(name, text, problems) if text is not None else None
        if document is None:
            continue
        try:
            texts = CANNED.validate_python(document.data or {})
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                field = ".".join(map(str, problem["loc"])) or "file"
                problems.append(f"{name}:{document.line(tuple(problem['loc']))}: {field}: {problem['msg']}")
            continue
        for canned_id in texts.keys() & found.keys():
            problems.append(
                f"{name}:{document.line((canned_id,))}: {canned_id}: also written in another file"
            )
        found |= texts
    return found


def _articles(folder: Path, problems: list[str]) -> list[Article]:
    found: dict[tuple[str, str], Article] = {}
    paths = sorted((folder / "articles").rglob("*.md"))
    if not paths:
        problems.append(f"{folder.name}/articles:1: file: at least one article is needed")
    for path in paths:
        name = str(path.relative_to(folder.parent))
        article = _article(name, path, folder, problems)
        if article is None:
            continue
        if (article.id, article.language) in found:
            problems.append(f"{name}:2: id: {article.id} is used by another article in {article.language}")
        found[article.id, article.language] = article
    return list(found.values())


def _article(name: str, path: Path, folder: Path, problems: list[str]) -> Article | None:
    text = read(path, folder, problems)
    if text is None:
        return None
    front = FRONT_MATTER.match(text)
    if front is None:
        problems.append(f"{name}:1: file: must begin with front matter between two lines of ---")
        return None
    document = parse(name, front[1], problems, first_line=2)
    checked = check(ArticleFront, document, problems) if document is not None else None
    body = text[front.end() :].strip()
    if checked is None:
        return None
    if not body:
        problems.append(f"{name}:{text.count(chr(10)) + 1}: file: has no text below its front matter")
        return None
    first_line = text[: front.end()].count("\n") + 1
    _check_tables(name, text[front.end() :], first_line, problems)
    return Article.model_validate({**checked.model_dump(), "text": body})


def _check_tables(name: str, body: str, first_line: int, problems: list[str]) -> None:
    """Every row of a table must have as many cells as its header, or figures end up below the wrong heading."""
    cells: int | None = None
    for number, line in enumerate(body.splitlines(), start=first_line):
        if not line.lstrip().startswith("|"):
            cells = None
            continue
        count = len(re.split(r"(?<!\\)\|", line.strip().strip("|")))
        if cells is None:
            cells = count
        elif count != cells:
            problems.append(f"{name}:{number}: table: row has {count} cells, its header has {cells}")


def _check_together(
    folder: Path,
    file: TenantFile,
    intents: dict[str, IntentFile],
    canned: dict[str, dict[str, str]],
    articles: list[Article],
    problems: list[str],
) -> None:
    """What no file can be wrong about by itself: references, required texts, languages."""
    for canned_id in REQUIRED_CANNED:
        if canned_id not in canned:
            problems.append(f"{folder.name}/canned:1: {canned_id}: missing; every tenant needs this text")
    for canned_id, texts in canned.items():
        for language in _missing(file.languages, texts):
            problems.append(f"{folder.name}/canned:1: {canned_id}.{language}: missing")
    for intent in intents.values():
        if intent.reply is not None and intent.reply not in canned:
            problems.append(
                f"{folder.name}/intents/{intent.id}.yaml:1: reply: no canned text is named {intent.reply}"
            )
    if len(intents) == 1:
        problems.append(f"{folder.name}/intents:1: file: at least two intents are needed")
    for article in articles:
        if article.language not in file.languages:
            allowed = ", ".join(file.languages)
            problems.append(
                f"{folder.name}/articles/{article.id}: language: {article.language}; allowed: {allowed}"
            )


def _missing(languages: tuple[Language, ...], texts: dict[str, str]) -> list[str]:
    return [language for language in languages if language not in texts]
