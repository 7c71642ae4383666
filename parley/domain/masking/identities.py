"""Identity numbers by their shape: China (GB 11643-1999), Ireland (PPS), the United States (SSN), Great Britain (NINO)."""

import re
from collections.abc import Iterator

from parley.domain.masking.amounts import NO_UNIT
from parley.domain.masking.checksums import mod11_2
from parley.domain.masking.found import Found, joined

_APART = r"(?<![0-9a-z].)"
"""Behind the first character, where a search is quickest: it begins a word or number."""
_CHINESE = re.compile(
    rf"[1-9]{_APART}[0-9]{{5}}[ .-]{{0,2}}(?:18|19|20)[0-9]{{2}}[ .-]?(?:0[1-9]|1[0-2])[ .-]?(?:0[1-9]|[12][0-9]|3[01])[ .-]{{0,2}}"
    r"[0-9]{3}[ .-]?[0-9x](?![0-9a-z])"
)
_PPS = re.compile(rf"[0-9]{_APART}[0-9]{{6}}([a-w])([a-i]?)(?![0-9a-z])")
_SSN = re.compile(
    rf"[0-8](?<![0-9-].)(?<![0-9][ .].)(?<!0(?=00))(?<!6(?=66))[0-9]{{2}}(?:-(?!00)[0-9]{{2}}-|([ .])(?!00)[0-9]{{2}}\1(?!(?:19|20)[0-9]{{2}}))"
    rf"(?!0000)[0-9]{{4}}(?![0-9-]|[ .][0-9]){NO_UNIT}"
)
_NINO = re.compile(
    r"[0-9]{6}[a-d](?![0-9a-z])(?<=[a-ceghj-prtw-z][a-ceghj-nprtw-z][0-9]{6}[a-d])(?<![0-9a-z].{9})",
    re.DOTALL,
)
"""Looked for by its digits, which are rare; two letters stand before them."""

_PPS_LETTERS = "wabcdefghijklmnopqrstuv"


def chinese_ids(plain: str) -> Iterator[Found]:
    """18 characters, ISO 7064 mod 11-2."""
    for hit in _CHINESE.finditer(plain):
        value = joined(hit[0])
        if mod11_2(value):
            yield Found(hit.start(), hit.end(), "id", value)


def pps_numbers(plain: str) -> Iterator[Found]:
    """Seven digits and a check letter mod 23; since 2013 a second letter counts nine times its place in the alphabet."""
    for hit in _PPS.finditer(plain):
        total = sum(int(digit) * weight for digit, weight in zip(hit[0], range(8, 1, -1), strict=False))
        total += 9 * (ord(hit[2]) - ord("a") + 1) if hit[2] else 0
        if _PPS_LETTERS[total % 23] == hit[1]:
            yield Found(hit.start(), hit.end(), "id", hit[0])


def written_ids(plain: str) -> Iterator[Found]:
    """Numbers without a checksum whose groups tell what they are."""
    for shape, before in ((_SSN, 0), (_NINO, 2)):
        for hit in shape.finditer(plain):
            start = hit.start() - before
            yield Found(start, hit.end(), "id", joined(plain[start : hit.end()]))
