"""A tenant's folder on disk to an immutable version: every file is checked, every problem is listed with file and line."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from parley.backends import tenant_patterns
from parley.backends.tenant_checks import CannedTexts, Parts, problems_of
from parley.backends.text_files import listed, read, shown
from parley.backends.yaml_files import Checked, check, check_part, parse, parse_file
from parley.errors import TenantInvalid
from schemas.tenant import (
    Article,
    ArticleFront,
    IntentFile,
    IntentRule,
    Localized,
    TenantConfig,
    TenantContent,
    TenantFile,
)

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
LOCALIZED: TypeAdapter[dict[str, str]] = TypeAdapter(Localized)
PLACES = {
    "intents": re.compile(r"intents/[^/]+\.yaml"),
    "canned": re.compile(r"canned/[^/]+\.yaml"),
    "articles": re.compile(r"articles/.+\.md", re.DOTALL),
}
BESIDES = re.compile(r"tenant\.yaml|questions/[^/]+\.yaml|calls/(?:index\.yaml|[^/]+\.vcon\.json)")
"""What is no part of a place: the tenant itself, and what is no part of a version: questions to try its answers with, and example calls."""
MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class TenantFolder:
    """A folder that passed its checks. `version` is the digest of all its content; `warnings` are what its author should look at."""

    version: str
    config: TenantConfig
    content: TenantContent
    warnings: tuple[str, ...] = ()


def load(folder: Path) -> TenantFolder:
    """Raises `TenantInvalid` with one line a problem: `file:line: field: what is wrong or allowed`."""
    folder = folder.resolve()
    problems: list[str] = []
    warnings: list[str] = []
    parts = _parts(folder, problems)
    if parts is not None:
        refused, warnings = tenant_patterns.tried(parts)
        problems += [*problems_of(parts), *refused]
    if problems or parts is None:
        left_out = [f"… and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        lines = (" ".join(problem.split()) for problem in problems[:MOST_PROBLEMS] + left_out)
        raise TenantInvalid(tuple(lines))
    return _version(parts, tuple(" ".join(warning.split()) for warning in warnings))


def _version(parts: Parts, warnings: tuple[str, ...]) -> TenantFolder:
    file = parts.tenant.value
    intents = [checked.value for checked in parts.intents.values()]
    rules = {
        intent.id: IntentRule.model_validate(intent.model_dump(exclude={"examples"})) for intent in intents
    }
    canned = {canned_id: texts.value for canned_id, texts in parts.canned.texts.items()}
    config = TenantConfig.model_validate({**file.model_dump(), "intents": rules, "canned": canned})
    content = TenantContent(
        examples={intent.id: intent.examples for intent in intents},
        articles=tuple(_linked(checked.value, file.site_url) for checked in parts.articles),
    )
    return TenantFolder(version_of(config, content), config, content, warnings)


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


def _parts(folder: Path, problems: list[str]) -> Parts | None:
    """All files, each checked by itself; None where nothing can be checked together, because `tenant.yaml` is wrong."""
    places: dict[str, list[Path]] = {place: [] for place in PLACES}
    for path in listed(folder, problems):
        name = path.relative_to(folder).as_posix()
        place = next((place for place, pattern in PLACES.items() if pattern.fullmatch(name)), None)
        if place is not None:
            places[place].append(path)
        elif not BESIDES.fullmatch(name):
            allowed = (
                "tenant.yaml, intents/NAME.yaml, canned/NAME.yaml, articles/…/NAME.md, questions/NAME.yaml, "
                "calls/index.yaml, calls/NAME.vcon.json"
            )
            problems.append(f"{shown(path, folder)}:1: file: would not be read; allowed: {allowed}")
    document = parse_file(folder / "tenant.yaml", folder, problems)
    tenant = check(TenantFile, document, problems) if document is not None else None
    intents = {path.stem: _intent(path, folder, problems) for path in places["intents"]}
    canned = _canned(places["canned"], folder, problems)
    articles = [_article(path, folder, problems) for path in places["articles"]]
    for place, least, needed in (("intents", 2, "two intents are"), ("articles", 1, "one article is")):
        if len(places[place]) < least:
            problems.append(f"{folder.name}/{place}:1: file: at least {needed} needed")
    if tenant is None:
        return None
    return Parts(
        name=folder.name,
        tenant=tenant,
        intents={name: intent for name, intent in intents.items() if intent is not None},
        canned=canned,
        articles=[article for article in articles if article is not None],
    )


def _intent(path: Path, folder: Path, problems: list[str]) -> Checked[IntentFile] | None:
    document = parse_file(path, folder, problems)
    return check(IntentFile, document, problems) if document is not None else None


def _canned(paths: list[Path], folder: Path, problems: list[str]) -> CannedTexts:
    """Each text by itself, so that one that is wrong leaves the others of its file as they are."""
    found: dict[str, Checked[dict[str, str]]] = {}
    named: set[str] = set()
    complete = True
    for path in paths:
        document = parse_file(path, folder, problems)
        texts = document.data or {} if document is not None else None
        if document is not None and not isinstance(texts, dict):
            problems.append(document.problem((), "must be texts by their names"))
        if document is None or not isinstance(texts, dict):
            complete = False
            continue
        for canned_id in texts:
            if canned_id in named:
                problems.append(document.problem((canned_id,), "also written in another file"))
            named.add(canned_id)
            text = check_part(LOCALIZED, document, (canned_id,), problems)
            if text is not None:
                found[canned_id] = Checked(text, document)
    return CannedTexts(found, named, complete)


def _article(path: Path, folder: Path, problems: list[str]) -> Checked[Article] | None:
    text = read(path, folder, problems)
    if text is None:
        return None
    name = shown(path, folder)
    front = FRONT_MATTER.match(text)
    if front is None:
        problems.append(f"{name}:1: file: must begin with front matter between two lines of ---")
        return None
    document = parse(name, front[1], problems, first_line=2)
    checked = check(ArticleFront, document, problems) if document is not None else None
    if checked is None:
        return None
    body = text[front.end() :]
    if not body.strip():
        problems.append(f"{name}:{text.count(chr(10)) + 1}: file: has no text below its front matter")
        return None
    _check_tables(name, body, text[: front.end()].count("\n") + 1, problems)
    article = Article.model_validate({**checked.value.model_dump(), "text": body.strip()})
    return Checked(article, checked.document)


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
