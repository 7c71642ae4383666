"""IBANs: the country's length (SWIFT IBAN registry), then ISO 7064 mod 97-10."""

import re
from collections.abc import Iterator

from parley.domain.masking.checksums import mod97
from parley.domain.masking.found import Found, joined

_REGISTRY = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 "
    "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
    "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 "
    "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "
)
_LENGTHS = {entry[:2].lower(): int(entry[2:]) for entry in _REGISTRY.split()}
_BETWEEN = r"[ ._/-]{0,3}"
_START = re.compile(rf"([a-z])(?= ?([a-z]){_BETWEEN}[0-9]{_BETWEEN}[0-9]{_BETWEEN}[a-z0-9])")
"""Not bound to the beginning of a word: `IBANDE89…`; with a blank it is spelled: `D E 8 9 …`."""
_BODIES = {
    length: re.compile(rf"[a-z] ?[a-z](?:{_BETWEEN}[a-z0-9]){{{length - 2}}}")
    for length in set(_LENGTHS.values())
}


def ibans(plain: str) -> Iterator[Found]:
    end = 0
    for hit in _START.finditer(plain):
        length = _LENGTHS.get(hit[1] + hit[2])
        if length is None or hit.start() < end:
            continue
        body = _BODIES[length].match(plain, hit.start())
        if body is not None and _is_iban(value := joined(body[0])):
            end = body.end()
            yield Found(hit.start(), end, "iban", value)


def _is_iban(value: str) -> bool:
    """Half of its characters are digits: prose with a number in it passes the checksum once in 97 times."""
    digits = sum(character.isdigit() for character in value)
    return 2 * digits >= len(value) and mod97(value[4:] + value[:4])
