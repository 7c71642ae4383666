"""Formatted text as runs, and a sequence of runs as Telegram's HTML. A run is a text and the entities that it stands in.

What Telegram allows is kept where styles are made (`within`), so no sequence of runs can be written as HTML that it refuses:
https://core.telegram.org/bots/api#formatting-options
"""

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

TagName = Literal["b", "i", "s", "a", "code", "pre", "blockquote"]

#: Telegram cuts these at the edges of other entities, so that each run within one may become an entity of its own.
SPLITTABLE = frozenset({"b", "i", "s"})
_LITERAL = frozenset({"code", "pre"})

_BLANK_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn", "Me"})
#: Letters and symbols that show nothing: Hangul fillers, the empty Braille pattern, the mark of an object.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc")


class Tag(NamedTuple):
    """`value` is a link's address or a code block's language, else empty."""

    name: TagName
    value: str = ""


Style = tuple[Tag, ...]  # outermost first


class Run(NamedTuple):
    text: str
    style: Style = ()


BOLD, ITALIC, STRIKE, CODE, QUOTE = Tag("b"), Tag("i"), Tag("s"), Tag("code"), Tag("blockquote")


def within(style: Style, tag: Tag) -> Style:
    """The style of a text in `tag` that stands in `style`, as far as Telegram allows it.

    Code holds no other entity and stands in none but a block quote; in a link it is the link that stays. Nothing is nested in
    its own kind.
    """
    names = {each.name for each in style}
    if tag.name in names or names & _LITERAL or (tag.name == "code" and "a" in names):
        return style
    if tag.name in _LITERAL:
        return (*(each for each in style if each.name == "blockquote"), tag)
    return (*style, tag)


def shared(first: Style, second: Style) -> int:
    """How many entities go on from a text of the first style to one of the second."""
    for count, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return count
    return min(len(first), len(second))


def merged(runs: Iterable[Run]) -> list[Run]:
    """Neighbours of one style as one run; runs without text are left out."""
    result: list[Run] = []
    for run in runs:
        if result and result[-1].style == run.style:
            result[-1] = Run(result[-1].text + run.text, run.style)
        elif run.text:
            result.append(run)
    return result


def text_of(runs: Iterable[Run]) -> str:
    return "".join(run.text for run in runs)


def visible(text: str) -> bool:
    """Whether there is anything to see: Telegram refuses a message of spaces and invisible characters as empty."""
    return any(
        character not in _BLANK and unicodedata.category(character) not in _BLANK_CATEGORIES
        for character in text
    )


def opening(tag: Tag) -> str:
    if tag.name == "a":
        return f'<a href="{html.escape(tag.value)}">'
    if tag.name == "pre" and tag.value:
        return f'<pre><code class="language-{html.escape(tag.value)}">'
    return f"<{tag.name}>"


def closing(tag: Tag) -> str:
    return "</code></pre>" if tag.name == "pre" and tag.value else f"</{tag.name}>"


def html_of(runs: Sequence[Run]) -> str:
    """Telegram's HTML. Entities stay open from run to run where they can, and all are closed at the end."""
    parts: list[str] = []
    style: Style = ()
    for run in (*runs, Run("")):
        going_on = shared(style, run.style)
        parts.extend(closing(tag) for tag in reversed(style[going_on:]))
        parts.extend(opening(tag) for tag in run.style[going_on:])
        parts.append(html.escape(run.text))
        style = run.style
    return "".join(parts)
