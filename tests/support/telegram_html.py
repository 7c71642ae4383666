"""What Telegram says of HTML that a bot sends (core.telegram.org/bots/api#html-style), checked without the code that writes it."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

TAGS = {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"}
SPANS = {"b", "i", "u", "s", "tg-spoiler"}
MARKUP = re.compile(r"</?(?:b|i|u|s|code|pre|a|blockquote|tg-spoiler)(?: [^<>]*)?>")
ESCAPE = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


@dataclass
class Entity:
    """`start` and `end` are places in the message's visible text, in characters."""

    name: str
    value: str
    start: int
    end: int = -1


@dataclass
class Message:
    text: str = ""
    entities: list[Entity] = field(default_factory=list)

    def shown_as(self, name: str) -> list[str]:
        return [self.text[each.start : each.end] for each in self.entities if each.name == name]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.message = Message()
        self.open: list[Entity] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        around = [each.name for each in self.open]
        value = _value(tag, attrs)
        _check_nesting(
            tag, value, around, len(self.message.text) == (self.open[-1].start if self.open else 0)
        )
        entity = Entity(tag, value, len(self.message.text))
        self.open.append(entity)
        if not (tag == "code" and around and around[-1] == "pre"):
            self.message.entities.append(entity)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        closed = self.open.pop()
        assert closed.name == tag, f"</{tag}> where <{closed.name}> is open"
        closed.end = len(self.message.text)
        if tag == "code" and self.open and self.open[-1].name == "pre":
            self.open[-1].value = closed.value

    def handle_data(self, data: str) -> None:
        self.message.text += data


def _value(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    allowed = {"a": "href", "code": "class", "blockquote": "expandable"}.get(tag)
    assert [name for name, _ in attrs] in ([], [allowed]), (tag, attrs)
    assert attrs or tag != "a", "a link without an address"
    value = (attrs[0][1] or "") if attrs else ""
    if tag == "a":
        assert urlsplit(value).scheme in ("http", "https", "tel", "mailto"), value
    if tag == "code" and attrs:
        assert value.startswith("language-"), value
    return value.removeprefix("language-") if tag == "code" else value


def _check_nesting(tag: str, value: str, around: list[str], at_start: bool) -> None:
    assert tag not in around, f"<{tag}> in <{tag}>"
    assert "code" not in around
    if "pre" in around:
        assert around[-1] == "pre" and tag == "code" and value and at_start, (
            "only a language's <code> is in <pre>"
        )
    elif tag in ("code", "pre"):
        assert set(around) <= {"blockquote"}, f"<{tag}> in {around}"
    elif tag in ("a", "blockquote"):
        assert set(around) <= SPANS | ({"blockquote"} if tag == "a" else set()), f"<{tag}> in {around}"


def read(html: str) -> Message:
    """The message that Telegram makes of it. Raises `AssertionError` for what it would refuse, or show otherwise than written."""
    rest = MARKUP.sub("", html)
    assert not set("<>\"'") & set(rest), rest
    assert "&" not in ESCAPE.sub("", rest), rest
    assert len(html.encode()) <= 32_768
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, "tags are left open"
    message = reader.message
    assert message.text.strip(), "nothing to see"
    assert message.text == message.text.rstrip(), "Telegram cuts white space at the end off"
    assert len(message.text.encode("utf-16-le")) // 2 <= 4096
    assert len(message.entities) <= 100
    return message
