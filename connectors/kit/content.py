"""What a file is, told by its content alone: neither its name nor what its sender calls it decides. Pure; nothing is ever unpacked.

A list of what is let in, not of what is kept out: pictures, sound, videos, PDF, and Word, Excel and PowerPoint files without macros. So programs, scripts, web pages,
SVG, archives and plain text (which a script is, too) are none of it, and nobody has to know them.
"""

import re
import struct
import zipfile
from io import BytesIO
from typing import Literal

Kind = Literal["photo", "voice", "audio", "video", "document", "sticker"]

PDF = "application/pdf"
_OFFICE = "application/vnd.openxmlformats-officedocument."
OFFICE = {
    "word/": f"{_OFFICE}wordprocessingml.document",
    "xl/": f"{_OFFICE}spreadsheetml.sheet",
    "ppt/": f"{_OFFICE}presentationml.presentation",
}
ALLOWED: dict[Kind, tuple[str, ...]] = {
    "photo": ("image/",),
    "sticker": ("image/", "video/webm"),
    "voice": ("audio/", "video/mp4"),
    "audio": ("audio/", "video/mp4"),
    "video": ("video/", "image/gif"),
    "document": ("image/", "audio/", "video/", PDF, _OFFICE),
}
"""By kind, with what its type begins."""

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", PDF),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = (
    (rb"hei[cxms]|hev[cxms]|mif1|msf1", "image/heic"),
    (rb"avi[fs]", "image/avif"),
    (rb"M4[AB] ", "audio/mp4"),
    (rb"3g[2gp].", "video/3gpp"),
    (rb"qt  ", "video/quicktime"),
    (rb"isom|iso\d|mp4[12]|avc1|dash|M4V |MSNV|mmp4", "video/mp4"),
)
"""ISO 14496-12, the brands after `ftyp`."""
_OGG_AUDIO = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")

MAX_ENTRIES = 5_000
MAX_DIRECTORY_BYTES = 1 << 20
"""Of a zip file's list of contents, which is all that is read of one."""
_END = struct.Struct("<4s4H2LH")
_ACTIVE = re.compile(r"(^|/)(vbaProject\.bin|vbaData\.xml|activeX/|embeddings/)", re.IGNORECASE)
"""Parts of an Office file that are programs, or files within the file."""


def media_type(content: bytes) -> str | None:
    """IANA's name of the type; None for everything that is not let in."""
    for signature, name in _SIGNATURES:
        if content.startswith(signature):
            return name
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12])
    if content[4:8] == b"ftyp":
        return next((name for brand, name in _BRANDS if re.match(brand, content[8:12])), None)
    if content[:4] == b"OggS":
        return "audio/ogg" if any(codec in content[:128] for codec in _OGG_AUDIO) else None
    if content[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in content[:64] else None
    if content[:4] == b"PK\x03\x04":
        return _office(content)
    return _frames(content)


def fits(kind: Kind, content: bytes) -> str | None:
    """The type of a file that was sent as this; None where it is none that may be."""
    found = media_type(content)
    if found is None or not found.startswith(ALLOWED[kind]):
        return None
    # Sound alone in a container of films.
    return "audio/mp4" if kind in ("voice", "audio") and found == "video/mp4" else found


def _frames(content: bytes) -> str | None:
    """Sound without a header: MPEG audio layer III, or AAC, by its first frame (ISO 11172-3, 13818-7)."""
    if len(content) < 4 or content[0] != 0xFF:
        return None
    if content[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer_3 = content[1] & 0xE6 == 0xE2 and content[1] & 0x18 != 0x08
    return "audio/mpeg" if layer_3 and content[2] >> 4 not in (0, 15) and content[2] & 0x0C != 0x0C else None


def _office(content: bytes) -> str | None:
    """By the names of what is in it."""
    names = _names(content)
    if "[Content_Types].xml" not in names or any(_ACTIVE.search(name) for name in names):
        return None
    return next((kind for part, kind in OFFICE.items() if any(name.startswith(part) for name in names)), None)


def _names(content: bytes) -> list[str]:
    """Empty for what is no plain zip file with a list of contents of an ordinary size."""
    at = content.rfind(b"PK\x05\x06", -(_END.size + 0xFFFF))
    if at < 0 or len(content) - at < _END.size or content[max(at - 20, 0) : at].startswith(b"PK\x06\x07"):
        return []
    _, _, _, _, entries, size, _, _ = _END.unpack_from(content, at)
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        return []
    try:
        return zipfile.ZipFile(BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeError):
        return []
