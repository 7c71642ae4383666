"""Markdown as runs: what Telegram has no entity for is written with characters (lists, tables), and no word of a text is lost.

Three things differ from CommonMark. A link's definition (`[1]: …`) is plain text, since `[1]` marks a source. A code to dial
(`*61*4400#`, `*104*`) keeps its asterisks. And `**` beside a
Chinese character opens or closes whatever stands on its other side: `**利率：**3.5%` and `**3.5%**的利率` are bold.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.emphasis import tokenize as commonmark_emphasis
from markdown_it.tree import SyntaxTreeNode

from connectors.telegram.runs import (
    BOLD,
    CODE,
    ITALIC,
    QUOTE,
    STRIKE,
    Run,
    Style,
    Tag,
    merged,
    shared,
    text_of,
    visible,
    within,
)

Line = list[Run]

MAX_NESTING = 40
LONGEST_ADDRESS = 2048
INDENT = "  "

_INLINE_TAGS = {"strong": BOLD, "em": ITALIC, "s": STRIKE}
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+#.-]{0,31}")
_CHINESE = re.compile(
    r"[\u3001-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff65\U00020000-\U0003ffff“”‘’…—]"
)
_DIALLED = re.compile(r"\*{1,2}#?\d+(?:\*\+?\d+)*[#*](?!\*)", re.ASCII)
#: Telegram makes spaces of them; here, so that lengths are right.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PHONE_MARKS = re.compile(r"[\s().\-/]")


def runs_of(markdown: str, site_url: str | None = None) -> list[Run]:
    """A text's runs, with line breaks as they are to be shown. Relative links are links only where `site_url` is given."""
    source = clean(markdown)
    tokens = _PARSER.parse(source)
    if any(token.level >= MAX_NESTING - 2 for token in tokens):
        return [
            Run(source)
        ]  # the parser leaves out what is nested deeper: such a text is shown as it was written
    return _joined(_Writer(site_url).blocks(SyntaxTreeNode(tokens).children, ()))


def clean(text: str) -> str:
    """Without what cannot be sent: halves of surrogate pairs and control characters."""
    sendable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROLS.sub(" ", sendable)


def web_address(url: str, site_url: str | None = None) -> str | None:
    """An absolute http(s) address, joined to `site_url` if it is relative; None for what Telegram makes no link of."""
    try:
        address = urljoin(site_url, url) if site_url and url else url
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return address if usable and len(address) <= LONGEST_ADDRESS else None


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's rule, which asks for a space between punctuation and the letter beyond the asterisks: Chinese has none.

    And it finds asterisks in the codes that telephones know (3GPP TS 22.030), which must be shown to the letter.
    """
    start, known = state.pos, len(state.delimiters)
    if dialled := _DIALLED.match(state.src, start, state.posMax):
        if not silent:
            state.pending += dialled[0]
        state.pos = dialled.end()
        return True
    if not commonmark_emphasis(state, silent):
        return False
    before = state.src[start - 1] if start else " "
    after = state.src[state.pos] if state.pos < state.posMax else " "
    if state.src[start] == "*" and _CHINESE.search(before + after):
        for delimiter in state.delimiters[known:]:
            delimiter.open = not after.isspace()
            delimiter.close = not before.isspace()
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"]).disable("reference")
    parser.inline.ruler.at("emphasis", _emphasis)
    return parser


_PARSER = _parser()


@dataclass(frozen=True, slots=True)
class _Writer:
    """Markdown's nodes as lines of runs, each in the style of what it stands in."""

    site_url: str | None

    def blocks(self, nodes: Sequence[SyntaxTreeNode], style: Style) -> list[Line]:
        return _spaced([self._block(node, style) for node in nodes], style)

    def _block(self, node: SyntaxTreeNode, style: Style) -> list[Line]:
        if node.type == "paragraph":
            return _lines(self._inline(node.children, style))
        if node.type == "heading":
            return _lines(self._inline(node.children, within(style, BOLD)))
        if node.type in ("fence", "code_block"):
            return _code(node, style)
        if node.type == "blockquote":
            return self.blocks(node.children, within(style, QUOTE))
        if node.type in ("bullet_list", "ordered_list"):
            return list(self._list(node, style))
        if node.type == "table":
            return self._table(node, style)
        return []  # a horizontal rule: the blank line between blocks stands for it

    def _inline(self, nodes: Sequence[SyntaxTreeNode], style: Style) -> list[Run]:
        return [run for node in nodes for run in self._span(node, style)]

    def _span(self, node: SyntaxTreeNode, style: Style) -> list[Run]:
        if node.type == "inline":
            return self._inline(node.children, style)
        if node.type in ("softbreak", "hardbreak"):
            return [Run("\n", style)]
        if node.type == "code_inline":
            return [Run(node.content, within(style, CODE))]
        if node.type == "link":
            return self._link(str(node.attrGet("href") or ""), node.children, style)
        if node.type == "image":
            return self._link(str(node.attrGet("src") or ""), node.children, style)
        if node.type in _INLINE_TAGS:
            return self._inline(node.children, within(style, _INLINE_TAGS[node.type]))
        return [Run(node.content, style)]

    def _link(self, url: str, label: Sequence[SyntaxTreeNode], style: Style) -> list[Run]:
        """Phone and mail addresses are shown: Telegram makes no link of `tel:`, a wrong one of `mailto:`, and finds both in text."""
        address = web_address(url, self.site_url)
        inner = within(style, Tag("a", address)) if address else style
        runs = self._inline(label, inner)
        if not visible(text_of(runs)):
            return [Run(address or unquote(url), inner)]
        contact = _contact(url)
        if contact and _PHONE_MARKS.sub("", contact) not in _PHONE_MARKS.sub("", text_of(runs)):
            return [*runs, Run(f" ({contact})", style)]
        return runs

    def _list(self, node: SyntaxTreeNode, style: Style) -> Iterator[Line]:
        for marker, item in zip(_markers(node), node.children, strict=True):
            lines = self._item(item, style)
            if not lines or _is_code(lines[0]):
                yield [Run(marker, style)]
            else:
                yield [Run(f"{marker} ", style), *lines.pop(0)]
            yield from (
                line if _is_code(line) or not text_of(line) else [Run(INDENT, style), *line] for line in lines
            )

    def _item(self, item: SyntaxTreeNode, style: Style) -> list[Line]:
        """A blank line stands between two paragraphs only, so that an item and the list below it stay together."""
        lines: list[Line] = []
        previous = ""
        for node in item.children:
            if previous == node.type == "paragraph":
                lines.append([Run("", style)])
            lines.extend(self._block(node, style))
            previous = node.type
        return lines

    def _table(self, node: SyntaxTreeNode, style: Style) -> list[Line]:
        head, *rows = [row.children for part in node.children for row in part.children]
        if len(head) > 2:
            return _spaced([self._wide_row(head, row, style) for row in rows or [head]], style)
        bold, italic = within(style, BOLD), within(style, ITALIC)
        lines = [self._cells(head, italic, italic), *(self._cells(row, bold, style) for row in rows)]
        return [line for line in lines if line]

    def _cells(self, row: Sequence[SyntaxTreeNode], first: Style, second: Style) -> Line:
        """`first: second`; a table of one column has the first alone, in the style of a second."""
        if len(row) == 1:
            return self._inline(row[0].children, second)
        return _colon(self._inline(row[0].children, first), self._inline(row[1].children, second), second)

    def _wide_row(
        self, head: Sequence[SyntaxTreeNode], row: Sequence[SyntaxTreeNode], style: Style
    ) -> list[Line]:
        title = self._inline(row[0].children, within(style, BOLD))
        lines = [title] if title else []
        for name, cell in zip(head[1:], row[1:], strict=True):
            if value := self._inline(cell.children, style):
                lines.append([Run("• ", style), *_colon(self._inline(name.children, style), value, style)])
        return lines


def _colon(name: Line, value: Line, style: Style) -> Line:
    return [*name, Run(": ", style), *value] if name and value else [*name, *value]


def _markers(node: SyntaxTreeNode) -> list[str]:
    """The numbers as they were written, since a text may speak of them; counted up where they are all the same."""
    if node.type == "bullet_list":
        return ["•"] * len(node.children)
    written = [item.info for item in node.children]
    if len(set(written)) == 1:
        written = [written[0], *(str(int(written[0]) + count) for count in range(1, len(written)))]
    return [f"{number}." for number in written]


def _code(node: SyntaxTreeNode, style: Style) -> list[Line]:
    """What stands beside the opening fence is the language if it is one word above some code, else the block's first line."""
    info = node.info.strip()
    content = node.content.rstrip("\n")
    language = info if content and _LANGUAGE.fullmatch(info) else ""
    text = "\n".join(filter(None, ("" if language else info, content)))
    inner = within(style, Tag("pre", language))
    return [[Run(line, inner)] for line in text.split("\n")] if text else []


def _contact(url: str) -> str:
    scheme, _, rest = url.partition(":")
    return unquote(rest.partition("?")[0]) if scheme.lower() in ("tel", "mailto") else ""


def _is_code(line: Line) -> bool:
    return bool(line) and any(tag.name == "pre" for tag in line[0].style)


def _lines(runs: Sequence[Run]) -> list[Line]:
    lines: list[Line] = [[]]
    for run in runs:
        if run.text == "\n":
            lines.append([])
        else:
            lines[-1].append(run)
    return lines if any(lines) else []


def _spaced(blocks: Sequence[list[Line]], style: Style) -> list[Line]:
    """The blocks' lines with a blank line between two blocks; a block without lines leaves none."""
    lines: list[Line] = []
    for block in filter(None, blocks):
        lines.extend([[Run("", style)], *block] if lines else block)
    return lines


def _joined(lines: Sequence[Line]) -> list[Run]:
    """A line break belongs to the entities that go on over it; code in a line ends with its line."""
    runs: list[Run] = []
    style: Style = ()
    for number, line in enumerate(lines):
        first = line[0].style if line else ()
        common = tuple(tag for tag in first[: shared(style, first)] if tag != CODE)
        runs.extend([Run("\n", common), *line] if number else line)
        style = line[-1].style if line else ()
    return merged(runs)
