"""A file's bytes to text: UTF-8, UTF-16 or GB18030, told apart by the bytes alone. Archives and binary files are refused."""

import codecs
import html
import re

from connectors.calls.transcript import MOST_BYTES, TranscriptRefused

ALLOWED = "allowed is text in UTF-8, UTF-16 or GB18030"
#: What files that are no text begin with.
MAGIC = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"%PDF-", "a PDF document"),
    (b"RIFF", "a RIFF recording"),
    (b"ID3", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"fLaC", "a FLAC recording"),
)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Python reads no number of thousands of digits. No character has so high a one, as none has one of eight digits.
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{1000,};?")
_LOOKED_AT = 4_096  # bytes whose NULs tell UTF-16 without a mark


def decode(data: bytes) -> str:
    """The text, without a byte order mark. Raises `TranscriptRefused` with the reason."""
    if len(data) > MOST_BYTES:
        raise TranscriptRefused(f"the file has {len(data):,} bytes; allowed are {MOST_BYTES:,}")
    for magic, what in MAGIC:
        if data.startswith(magic):
            raise TranscriptRefused(f"the file is {what}; {ALLOWED}: unpack it first")
    text = _decoded(data)
    if (at := text.find("\x00")) >= 0:
        raise TranscriptRefused(f"character {at + 1} is NUL: a binary file; {ALLOWED}")
    if not text.strip():
        raise TranscriptRefused("the file is empty; a transcript has at least one turn")
    return text


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding)
    if (unmarked := _utf16(data[:_LOOKED_AT])) is not None:
        return _strict(data, unmarked)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _gb18030(data)


def _gb18030(data: bytes) -> str:
    """Western one-byte text is mostly valid GB18030, too: an accented letter and the ASCII one after it make a rare character."""
    text = _strict(data, "gb18030")
    wide = [each.encode("gb18030") for each in text[:_LOOKED_AT] if not each.isascii()]
    if sum(len(each) == 2 and each[1] < 0x80 for each in wide) * 2 > len(wide):
        raise TranscriptRefused(f"the file is neither UTF-8 nor likely to be GB18030; {ALLOWED}")
    return text


def _utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: its ASCII characters (digits, spaces, line ends) have their NULs on one side alone."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) <= len(head) // 200 or min(even, odd) > max(even, odd) // 10:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        named = encoding.removesuffix("-sig").upper()
        raise TranscriptRefused(f"byte {error.start + 1} is no {named}; {ALLOWED}") from error


def unescaped(text: str) -> str:
    """A text with its HTML character references (`&amp;`, `&#39;`) read."""
    return html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", text))
