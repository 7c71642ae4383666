"""The last digits of a card or an account, by which people name it: `card ending 4821`, `尾号4821`."""

import re
from collections.abc import Iterator
from datetime import date

from parley.domain.entities.found import Found
from parley.domain.masking.amounts import DATE, NO_UNIT
from parley.domain.masking.spoken import spoken_digits

_GLUE = (
    r"(?:[ :=#*.\"'(-]|(?:in|with|on|by|are|is|the|digits?|numbers?|these)(?![a-z])|是|为|的|数字|：){0,6}"
)
_CUES = re.compile(
    rf"(?:(?<![a-z])(?:ending|ends|ended|finishing|finishes)(?![a-z])"
    r"|(?<![a-z])(?:last|final) (?:four|three|five|two|[2-6])(?: digits?| numbers?)?(?: of (?:[a-z']{1,12} ){0,4}[a-z]{1,12})?(?![a-z])"
    rf"|尾号|尾数|[末后][三四五六3-6]位(?:数|号码)?|最后[三四五六3-6]位(?:数|号码)?){_GLUE}"
)
_CUT = re.compile(r"(?:(?<!\*)\*{2,}|(?<![a-z])x{2,}|\.{3}|…)[ -]?(?=[0-9]{3,4}(?![0-9]))")
_CARD_ITSELF = re.compile(r"(?<![a-z])card (?:(?:no|number|nr)\.? )?(?=[0-9]{4}(?![0-9]))")
_DIGITS = re.compile(rf"([0-9]{{2,6}})(?![0-9a-z]|[.,:/][0-9]){NO_UNIT}")
_MONTH = re.compile(r" (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)")
_ACCOUNT = re.compile("account|a/c|acct|账户|账号|帐户|帐号|户口")
_CARD = re.compile("card|visa|mastercard|amex|debit|credit|卡")
_SURE = re.compile(r"last|final|ending in|[尾末后]|\*\*|xx")
_BEFORE, _BEHIND = 40, 12


def last_digits(plain: str, on: date) -> Iterator[Found]:
    for cues in (_CUES, _CUT, _CARD_ITSELF):
        for cue in cues.finditer(plain):
            digits = _digits(plain, cue.end())
            if digits is None:
                continue
            value, end = digits
            kind = _kind(plain, cue.start(), end)
            if kind is not None or _SURE.search(cue[0]):
                yield Found(cue.end(), end, kind or "card_digits", value)


def _digits(plain: str, start: int) -> tuple[str, int] | None:
    written = _DIGITS.match(plain, start)
    if written is not None:
        taken = DATE.match(plain, start) or _MONTH.match(plain, written.end())
        return None if taken else (written[1], written.end())
    said = spoken_digits(plain, start)
    return (said.digits, said.end) if said is not None and 3 <= len(said.digits) <= 6 else None


def _kind(plain: str, start: int, end: int) -> str | None:
    """Card or account, by the word that is said last before the digits, or else right behind them."""
    before = plain[max(0, start - _BEFORE) : end]
    account = max((match.start() for match in _ACCOUNT.finditer(before)), default=-1)
    card = max((match.start() for match in _CARD.finditer(before)), default=-1)
    if account == card == -1:
        behind = plain[end : end + _BEHIND]
        account, card = (
            -1 if _ACCOUNT.search(behind) is None else 0,
            -1 if _CARD.search(behind) is None else 1,
        )
    if account == card:
        return None
    return "account_digits" if account > card else "card_digits"
