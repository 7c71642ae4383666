"""The text of a text dialog: plain, HTML, or a mail's parts."""

import binascii
import html
import quopri
import re

from connectors.calls.fields import Object, placed, text_at
from connectors.calls.transcript import TranscriptRefused
from connectors.calls.vcon.jws import unbase64

_MOST_NESTED = 5  # parts within parts of a mail
_BOUNDARY = re.compile(r'boundary="?([^";\s]{1,70})"?', re.IGNORECASE)
_HEADER = re.compile(r"(content-type|content-transfer-encoding):\s*([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)
_CHARSET = re.compile(r'charset="?([\w.:-]{1,40})"?', re.IGNORECASE)
_HTML_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})?[^<>]{0,2000}>")
_HIDDEN = ("script", "style", "head", "title")
_BREAKS = ("br", "p", "div", "li", "tr")


def body_of(holder: Object, at: str) -> str | None:
    """An inline body as text, decoded as its `encoding` says; None where there is none."""
    body = holder.get("body")
    if body is None or body == "":
        return None
    if not isinstance(body, str):
        raise TranscriptRefused(f"{placed(at, 'body')} must be a text")
    encoding = text_at(holder, "encoding", at).lower() or "none"
    if encoding == "base64url":
        return decoded(unbase64(body, placed(at, "body")), "utf-8")
    if encoding not in ("none", "json", "base64"):
        raise TranscriptRefused(f"{placed(at, 'encoding')} must be one of base64url, json, none")
    return body


def message_text(body: str, mediatype: str) -> str:
    """What a message says; "" for what is no text (a picture, a document)."""
    return _part(body.replace("\r\n", "\n"), mediatype.lower(), mediatype, _MOST_NESTED)


def _part(body: str, kind: str, mediatype: str, nested: int) -> str:
    if kind.startswith("multipart/"):
        found = _BOUNDARY.search(mediatype)
        return _multipart(body, found[1], nested) if found is not None and nested > 0 else ""
    if kind.startswith("text/html"):
        return _of_html(body)
    return body.strip() if not kind or kind.startswith("text/") else ""


def _multipart(body: str, boundary: str, nested: int) -> str:
    """The first part that is text; plain text before HTML, which says the same."""
    parts = [_headed(part) for part in body.split(f"--{boundary}")[1:] if not part.startswith("--")]
    parts.sort(key=lambda part: "html" in part[0].lower())
    for mediatype, encoding, text in parts:
        said = _part(
            _transferred(text, encoding, mediatype), mediatype.lower() or "text/plain", mediatype, nested - 1
        )
        if said:
            return said
    return ""


def _headed(part: str) -> tuple[str, str, str]:
    """A part's media type, transfer encoding, and content."""
    head, _, text = part.lstrip("\n").partition("\n\n")
    fields = {found[1].lower(): found[2].strip() for found in _HEADER.finditer(head)}
    return fields.get("content-type", ""), fields.get("content-transfer-encoding", "").lower(), text


def _transferred(text: str, encoding: str, mediatype: str) -> str:
    if encoding not in ("base64", "quoted-printable"):
        return text
    charset = found[1] if (found := _CHARSET.search(mediatype)) else "utf-8"
    raw = text.encode("ascii", "ignore")
    try:
        return decoded(
            binascii.a2b_base64(raw) if encoding == "base64" else quopri.decodestring(raw), charset
        )
    except binascii.Error:
        return ""


def decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


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
    return re.sub(r"\s*\n\s*", "\n", html.unescape("".join(shown))).strip()
