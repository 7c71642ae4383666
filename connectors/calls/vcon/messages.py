"""The text of a text dialog: plain, HTML, or a mail's parts. Bytes are decoded as their `charset` says, and strictly."""

import binascii
import codecs
import quopri
import re

from connectors.calls.decoding import decode, unescaped
from connectors.calls.fields import Object, placed, text_at
from connectors.calls.transcript import TranscriptRefused
from connectors.calls.vcon.jws import unbase64

_MOST_NESTED = 5  # parts within parts of a mail
_BOUNDARY = re.compile(r'boundary="?([^";\s]{1,70})"?', re.IGNORECASE)
_HEADER = re.compile(r"(content-type|content-transfer-encoding):\s*([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)
_CHARSET = re.compile(r'charset="?([\w.:-]{1,40})"?', re.IGNORECASE)
_KIND = re.compile(r"\s*([\w.+-]{1,60}/[\w.+-]{1,60})\s*(?:;.*)?", re.ASCII | re.DOTALL)
_SURROGATES = re.compile(r"[\udc80-\udcff]")  # bytes of a mail that are no UTF-8
#: What is written under these names is often of the larger set, and what is written as ASCII of any.
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030", "us-ascii": "", "ascii": ""}
_HTML_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})?[^<>]{0,2000}>")
_HIDDEN = ("script", "style", "head", "title")
_BREAKS = ("br", "p", "div", "li", "tr")
_MAIL = "message/rfc822"


def body_of(holder: Object, at: str) -> str | None:
    """An inline body as text, decoded as its `encoding` and `mediatype` say; None where there is none."""
    body = holder.get("body")
    if body is None or body == "":
        return None
    where = placed(at, "body")
    if not isinstance(body, str):
        raise TranscriptRefused(f"{where} must be a text")
    encoding = text_at(holder, "encoding", at).lower() or "none"
    if encoding not in ("none", "json", "base64", "base64url"):
        raise TranscriptRefused(f"{placed(at, 'encoding')} must be one of base64url, json, none")
    mediatype = mediatype_of(holder, at)
    if encoding in ("none", "json"):
        return body
    data = unbase64(body.replace("+", "-").replace("/", "_") if encoding == "base64" else body, where)
    if kind_of(mediatype).startswith("multipart/") or kind_of(mediatype) == _MAIL:
        return data.decode("utf-8", "surrogateescape")  # each part has its own charset
    return _decoded(data, mediatype, where)


def mediatype_of(holder: Object, at: str) -> str:
    return text_at(holder, "mediatype", at) or text_at(holder, "mimetype", at)


def kind_of(mediatype: str) -> str:
    """`text/plain` of `Text/Plain; charset=utf-8`; a media type that is none is called `unknown`."""
    if not mediatype.strip():
        return "text/plain"
    found = _KIND.fullmatch(mediatype)
    return "unknown" if found is None else found[1].lower()


def is_read(kind: str) -> bool:
    """Whether there is a text to be found in such a body."""
    return kind.startswith(("text/", "multipart/")) or kind == _MAIL


def message_text(body: str, mediatype: str, at: str) -> str:
    """What a message says; "" for what is no text (a picture, a document). Raises `TranscriptRefused` for bytes that are no text."""
    return _part(body.replace("\r\n", "\n"), mediatype, at, _MOST_NESTED)


def _part(body: str, mediatype: str, at: str, nested: int) -> str:
    kind = kind_of(mediatype)
    if kind.startswith("multipart/"):
        found = _BOUNDARY.search(mediatype)
        return _multipart(body, found[1], at, nested) if found is not None and nested > 0 else ""
    if kind == _MAIL:
        return _headed_part(body, at, nested - 1) if nested > 0 else ""
    if kind == "text/html":
        return _of_html(body)
    return body.strip() if kind.startswith("text/") else ""


def _multipart(body: str, boundary: str, at: str, nested: int) -> str:
    """The first part that is text; plain text before HTML, which says the same."""
    parts = [part for part in body.split(f"--{boundary}")[1:] if not part.startswith("--")]
    parts.sort(key=lambda part: "html" in _headed(part)[0].lower())
    return next((said for part in parts if (said := _headed_part(part, at, nested - 1))), "")


def _headed_part(part: str, at: str, nested: int) -> str:
    mediatype, encoding, text = _headed(part)
    if kind_of(mediatype).startswith("text/"):
        text = _transferred(text, encoding, mediatype, at)
    return _part(text, mediatype, at, nested)


def _headed(part: str) -> tuple[str, str, str]:
    """A part's media type, transfer encoding, and content."""
    head, _, text = part.lstrip("\n").partition("\n\n")
    fields = {found[1].lower(): found[2].strip() for found in _HEADER.finditer(head)}
    return fields.get("content-type", ""), fields.get("content-transfer-encoding", "").lower(), text


def _transferred(text: str, encoding: str, mediatype: str, at: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    if encoding == "quoted-printable":
        return _decoded(quopri.decodestring(raw), mediatype, at)
    if encoding != "base64":
        return text if _SURROGATES.search(text) is None else _decoded(raw, mediatype, at)
    try:
        return _decoded(binascii.a2b_base64(raw), mediatype, at)
    except binascii.Error as error:
        raise TranscriptRefused(f"{at}: a part of the mail must be base64, as its header says") from error


def _decoded(data: bytes, mediatype: str, at: str) -> str:
    """As the media type's charset; without one as UTF-8 or GB18030, whichever it is. Two bytes that could mark UTF-16 are too little to go by."""
    found = _CHARSET.search(mediatype)
    named = found[1].lower() if found is not None else ""
    charset = _LARGER.get(named, named)
    try:
        if charset:
            return data.decode(charset).replace("\r\n", "\n")
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise TranscriptRefused(
                "byte 1 is no UTF-8; UTF-16 is allowed where the media type says charset=utf-16"
            )
        return decode(data).replace("\r\n", "\n") if data.strip() else ""
    except TranscriptRefused as error:
        raise TranscriptRefused(f"{at}: {error}") from error
    except LookupError as error:
        raise TranscriptRefused(
            f"{at}: the charset {named} is not known; allowed: utf-8, gb18030…"
        ) from error
    except ValueError as error:
        raise TranscriptRefused(f"{at} is no {named}, which its media type names") from error


def _of_html(body: str) -> str:
    """The text between the tags, without what no browser shows."""
    shown: list[str] = []
    last, hidden = 0, ""
    for tag in _HTML_TAG.finditer(body):
        name = (tag[2] or "").lower()
        if not hidden:
            shown.append(body[last : tag.start()])
            shown.append("\n" if name in _BREAKS else "")
        last = tag.end()
        if name in _HIDDEN and not hidden and not tag[1]:
            hidden = name
        elif name == hidden and tag[1]:
            hidden = ""
    shown.append("" if hidden else body[last:])
    lines = map(str.strip, unescaped("".join(shown)).split("\n"))
    return "\n".join(line for line in lines if line)
