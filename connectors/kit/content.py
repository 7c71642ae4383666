"""What a file is, told by its content alone: neither its name nor what its sender calls it decides. Pure; nothing is ever unpacked.

A list of what is let in, not of what is kept out: pictures, sound, videos, PDF, and Word, Excel and PowerPoint files of ordinary parts. So programs, scripts, web pages,
SVG, archives and plain text (which a script is, too) are none of it, and nobody has to know them.
"""

import re
from typing import Literal

from connectors.kit.mpeg import sound_type
from connectors.kit.office import TYPES, office_type

Kind = Literal["photo", "voice", "audio", "video", "document", "sticker"]

PDF = "application/pdf"
ALLOWED: dict[Kind, tuple[str, ...]] = {
    "photo": ("image/",),
    "sticker": ("image/", "video/webm"),
    "voice": ("audio/", "video/mp4"),
    "audio": ("audio/", "video/mp4"),
    "video": ("video/", "image/gif"),
    "document": ("image/", "audio/", "video/", PDF, TYPES),
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
        return office_type(content)
    return sound_type(content)


def fits(kind: Kind, content: bytes) -> str | None:
    """The type of a file that was sent as this; None where it is none that may be."""
    found = media_type(content)
    if found is None or not found.startswith(ALLOWED[kind]):
        return None
    # Sound alone in a container of films.
    return "audio/mp4" if kind in ("voice", "audio") and found == "video/mp4" else found
