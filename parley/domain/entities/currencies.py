"""Currencies by their names, signs and codes (ISO 4217), before an amount, behind it, or alone."""

import re
from collections.abc import Iterator
from datetime import date

from parley.domain.entities.found import Found

_WRITTEN = {
    "EUR": "€|eur|euros?|欧元|欧(?![洲盟美])",
    "HKD": "hk\\$|hkd|hong kong dollars?|港[元币]",
    "AUD": "a\\$|aud|australian dollars?|澳元|澳币",
    "CAD": "c\\$|cad|canadian dollars?|加元|加币",
    "SGD": "s\\$|sgd|singapore dollars?|新币|新加坡元",
    "NZD": "nz\\$|nzd|new zealand dollars?|纽元|新西兰元",
    "TWD": "nt\\$|twd|taiwan dollars?|台币|新台币",
    "USD": "us\\$|\\$|usd|(?:u\\.?s\\.? |american )?dollars?|bucks|美[元金刀]|刀(?![具子])",
    "GBP": "£|gbp|(?:british )?pounds?(?: sterling)?|sterling|quid|英镑|镑",
    "CHF": "chf|(?:swiss )?francs?|瑞士法郎|瑞郎",
    "JPY": "jpy|(?:japanese )?yen|日[元圆币]",
    "CNY": "[¥￥]|cny|rmb|yuan|renminbi|人民币|元|块钱?",
    "INR": "₹|inr|(?:indian )?rupees?|卢比",
    "KRW": "₩|krw|korean won|韩[元币]",
    "PLN": "pln|zloty|złoty|兹罗提",
    "SEK": "sek|swedish kron[ao]r?|瑞典克朗",
    "NOK": "nok|norwegian kron[ae]r?|挪威克朗",
    "DKK": "dkk|danish kron[ae]r?|丹麦克朗",
    "CZK": "czk|czech koruna|捷克克朗",
    "HUF": "huf|forints?|福林",
    "THB": "thb|baht|泰铢",
    "TRY": "turkish lira|土耳其里拉",
    "BRL": "r\\$|brl|brazilian reals?|雷亚尔",
    "MXN": "mxn|mexican pesos?|墨西哥比索",
    "ZAR": "zar|south african rand|兰特",
    "AED": "aed|dirhams?|迪拉姆",
    "RUB": "₽|rub|rou?bles?|卢布",
}
_BY_NAME = re.compile("|".join(f"(?P<{code}>{names})" for code, names in _WRITTEN.items()))
_LETTERS = re.compile("[a-z]")
_BEFORE = re.compile(rf"(?<![a-z])(?:{'|'.join(_WRITTEN.values())}) ?\Z")
_LONGEST = 20
_WITHOUT_CENTS = frozenset(("JPY", "KRW"))
_ALONE = re.compile(rf"(?<![a-z])(?:{_BY_NAME.pattern})(?![a-z])")
_SIGNS = frozenset("$€£¥￥₹₩₽元块欧刀镑")
"""Alone they name nothing: 元旦, 一块儿, a loose sign."""


def decimals(code: str) -> int:
    """Minor units: https://www.six-group.com/en/products-services/financial-information/data-standards.html"""
    return 0 if code in _WITHOUT_CENTS else 2


def currency_behind(plain: str, start: int) -> tuple[str, int] | None:
    """The currency that begins there, after at most a blank, and where it ends."""
    match = _BY_NAME.match(plain, start + plain.startswith((" ", "-"), start))
    if match is None or (
        _LETTERS.match(match[0][-1]) and _LETTERS.match(plain[match.end() : match.end() + 1])
    ):
        return None
    return str(match.lastgroup), match.end()


def currency_before(plain: str, end: int) -> tuple[str, int] | None:
    """The currency that ends there, before at most a blank, and where it begins."""
    first = max(0, end - _LONGEST)
    match = _BEFORE.search(plain[first:end])
    named = _BY_NAME.match(match[0]) if match is not None else None
    return (str(named.lastgroup), first + match.start()) if match is not None and named is not None else None


def currencies(plain: str, on: date) -> Iterator[Found]:
    """Those named without an amount: `in US dollars`."""
    for match in _ALONE.finditer(plain):
        if match[0] not in _SIGNS:
            yield Found(*match.span(), "currency", str(match.lastgroup))
