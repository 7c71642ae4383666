"""Text as Telegram reads it: HTML into text and entities, lengths in UTF-16 units.

https://core.telegram.org/bots/api#html-style lists the tags; offsets in errors are in bytes of UTF-8.
"""

import html
import re
from dataclasses import dataclass, field

from tests.telegram_api.errors import ApiError, Json, bad_request

#: Tag -> type of its entity; `span`, `a`, `code` and `blockquote` depend on their attributes too.
TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
SPACE = " \t\r\n\v\f"
CHARACTER = re.compile(r"&(?:#(\d{1,8});?|#[xX]([0-9a-fA-F]{1,8});?|([a-zA-Z]+);?)")
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
ATTRIBUTE = re.compile(
    r"""[ \t\r\n\v\f]*([^ \t\r\n\v\f=>/"']+)[ \t\r\n\v\f]*"""
    r"""(?:=[ \t\r\n\v\f]*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9.\-]+)(?=[ \t\r\n\v\f>])))?"""
)


@dataclass(frozen=True)
class Formatted:
    text: str
    entities: list[Json] = field(default_factory=list)
    #: What it looks like as HTML.
    html: str = ""


@dataclass(frozen=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    #: In the text so far: UTF-16 units, and characters.
    offset: int
    start: int


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: str, entities: list[Json] | None = None) -> Formatted:
    return trimmed(Formatted(text, list(entities or []), html.escape(text, quote=False)))


def parsed_html(source: str) -> Formatted:
    """Raises ApiError, 400 "can't parse entities: …"."""
    return trimmed(_HtmlReader(source).read())


def trimmed(found: Formatted) -> Formatted:
    """Without white space at both ends, as Telegram sends it."""
    kept = found.text.strip(SPACE)
    cut = utf16_units(found.text) - utf16_units(found.text.lstrip(SPACE))
    end = utf16_units(kept)
    entities = []
    for each in found.entities:
        first = max(each["offset"] - cut, 0)
        length = min(each["offset"] + each["length"] - cut, end) - first
        if length > 0:
            entities.append({**each, "offset": first, "length": length})
    return Formatted(kept, entities, found.html.strip(SPACE))


class _HtmlReader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.text: list[str] = []
        self.units = 0
        self.open: list[_Open] = []
        self.entities: list[Json] = []

    def read(self) -> Formatted:
        while self.at < len(self.source):
            if self.source[self.at] == "<":
                self._tag()
            else:
                self._character()
        if self.open:
            raise self._error(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        self.entities.sort(key=lambda each: (each["offset"], -each["length"]))
        return Formatted("".join(self.text), self.entities, self.source)

    def _character(self) -> None:
        found = CHARACTER.match(self.source, self.at)
        read = _decoded(found) if found else None
        if found is None or read is None:
            read = self.source[self.at]
            self.at += 1
        else:
            self.at = found.end()
        self.text.append(read)
        self.units += utf16_units(read)

    def _tag(self) -> None:
        if self.source.startswith("/", self.at + 1):
            self._end_tag()
        else:
            self._start_tag()

    def _start_tag(self) -> None:
        begin = self.at
        name = self._name(begin + 1)
        if self.at >= len(self.source):
            raise self._error("Unclosed start tag", begin)
        name = name.lower()
        if name not in TAGS:
            raise self._error(f'Unsupported start tag "{name}"', begin)
        attributes = self._attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"', begin)
        self.open.append(_Open(name, attributes, self.units, len(self.text)))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._skip_space()
            if self.at >= len(self.source):
                raise self._error("Unclosed start tag", begin)
            if self.source[self.at] == ">":
                self.at += 1
                return found
            name, value = self._attribute(tag, begin)
            found[name] = value

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        found = ATTRIBUTE.match(self.source, self.at)
        if found is None:
            raise self._error(f'Empty attribute name in the tag "{tag}"', begin)
        value = next((each for each in found.groups()[1:] if each is not None), None)
        if value is None and (tag, found[1]) != ("blockquote", "expandable"):
            rest = self.source[found.end() :].lstrip(SPACE)
            missing = f'Expected equal sign in declaration of an attribute of the tag "{tag}"'
            raise self._error(missing if rest and rest[0] != "=" else "Unclosed start tag", begin)
        self.at = found.end()
        return found[1].lower(), CHARACTER.sub(lambda each: _decoded(each) or each[0], value or "")

    def _end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self._error("Unexpected end tag", begin)
        name = self._name(begin + 2)
        self._skip_space()
        if not self.source.startswith(">", self.at):
            raise self._error("Unclosed end tag", begin)
        self.at += 1
        opened = self.open.pop()
        if name and name.lower() != opened.tag:
            raise self._error(
                "Unmatched end tag", begin, f', expected "</{opened.tag}>", found "</{name.lower()}>"'
            )
        if self.units > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity: Json = {
            "type": TAGS[opened.tag],
            "offset": opened.offset,
            "length": self.units - opened.offset,
        }
        if opened.tag == "a":
            entity["url"] = opened.attributes.get("href") or "".join(self.text[opened.start :])
            if not re.match(r"(https?|tg|ftp|mailto|tel)://?|[\w-]+\.[\w.-]+", entity["url"]):
                return  # Telegram keeps the words and drops what is no link
        if opened.tag == "tg-emoji":
            entity["custom_emoji_id"] = opened.attributes.get("emoji-id", "")
        if "expandable" in opened.attributes:
            entity["type"] = "expandable_blockquote"
        language = opened.attributes.get("class", "")
        if opened.tag == "code" and language.startswith("language-") and self.open:
            entity["language"] = language.removeprefix("language-")
        self._add(entity)

    def _add(self, entity: Json) -> None:
        """`<pre><code class="language-x">` is one entity, `pre` with a language."""
        inner = self.entities[-1] if self.entities else {}
        same = [inner.get(key) == entity[key] for key in ("offset", "length")]
        if entity["type"] == "pre" and inner.get("type") == "code" and all(same):
            self.entities.pop()
            entity |= {"language": inner["language"]} if "language" in inner else {}
        self.entities.append(entity)

    def _name(self, start: int) -> str:
        self.at = start
        while self.at < len(self.source) and self.source[self.at] not in SPACE + ">":
            self.at += 1
        return self.source[start : self.at]

    def _skip_space(self) -> None:
        while self.at < len(self.source) and self.source[self.at] in SPACE:
            self.at += 1

    def _error(self, what: str, at: int | None = None, more: str = "") -> ApiError:
        where = "" if at is None else f" at byte offset {len(self.source[:at].encode())}"
        return bad_request(f"can't parse entities: {what}{where}{more}")


def _decoded(found: re.Match[str]) -> str | None:
    """None for what names no character: it stays as it stands."""
    decimal, hexadecimal, name = found.groups()
    if name is not None:
        return NAMED.get(name)
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    valid = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if valid else None
