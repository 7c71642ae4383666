"""A reply as the messages that Telegram takes: HTML in pieces of its size, the sources at the end. Text to text, nothing is sent."""

import html
import re
from collections.abc import Sequence

from connectors.telegram.markdown import clean, runs_of, web_address
from connectors.telegram.runs import BOLD, Run, Tag, html_of, merged, text_of, visible
from connectors.telegram.splitting import fits, split
from schemas.parts import Citation

_SOURCES = {"en": "Sources:", "zh": "来源："}
_TAG = re.compile(r"<[^>]*>")


def messages_of(
    markdown: str,
    citations: Sequence[Citation] = (),
    signed: str | None = None,
    language: str = "en",
    site_url: str | None = None,
) -> list[str]:
    """The HTML of each message (`parse_mode=HTML`), in the order in which they are sent.

    Each has 4,096 UTF-16 code units of visible text and 100 entities at most, and something to see: a text with nothing to see
    and no citations gives no message. `signed` is the human agent who writes. Relative addresses are joined to `site_url`.
    """
    pieces = split(_signed(runs_of(markdown, site_url), signed))
    sources = _sources(citations, language, site_url)
    together = [*pieces[-1], Run("\n\n"), *sources] if pieces and sources else []
    if together and fits(together):
        pieces[-1] = together
    else:
        pieces.extend(split(sources))
    return [html_of(piece) for piece in pieces]


def corrections_of(
    markdown: str, signed: str, mark: str, site_url: str | None = None
) -> list[tuple[str, str]]:
    """The HTML of each message of a text that a human agent has edited: as it takes an earlier one's place, and as it is sent anew.

    The latter is signed with the mark as well, as far as there is room: a whole message behind the first one has none, and stands between two that have.
    """
    runs = runs_of(markdown, site_url)
    if not visible(text_of(runs)):
        return []
    name = _one_line(signed)
    head = Run(f"{name} · {mark}" if visible(name) else mark, (BOLD,))
    plain = Run(name, (BOLD,)) if visible(name) else Run("")
    first, *others = split([head, Run("\n"), *runs])
    unmarked = split([plain, *first[1:]])
    told = [(html_of(unmarked[0] if unmarked else first), html_of(first))]
    for piece in others:
        marked = [head, Run("\n"), *piece]
        told.append((html_of(piece), html_of(marked if fits(marked) else piece)))
    return told


def plain_of(message: str) -> str:
    """A message's visible text, for when Telegram refuses its entities ("can't parse entities")."""
    return html.unescape(_TAG.sub("", message))


def _signed(runs: list[Run], name: str | None) -> list[Run]:
    shown = _one_line(name or "")
    return [Run(shown, (BOLD,)), Run("\n"), *runs] if visible(shown) and visible(text_of(runs)) else runs


def _sources(citations: Sequence[Citation], language: str, site_url: str | None) -> list[Run]:
    """`[1] title` a line, numbered in the order of the citations; what has no title, address or id to see is left out."""
    named = [(number, _source(each, site_url)) for number, each in enumerate(citations, start=1)]
    lines = [(Run(f"\n[{number}] "), source) for number, source in named if source.text]
    heading = _SOURCES.get(language.partition("-")[0], _SOURCES["en"])
    return merged([Run(heading, (BOLD,)), *(run for line in lines for run in line)]) if lines else []


def _source(citation: Citation, site_url: str | None) -> Run:
    address = web_address(clean(citation.url), site_url)
    title = next(filter(visible, map(_one_line, (citation.title, citation.url, citation.id))), "")
    return Run(title, (Tag("a", address),) if address else ())


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())
