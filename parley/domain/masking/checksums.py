"""Check digits of numbers that people type, over digits and letters without what stands between them."""

from collections.abc import Callable, Mapping

from schemas.privacy import Checksum

_RAW = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_WEIGHTS = tuple(pow(2, at, 11) for at in range(64))
_CHECKS = "10x98765432"


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: cards, many customer numbers."""
    written = digits.encode("ascii")
    return (sum(written[-1::-2].translate(_RAW)) + sum(written[-2::-2].translate(_DOUBLED))) % 10 == 0


def mod97(value: str) -> bool:
    """ISO 7064 mod 97-10 over letters (a is 10) and digits, the two check digits at the end."""
    return int("".join(str(int(character, 36)) for character in value)) % 97 == 1


def mod11_2(value: str) -> bool:
    """ISO 7064 mod 11-2: digits, and at the end a digit or an x. Chinese identity numbers (GB 11643-1999)."""
    body, check = value[:-1], value[-1:]
    if not body.isdigit():
        return False
    total = sum(int(digit) * _WEIGHTS[len(body) - at] for at, digit in enumerate(body))
    return _CHECKS[total % 11] == check


CHECKSUMS: Mapping[Checksum, Callable[[str], bool]] = {"luhn": luhn, "mod97": mod97, "mod11_2": mod11_2}
"""Each takes what its alphabet allows: a pattern with another one is refused (`parley.domain.masking.shapes`)."""
