"""Articles to chunks: one a heading, long ones split between paragraphs, tables kept whole with their header."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.tenant import Article

MAX_CHARS = 1_200
"""A chunk's text is split beyond this, at the next gap between two blocks; a single block is never cut, a table by rows."""

HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
FENCE = re.compile(r"^\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an article that is indexed and quoted. `path` are the headings above it; dates are inclusive ISO dates.

    `asked_as` is indexed alone: what customers call that which the article is about.
    """

    chunk_id: str
    article_id: str
    title: str
    url: str
    path: tuple[str, ...]
    language: str
    text: str
    valid_from: str
    valid_until: str | None
    asked_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """The text below one heading. `path` holds the headings above it, outermost first."""

    path: tuple[str, ...]
    text: str


def chunks_of(articles: Iterable[Article]) -> list[Chunk]:
    """The chunks of all articles. A chunk's id follows from its content, so that what did not change keeps its id."""
    return [chunk for article in articles for chunk in _chunks(article)]


def _chunks(article: Article) -> Iterator[Chunk]:
    for section in sections(article.text):
        for text in pieces(section.text):
            yield Chunk(
                chunk_id=_chunk_id(article, section.path, text),
                article_id=article.id,
                title=article.title,
                url=article.url,
                path=section.path,
                language=article.language,
                text=text,
                valid_from=article.valid_from.isoformat(),
                valid_until=article.valid_until.isoformat() if article.valid_until is not None else None,
                asked_as=article.asked_as,
            )


def sections(markdown: str) -> list[Section]:
    """Cut at headings; a heading within a code fence is text. Sections without text are left out."""
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False

    def close() -> None:
        text = "\n".join(lines).strip()
        if text:
            found.append(Section(tuple(title for _, title in path), text))
        lines.clear()

    for line in markdown.splitlines():
        if FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        close()
        level = len(heading[1])
        path = [(above, title) for above, title in path if above < level] + [(level, heading[2])]
    close()
    return found


def pieces(text: str) -> list[str]:
    """A section's text in pieces of at most about `MAX_CHARS`, cut between blocks; a long table by rows under its header."""
    blocks = [part for block in re.split(r"\n\s*\n", text) for part in _table_parts(block)]
    found: list[str] = []
    for block in blocks:
        if found and len(found[-1]) + len(block) + 2 <= MAX_CHARS:
            found[-1] = f"{found[-1]}\n\n{block}"
        else:
            found.append(block)
    return found


def _table_parts(block: str) -> list[str]:
    lines = block.strip("\n").split("\n")
    if len(block) <= MAX_CHARS or not is_table(lines):
        return [block.strip("\n")] if block.strip() else []
    head, rows = lines[:2], lines[2:]
    room = max(1, (MAX_CHARS - sum(map(len, head))) // max(len(row) + 1 for row in rows))
    return ["\n".join([*head, *rows[at : at + room]]) for at in range(0, len(rows), room)]


def is_table(lines: list[str]) -> bool:
    """A Markdown table: a row of cells, then a row of dashes."""
    return (
        len(lines) > 2
        and "|" in lines[0]
        and re.fullmatch(r"[\s|:-]+", lines[1]) is not None
        and "-" in lines[1]
    )


def _chunk_id(article: Article, path: tuple[str, ...], text: str) -> str:
    dates = (article.valid_from.isoformat(), str(article.valid_until))
    content = "\x1f".join((article.title, article.url, *dates, *article.asked_as, *path, text))
    digest = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    return f"{article.language}/{article.id}/{digest}"
