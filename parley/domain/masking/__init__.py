"""Masking by rules: what no log needs is replaced by typed, numbered placeholders before a text is first written.

Cards (Luhn), IBANs (mod 97), identity numbers (checksums), phone numbers and e-mail addresses by their shape; codes, passwords, account and
identity numbers, names and addresses after words that announce them, in figures or spoken. The same value gets the same number within
one text, so a reader still sees that two mentions are one. Where a rule must err it masks: what it takes is lost to the bot,
what it leaves is in the log. A name or an address without such words is not found; sealing (`parley.codec`) covers those.
"""

from parley.domain.masking.checksums import luhn
from parley.domain.masking.found import KINDS, MaskKind
from parley.domain.masking.placeholders import Findings, Masked
from parley.domain.masking.rules import Masker, mask, masker_of

__all__ = ["KINDS", "Findings", "MaskKind", "Masked", "Masker", "luhn", "mask", "masker_of"]
