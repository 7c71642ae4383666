"""Masking by rules: what no log needs is replaced by typed, numbered placeholders before a text is first written.

Cards (Luhn), IBANs (mod 97), national ids (checksum), phone numbers, e-mail addresses, account numbers and one-time codes
after a cue word. The same value gets the same number within one text, so a reader still sees that two mentions are one.
Where a rule must err it masks: what it takes is lost to the bot, what it leaves is in the log. No rule here finds names
or addresses; sealing (`parley.codec`) covers those.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

MaskKind = Literal["card", "iban", "national_id", "email", "account", "phone", "code"]
KINDS: tuple[MaskKind, ...] = ("email", "iban", "national_id", "card", "code", "account", "phone")
"""Every kind, in the order in which the rules are tried: the earlier rule keeps what two of them find."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was found in it; `kinds` in the order of their first appearance, each once."""

    text: str
    kinds: tuple[MaskKind, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    kind: MaskKind
    value: str


def mask(text: str) -> Masked:
    """Replace what the rules find by `[kind_1]`, `[kind_2]`, …; pure, linear in the text's length."""
    plain = text.translate(_PLAIN)
    if _TRIGGER.search(plain) is None:
        return Masked(text)
    found: list[_Found] = []
    for rule in _RULES:
        fresh = list(rule(plain))
        found += fresh
        for one in fresh:  # a later rule does not see what an earlier one took
            plain = plain[: one.start] + _TAKEN * (one.end - one.start) + plain[one.end :]
        if fresh and _TRIGGER.search(plain) is None:
            break
    return _replace(text, sorted(found, key=lambda one: one.start)) if found else Masked(text)


def _replace(text: str, found: list[_Found]) -> Masked:
    numbers: dict[MaskKind, dict[str, int]] = {}
    pieces: list[str] = []
    position = 0
    for one in found:
        known = numbers.setdefault(one.kind, {})
        number = known.setdefault(one.value, len(known) + 1)
        pieces += (text[position : one.start], f"[{one.kind}_{number}]")
        position = one.end
    return Masked("".join(pieces) + text[position:], tuple(numbers))


# --- One spelling for what people write in many: one character stands for one, so that positions stay the same ----------


def _plain_characters() -> dict[int, str]:
    table = {0xFF01 + i: chr(0x21 + i) for i in range(94)}  # full-width forms of ASCII
    for zero in (0x0660, 0x06F0, 0x0966):  # Arabic-Indic, extended Arabic-Indic, Devanagari digits
        table |= {zero + i: str(i) for i in range(10)}
    table |= dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63), "-")
    table |= dict.fromkeys(
        (0xA0, 0x2007, 0x2009, 0x200B, 0x200C, 0x200D, 0x202F, 0x2060, 0x3000, 0xFEFF, 0xAD), " "
    )
    return table


_PLAIN = _plain_characters()
_TRIGGER = re.compile(r"[0-9@]")
_TAKEN = "\x01"
_NOT_DIGIT = re.compile(r"[^0-9]")


def _digits(text: str) -> str:
    return _NOT_DIGIT.sub("", text)


# --- E-mail ---------------------------------------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9_%+'-][A-Za-z0-9._%+'-]{0,63}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)


def _emails(plain: str) -> Iterator[_Found]:
    if "@" in plain:
        for hit in _EMAIL.finditer(plain):
            yield _Found(hit.start(), hit.end(), "email", hit.group().lower())


# --- IBAN: country's length (SWIFT IBAN registry), then ISO 7064 mod 97-10 ---------------------------------------------

_IBAN_REGISTRY = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 "
    "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
    "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 "
    "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBAN_REGISTRY.split()}
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?[0-9]{2}(?=[ -]?[A-Za-z0-9])")


def _ibans(plain: str) -> Iterator[_Found]:
    end = 0
    for hit in _IBAN_START.finditer(plain):
        length = _IBAN_LENGTHS.get(hit.group()[:2].upper())
        stop = (
            _take_alphanumerics(plain, hit.start(), length)
            if length is not None and hit.start() >= end
            else None
        )
        if stop is None:
            continue
        value = re.sub("[ -]", "", plain[hit.start() : stop]).upper()
        if int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1:
            end = stop
            yield _Found(hit.start(), stop, "iban", value)


def _take_alphanumerics(plain: str, start: int, count: int) -> int | None:
    """Where `count` ASCII letters and digits end that stand with single separators at most; None where they do not."""
    position = start
    for taken in range(count):
        if taken and plain[position : position + 1] in (" ", "-"):
            position += 1
        character = plain[position : position + 1]
        if not (character.isascii() and character.isalnum()):
            return None
        position += 1
    after = plain[position : position + 1]
    return None if after.isascii() and after.isalnum() else position


# --- National ids: China (GB 11643-1999, ISO 7064 mod 11-2), and US social security numbers as they are written --------

_CHINESE_ID = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}[ -]?(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]?"
    r"[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
_SSN = re.compile(r"(?<![0-9-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9-])")
_ID_WEIGHTS = tuple(pow(2, 17 - i, 11) for i in range(17))


def _chinese_ids(plain: str) -> Iterator[_Found]:
    for hit in _CHINESE_ID.finditer(plain):
        value = re.sub("[ -]", "", hit.group()).upper()
        if "10X98765432"[sum(int(d) * w for d, w in zip(value, _ID_WEIGHTS, strict=False)) % 11] == value[17]:
            yield _Found(hit.start(), hit.end(), "national_id", value)


def _social_security_numbers(plain: str) -> Iterator[_Found]:
    for hit in _SSN.finditer(plain):
        yield _Found(hit.start(), hit.end(), "national_id", _digits(hit.group()))


# --- Cards (ISO/IEC 7812-1: 13 to 19 digits, Luhn) -----------------------------------------------------------------------

_CHAIN = re.compile(r"(?<![0-9.,$€£¥])[0-9]+(?:[ -](?:[0-9]{2,6}|[0-9]{13})(?![0-9]))*(?![0-9])(?![.,][0-9])")
_GROUP = re.compile(r"[0-9]+")
_TIMESTAMP = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9]"
)
_CARD_LENGTHS = (16, 19, 15, 14, 13, 18, 17)
_SHORT_CARDS = (
    "30",
    "36",
    "38",
    "39",
    "40",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "47",
    "48",
    "49",
    "50",
    "56",
    "58",
    "63",
    "67",
)
"""How numbers of 13 and 14 digits begin: Diners Club, the first Visa cards, Maestro."""
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    odd = sum(map(int, digits[-1::-2]))
    return (odd + sum(_DOUBLED[int(d)] for d in digits[-2::-2])) % 10 == 0


def _cards(plain: str) -> Iterator[_Found]:
    for chain in _CHAIN.finditer(plain):
        if chain.end() - chain.start() >= 13:
            yield from _cards_in(plain, [hit.span() for hit in _GROUP.finditer(plain, *chain.span())])


def _cards_in(plain: str, groups: list[tuple[int, int]]) -> Iterator[_Found]:
    """Cards among neighbouring groups of digits: an expiry date or a code may stand right behind the number."""
    first = 0
    while first < len(groups):
        taken = _card_from(plain, groups, first)
        if taken is None:
            first += 1
            continue
        start, end = groups[first][0], groups[taken][1]
        yield _Found(start, end, "card", _digits(plain[start:end]))
        first = taken + 1


def _card_from(plain: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the card that begins with group `first`; the commonest length wins where several fit."""
    fitting: dict[int, int] = {}
    digits = ""
    for last in range(first, min(first + 9, len(groups))):
        digits += plain[slice(*groups[last])]
        if len(digits) > 19:
            break
        if len(digits) >= 13 and _is_card(digits, spaced=last > first):
            fitting[len(digits)] = last
    return next((fitting[length] for length in _CARD_LENGTHS if length in fitting), None)


def _is_card(digits: str, *, spaced: bool) -> bool:
    # First digits 0, 1, 7, 8 belong to no payment card; counters of milliseconds and other ids begin like that.
    if digits[0] not in "234569" or (len(digits) < 15 and digits[:2] not in _SHORT_CARDS) or not luhn(digits):
        return False
    return spaced or _TIMESTAMP.match(digits) is None


# --- Codes, account numbers and telephone numbers after cue words ---------------------------------------------------------

_WORDS = re.IGNORECASE | re.ASCII  # ASCII: a Chinese character next to a Latin word is a boundary
_GLUE = (
    r"(?:[\s:=#\"'(\[，,：]|\b(?:number|code|no|nr|is|was|are|my|the|for|this|card|your|it|here|I|got|received|entered|of|on|a)\b\.?"
    r"|是|为|號|号码|号|码|我的|我|收到|的){0,8}?"
)
_CODE_CUE = (
    r"(?:\b(?:OTP|PIN|TAN|CVV2?|CVC2?|CV2|CSC)\b(?: ?(?:code|number))?|\bpass ?code\b"
    r"|\b(?:one[- ]?time|verification|security|confirmation|authenti?cation|authori[sz]ation|activation|access|sms|text|login)"
    r"[- ]?(?:pass)?(?:code|number|password|pin)\b"
    r"|(?<!error )(?<!status )(?<!postal )(?<!post )(?<!zip )(?<!sort )(?<!swift )(?<!promo )(?<!country )(?<!area )"
    r"(?<!discount )(?<!voucher )(?<!branch )(?<!bank )(?<!product )(?<!reason )\bcode(?= (?:is|was)\b|\s?[:=]| I )"
    r"|验证码|校验码|动态码|动态口令|短信码|安全码|识别码|PIN ?码|口令|密码)"
)
_NOT_A_UNIT = r"(?! ?(?:元|块|次|天|日|年|月|分|秒|小时|位|[%€£$¥]|EUR\b|USD\b|GBP\b|CNY\b|days?\b|times?\b|digits?\b|minutes?\b))"
_CODE_AFTER = re.compile(
    rf"{_CODE_CUE}{_GLUE}(?<![0-9A-Za-z])((?:[A-Z]-?)?[0-9](?:[ -]?[0-9]){{2,7}})(?![0-9A-Za-z/]|[.,:][0-9]){_NOT_A_UNIT}",
    _WORDS,
)
_CODE_BEFORE = re.compile(
    rf"(?<![0-9A-Za-z.,-])([0-9]{{3,8}})(?: (?:is|was) (?:my|the) (?:new |old )?| ?[是为] ?(?:我的)?){_CODE_CUE}",
    _WORDS,
)
_PASSWORD = re.compile(
    r"(?:\bpass(?:word|phrase)\b|密码)\s?(?:is|was|[:=：]|是|为)\s?[\"'“]?((?=[^\s]{0,40}[0-9])[!-~]{4,40}?)(?=[\"'”,;。，]|\.?(?:\s|$)|[^!-~])",
    _WORDS,
)
_ACCOUNT = re.compile(
    r"(?:\b(?:account|a/c|acct|customer|client|sort code|routing|BSB)\b|账号|帐号|账户|户口|客户号)"
    rf"{_GLUE}(?<![0-9A-Za-z])([0-9](?:[ -]?[0-9]){{5,17}})(?![0-9A-Za-z/]|[.,:][0-9]){_NOT_A_UNIT}",
    _WORDS,
)
_PHONE_CUE = re.compile(
    r"(?:\b(?:tele)?phone\b|\bmobile\b|\bcell\b|\bcall me\b|\breach me\b|\bring me\b|\btel\b\.?|\btext me\b|\bwhatsapp\b"
    r"|电话|手机|致电|联系方式)(?: ?(?:at|under))?"
    rf"{_GLUE}(?<![0-9A-Za-z])(\(?[0-9](?:[ ()-]{{0,2}}[0-9]){{6,14}})(?![0-9A-Za-z/]|[.,:][0-9]){_NOT_A_UNIT}",
    _WORDS,
)


def _after_cue(kind: MaskKind, pattern: re.Pattern[str], value: Callable[[str], str]) -> "_Rule":
    def rule(plain: str) -> Iterator[_Found]:
        for hit in pattern.finditer(plain):
            if not _DATE.match(hit.group(1)):
                yield _Found(hit.start(1), hit.end(1), kind, value(hit.group(1)))

    return rule


def _joined(text: str) -> str:
    return re.sub("[ -]", "", text)


# --- Telephone numbers by their shape ----------------------------------------------------------------------------------

_DATE = re.compile(
    r"(?:[0-3]?[0-9][.-][01]?[0-9][.-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[.-][01]?[0-9][.-][0-3]?[0-9])(?![0-9])"
)
_NO_AMOUNT_AFTER = rf"(?![0-9]|[.,:/][0-9]|-[0-9]){_NOT_A_UNIT}"
_INTERNATIONAL = re.compile(r"(?<![0-9A-Za-z+])(?:\+|00)(?=[1-9])(?:[0-9][ .()-]{0,2}){7,14}[0-9](?![0-9])")
_PHONES = (
    re.compile(
        rf"(?<![0-9A-Za-z.,$€£¥-])(?:86[ -]?)?1[3-9][0-9][ -]?[0-9]{{4}}[ -]?[0-9]{{4}}{_NO_AMOUNT_AFTER}"
    ),
    re.compile(rf"(?<![0-9A-Za-z.,$€£¥-])1[3-9][0-9][ -][0-9]{{3}}[ -][0-9]{{5}}{_NO_AMOUNT_AFTER}"),
    re.compile(
        rf"(?<![0-9A-Za-z.,$€£¥-])\(?0[1-9][0-9]{{0,3}}\)?(?:[ -][0-9]{{2,8}}){{1,4}}{_NO_AMOUNT_AFTER}"
    ),
    re.compile(rf"(?<![0-9A-Za-z.,$€£¥-])0[1-9][0-9]{{8,9}}{_NO_AMOUNT_AFTER}"),
    re.compile(
        rf"(?<![0-9A-Za-z.,$€£¥-])(?:1[ -])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ .-])[2-9][0-9]{{2}}[ .-][0-9]{{4}}{_NO_AMOUNT_AFTER}"
    ),
)


def _phone_shaped(pattern: re.Pattern[str]) -> "_Rule":
    def rule(plain: str) -> Iterator[_Found]:
        for hit in pattern.finditer(plain):
            if 9 <= len(_digits(hit.group())) <= 15 and not _DATE.match(hit.group()):
                yield _Found(hit.start(), hit.end(), "phone", _phone_value(hit.group()))

    return rule


def _phone_value(text: str) -> str:
    """The last nine digits: the same line with and without its country code or trunk zero is one value."""
    return _digits(text)[-9:]


_Rule = Callable[[str], Iterator[_Found]]
_RULES: tuple[_Rule, ...] = (
    _emails,
    _ibans,
    _chinese_ids,
    _social_security_numbers,
    _cards,
    _phone_shaped(_INTERNATIONAL),
    _after_cue("code", _CODE_AFTER, _joined),
    _after_cue("code", _CODE_BEFORE, _joined),
    _after_cue("code", _PASSWORD, str),
    _after_cue("account", _ACCOUNT, _digits),
    *map(_phone_shaped, _PHONES),
    _after_cue("phone", _PHONE_CUE, _phone_value),
)
