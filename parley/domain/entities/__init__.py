"""Entities by rules: amounts, currencies, rates, dates, the last digits of cards and accounts, order and reference numbers.

They help routing, hand-offs and searches; nothing is decided on them alone. Each has its text as the customer wrote it, and one value
for all spellings:

| kind | value |
|---|---|
| `amount` | `EUR 1234.50`: ISO 4217, and as many decimals as the currency has; only `1234.50` where no currency is said |
| `currency` | ISO 4217, where a currency is named without an amount |
| `rate` | `3.75%` |
| `date` | ISO 8601: a day, `2026-W47`, `2026-11`, `2026`, or two days as `2026-03-03/2026-03-05` |
| `card_digits`, `account_digits` | the last digits |
| `order_number`, `reference_number` | capitals, without blanks |

Messages are masked before they get here; what a placeholder stands for is none of these.
"""

from parley.domain.entities.rules import entities, together

__all__ = ["entities", "together"]
