"""Sound that begins with its first frame, or with an ID3 tag before it: MPEG audio layer III, and AAC (ISO 11172-3, 13818-3, 13818-7). Pure."""

from typing import NamedTuple

MAX_PADDING_BYTES = 1 << 16
"""Zeros that some programs leave between a tag and the first frame."""
_TAG_BYTES = 10
_RESERVED = {2: 0x3F, 3: 0x1F, 4: 0x0F}
"""By the tag's version, the flags that have no meaning there (id3.org)."""
_HAS_FOOTER = 0x10

_KBPS_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HZ_1 = (44_100, 48_000, 32_000)
_MPEG_1, _MPEG_2, _MPEG_2_5 = 3, 2, 0
"""As two bits of a frame's header."""
_LAYER_3 = 1


class _Frame(NamedTuple):
    kind: str
    length: int
    #: What the frames of one stream have in common of their second and third byte.
    same: bytes


def sound_type(content: bytes) -> str | None:
    """`audio/mpeg` or `audio/aac`; None where no frame is found, or no other begins where the first one ends."""
    start = 0 if content[:3] != b"ID3" else _after_tag(content)
    if start is None:
        return None
    head = content[start : start + MAX_PADDING_BYTES]
    if start:
        head = head.lstrip(b"\0")
    first = _frame(head)
    if first is None:
        return None
    next_head = head[first.length :]
    if len(next_head) < _TAG_BYTES:  # the only one, or cut off
        return first.kind
    following = _frame(next_head)
    return first.kind if following is not None and following.same == first.same else None


def _after_tag(content: bytes) -> int | None:
    """Where the tag ends; None for what is no tag. Its length is told in four times seven bits."""
    if len(content) < _TAG_BYTES:
        return None
    version, revision, flags, length = content[3], content[4], content[5], content[6:10]
    if (
        flags & _RESERVED.get(version, 0xFF)
        or version not in _RESERVED
        or revision == 0xFF
        or max(length) > 0x7F
    ):
        return None
    size = length[0] << 21 | length[1] << 14 | length[2] << 7 | length[3]
    return _TAG_BYTES + size + (_TAG_BYTES if version == 4 and flags & _HAS_FOOTER else 0)


def _frame(head: bytes) -> _Frame | None:
    if len(head) < _TAG_BYTES or head[0] != 0xFF:
        return None
    return _aac(head) if head[1] & 0xF6 == 0xF0 else _layer_3(head)


def _layer_3(head: bytes) -> _Frame | None:
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, frequency, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer != _LAYER_3 or rate in (0, 15) or frequency == 3:
        return None
    kbps = (_KBPS_1 if version == _MPEG_1 else _KBPS_2)[rate - 1]
    hz = _HZ_1[frequency] // {_MPEG_1: 1, _MPEG_2: 2, _MPEG_2_5: 4}[version]
    size = (144_000 if version == _MPEG_1 else 72_000) * kbps // hz + padding
    return _Frame("audio/mpeg", size, bytes((head[1] & 0xFE, head[2] & 0x0C)))


def _aac(head: bytes) -> _Frame | None:
    """With an ADTS header, which tells the frame's length."""
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if head[2] >> 2 & 0xF > 12 or size < 7:
        return None
    return _Frame("audio/aac", size, bytes((head[1], head[2] & 0xFC)))
