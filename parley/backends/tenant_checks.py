"""What no single value of a tenant's folder can be wrong about by itself: languages, hours, origins, references. Reads no file."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parley.backends.yaml_files import Checked, Document, Location
from parley.domain.analysis.checks import spelled
from schemas.tenant import ORIGIN_ALLOWED, ORIGIN_PATTERN, REQUIRED_CANNED, Article, IntentFile, TenantFile

_ORIGIN = re.compile(ORIGIN_PATTERN)


@dataclass(frozen=True, slots=True)
class CannedTexts:
    """`texts` are those that are right, `named` all that are written, `complete` whether every file could be looked into."""

    texts: Mapping[str, Checked[dict[str, str]]]
    named: Collection[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """A folder's files, as far as each is right by itself."""

    name: str
    tenant: Checked[TenantFile]
    intents: Mapping[str, Checked[IntentFile]]
    canned: CannedTexts
    articles: Collection[Checked[Article]]


def problems_of(parts: Parts) -> list[str]:
    """One line a problem, as everywhere: `file:line: field: what is wrong or allowed`."""
    return [
        *_tenant(parts),
        *_checklist(parts),
        *_canned(parts),
        *_intents(parts),
        *_articles(parts),
    ]


def _tenant(parts: Parts) -> list[str]:
    file, document = parts.tenant.value, parts.tenant.document
    found = []
    if file.id != parts.name:
        found.append(document.problem(("id",), f"must be the folder's name, {parts.name}"))
    try:
        ZoneInfo(file.hours.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words = "unknown; allowed: an IANA name such as Europe/Dublin"
        found.append(document.problem(("hours", "timezone"), words))
    for day, spans in file.hours.weekly.items():
        for at, span in enumerate(spans):
            begin, end = span.split("-")
            if begin >= end:
                words = "ends before it begins; hours past midnight belong to the next day"
                found.append(document.problem(("hours", "weekly", day, at), words))
    for at, origin in enumerate(file.channels.web.origins):
        if not _ORIGIN.fullmatch(origin):
            words = f"no origin as browsers send it; allowed: {ORIGIN_ALLOWED}"
            found.append(document.problem(("channels", "web", "origins", at), words))
    by_language: tuple[tuple[Location, Mapping[str, str]], ...] = (
        (("name",), file.name),
        (("assistant", "name"), file.assistant.name),
        (("assistant", "greeting"), file.assistant.greeting),
        (("prompts", "system"), file.prompts.system),
    )
    for location, texts in by_language:
        found += _languages(file, document, location, texts, (file.default_language,))
    found += _languages(file, document, ("assistant", "suggestions"), file.assistant.suggestions)
    for at, shot in enumerate(file.few_shot):
        if shot.language not in file.languages:
            found.append(document.problem(("few_shot", at, "language"), _not_spoken(file, shot.language)))
    return found


def _checklist(parts: Parts) -> list[str]:
    file, document = parts.tenant.value, parts.tenant.document
    found, used = [], set()
    for at, item in enumerate(file.calls.checklist or ()):
        place: Location = ("calls", "checklist", at)
        if item.id in used:
            found.append(document.problem((*place, "id"), f"{item.id} is used by an item before"))
        used.add(item.id)
        found += _languages(file, document, (*place, "title"), item.title, (file.default_language,))
        found += _languages(file, document, (*place, "phrases"), item.phrases)
        found += [
            document.problem((*place, "phrases", language, number), "has no word that could be said")
            for language, phrases in item.phrases.items()
            for number, phrase in enumerate(phrases)
            if not spelled(phrase).strip()
        ]
    return found


def _canned(parts: Parts) -> list[str]:
    file, canned = parts.tenant.value, parts.canned
    found = []
    if canned.complete:
        found += [
            f"{parts.name}/canned:1: {canned_id}: missing; every tenant needs this text"
            for canned_id in REQUIRED_CANNED
            if canned_id not in canned.named
        ]
    for canned_id, texts in canned.texts.items():
        found += _languages(file, texts.document, (canned_id,), texts.value, file.languages)
    return found


def _intents(parts: Parts) -> list[str]:
    file, canned = parts.tenant.value, parts.canned
    found = []
    for name, checked in parts.intents.items():
        intent, document = checked.value, checked.document
        if intent.id != name:
            found.append(document.problem(("id",), f"must be the file's name, {name}"))
        if intent.reply is not None and canned.complete and intent.reply not in canned.named:
            found.append(document.problem(("reply",), f"no canned text is named {intent.reply}"))
        found += _languages(file, document, ("title",), intent.title, (file.default_language,))
        found += _languages(file, document, ("examples",), intent.examples)
        found += [
            document.problem(("examples", language), "needs at least one example")
            for language, texts in intent.examples.items()
            if not texts
        ]
    return found


def _articles(parts: Parts) -> list[str]:
    file = parts.tenant.value
    found, used = [], set()
    for checked in parts.articles:
        article, document = checked.value, checked.document
        if (article.id, article.language) in used:
            words = f"{article.id} is used by another article in {article.language}"
            found.append(document.problem(("id",), words))
        used.add((article.id, article.language))
        if article.language not in file.languages:
            found.append(document.problem(("language",), _not_spoken(file, article.language)))
    return found


def _languages(
    file: TenantFile,
    document: Document,
    location: Location,
    texts: Mapping[str, object],
    needed: Collection[str] = (),
) -> list[str]:
    """Texts by language: none of those that are needed is missing, and none is there that nobody would ever see."""
    missing = [document.problem((*location, each), "missing") for each in needed if each not in texts]
    foreign = [
        document.problem((*location, each), _not_spoken(file, each))
        for each in texts
        if each not in file.languages
    ]
    return [*missing, *foreign]


def _not_spoken(file: TenantFile, language: str) -> str:
    return f"{language} is not among the tenant's languages; allowed: {', '.join(file.languages)}"
