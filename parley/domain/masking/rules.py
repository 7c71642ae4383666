"""Every rule in its order, and what is written in place of what they find."""

import re
from dataclasses import dataclass
from functools import lru_cache

from parley.domain.masking.addresses import addresses, chinese_addresses
from parley.domain.masking.cards import cards
from parley.domain.masking.codes import codes_after, codes_before, codes_behind_cards, logins, passwords
from parley.domain.masking.cues import CUES, after
from parley.domain.masking.emails import emails, emails_read_out
from parley.domain.masking.folding import fold
from parley.domain.masking.found import KINDS, Found, Rule, mark_of, placeholders_of, without_placeholders
from parley.domain.masking.ibans import ibans
from parley.domain.masking.identities import chinese_ids, pps_numbers, written_ids
from parley.domain.masking.names import chinese_names, names
from parley.domain.masking.own import rules_of
from parley.domain.masking.phones import international_phones, national_phones
from parley.domain.masking.placeholders import Findings, Masked, Taken
from parley.domain.masking.spans import apart, taken_out
from parley.domain.masking.spoken_numbers import spoken_numbers
from parley.domain.numerals import CHINESE_DIGITS
from schemas.privacy import MaskPattern

_IBAN_CUE, *_BEFORE_PHONES, _PHONE_CUE = CUES
RULES: tuple[Rule, ...] = (
    emails,
    emails_read_out,
    ibans,
    chinese_ids,
    pps_numbers,
    after(_IBAN_CUE),
    cards,
    codes_behind_cards,
    spoken_numbers,
    addresses,
    chinese_addresses,
    logins,
    names,
    chinese_names,
    international_phones,
    *map(after, _BEFORE_PHONES),
    codes_after,
    codes_before,
    passwords,
    *national_phones,
    written_ids,
    after(_PHONE_CUE),
)
"""What has a checksum first, then what words announce, then what only looks like it. The earlier rule keeps what two find."""

_MAY_HOLD = re.compile(
    rf"[0-9@]|pass?(?:word|phrase|wd)|pwd?[ :=]|memorable|security question|密码|口令|dot|at[)\]]|艾特|[{''.join(CHINESE_DIGITS)}幺][\s,-]?[{''.join(CHINESE_DIGITS)}幺]"
    r"|(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|ty|teen)[\s,.-]{1,3}"
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
    r"|name|called|speaking|calling|holder|beneficiary|payee|recipient|m(?:r|rs|s|x)[ .]|regards|sincerely|faithfully|[叫姓名]|[我人](?:是|为|[ :=])|先生|女士|小姐|太太|老师|经理"
    r"|(?:地址|[住寄送搬]).{1,30}[号弄栋幢座室楼]"
)
"""A text without any of these is left as it is."""
_PLACEHOLDERS = placeholders_of(KINDS)
_MOST_ROUNDS = 10
"""Two are the rule, the second one in vain; a text made for it can need more."""


@dataclass(frozen=True, slots=True)
class Masker:
    """The rules of one tenant's version: everybody's, and its own patterns'."""

    rules: tuple[Rule, ...] = RULES
    placeholders: re.Pattern[str] = _PLACEHOLDERS

    def mask(self, text: str) -> Masked:
        """Replace what the rules find by `[kind_1]`, `[kind_2]`, …: numbered within this text.

        Pure, linear in the text's length, and idempotent.
        """
        return self.find(text).masked()

    def find(self, text: str) -> Findings:
        """What of a text is personal data."""
        folded = fold(text)
        plain = without_placeholders(folded.text, self.placeholders)
        found: list[Found] = []
        for _ in range(_MOST_ROUNDS):
            fresh: list[Found] = []
            if _MAY_HOLD.search(plain) is not None:
                plain, fresh = _round(plain, self.rules)
            if not fresh:
                break
            found += fresh
        if not found:
            return Findings(text)
        found.sort(key=lambda one: one.start)
        taken = tuple(Taken(*folded.span(one.start, one.end), one.kind, one.value) for one in found)
        brought = tuple(self.placeholders.findall(folded.text))
        return Findings(text, taken, brought)


@lru_cache(maxsize=256)
def masker_of(patterns: tuple[MaskPattern, ...]) -> Masker:
    """A tenant's own rules come right behind those that have a checksum: what they know beats what words announce in general."""
    at = RULES.index(codes_behind_cards)
    kinds = dict.fromkeys([*KINDS, *(pattern.name for pattern in patterns)])
    return Masker((*RULES[:at], *rules_of(patterns), *RULES[at:]), placeholders_of(kinds))


mask = Masker().mask
"""Where no tenant is known."""


def _round(plain: str, rules: tuple[Rule, ...]) -> tuple[str, list[Found]]:
    """Every rule once. A further round finds what only stands alone since another rule took its neighbour."""
    found: list[Found] = []
    for rule in rules:
        fresh = apart(rule(plain))
        if fresh:
            plain = taken_out(plain, fresh, lambda one: mark_of(one.kind))
            found += fresh
    return plain, found
