"""Amounts of money and rates, on the numbers that the guard reads, too: `€1,234.50`, `1.5k euros`, `two hundred pounds`, `1.2万元`."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from parley.domain.entities.currencies import currency_before, currency_behind, decimals
from parley.domain.entities.found import Found
from parley.domain.guard.amounts import SHARE, Amount, amounts_in, share

_OF_HUNDRED = ("%", "per", "pct", "分之", "分点")
_MOST_DIGITS = 15
_NEAR = 40
_CUE = re.compile(
    r"(?:(?<![a-z])(?:pay|paying|paid|charged?|charging|transfer(?:red|ring)?|wired?|sen[dt]|sending|withdr[ae]wn?|withdrawing|took|taken|taking|debited|deducted"
    r"|refund(?:ed)?|deposit(?:ed)?|owed?|costs?|limit|balance|fees?|amount|price|sum|booked|billed|earn|salary|income|loan|borrow|spent|spend"
    r"|missing|lost|got|instead of|top(?:ped)? up|increase|raise|payment|transaction|instal?lment|overdraft|rent|save|invest(?:ed)?)"
    r"(?: (?:me|you|him|her|us|them|back|of|is|was|for|to|about|around|only|exactly|just|at|with|over|up|than|more|less|my|from|by|another|an?|amount|limit)| ?[:=])*"
    r"|(?:付|扣|收|转|汇|取|存|还|花|借|退|充|划|刷|限额|余额|金额|手续费|贷款?|额度|工资|月供|少|多|提高|调)(?:了|给|款|账|帐|出|走|我|是|为|到|成|他|她|只|有|现|钱|约|大约|：|:)*) ?\Z"
)
"""Words before a number that make it one of money, whatever the currency."""
_GOES_ON = re.compile(
    r"(?: (?:back|from|to|for|by|on|in|at|and|but|or|instead|more|extra|out|this|last|next|yesterday|today|tomorrow|per|a (?:day|week|month|year)|each|every|monthly|twice|again"
    r"|when|which|with|because|into|via|using|is|was|not|so|then|between|abroad|please|right|now|went|left|came|were|has|had|will|goes|should)(?![a-z])|\s*(?:\Z|[,.;!?)\n，。；！？、\x1a]))"
    r"|(?=[^\x00-\x7f天次笔个月年号日点期位家张岁分倍遍小时周条项])"
)
"""What may follow such a number: no noun that it would count."""


def rates(plain: str, on: date) -> Iterator[Found]:
    if not any(sign in plain for sign in _OF_HUNDRED):
        return
    for match in SHARE.finditer(plain):
        yield Found(*match.span(), "rate", f"{share(match)}%")
    for amount in amounts_in(plain):
        if amount.unit is not None and amount.unit.name == "rate" and _is_number(amount):
            yield Found(amount.start, amount.end, "rate", f"{amount.number}%")


def amounts(plain: str, on: date) -> Iterator[Found]:
    for amount in amounts_in(plain):
        if amount.counted and _is_number(amount):
            found = _with_currency(plain, amount) or _without_currency(plain, amount)
            if found is not None:
                yield found


def _is_number(amount: Amount) -> bool:
    return amount.number.count(".") < 2 and len(amount.number) <= _MOST_DIGITS


def _with_currency(plain: str, amount: Amount) -> Found | None:
    before = currency_before(plain, amount.start)
    if before is not None:
        return Found(before[1], amount.end, "amount", _value(amount.number, before[0]))
    if amount.unit is not None and amount.unit.is_price and amount.unit.name not in ("rate", "cent"):
        return Found(amount.start, amount.end, "amount", _value(amount.number, amount.unit.name))
    behind = currency_behind(plain, amount.end) if amount.unit is None else None
    return Found(amount.start, behind[1], "amount", _value(amount.number, behind[0])) if behind else None


def _without_currency(plain: str, amount: Amount) -> Found | None:
    """Where words around it say that it is money: `transfer 2500 to …`, `扣了300`."""
    if amount.unit is not None or amount.words or amount.number == "0":
        return None
    cue = _CUE.search(plain[max(0, amount.start - _NEAR) : amount.start])
    if cue is None or _GOES_ON.match(plain, amount.end) is None:
        return None
    return Found(amount.start, amount.end, "amount", _plain(amount.number, 2))


def _value(number: str, code: str) -> str:
    return f"{code} {_plain(number, decimals(code))}"


def _plain(number: str, places: int) -> str:
    """With at least so many decimals: `1234.5` is `1234.50`, and a price of 0.005 stays one."""
    written = len(number.partition(".")[2])
    return f"{Decimal(number):.{max(places, written)}f}"
