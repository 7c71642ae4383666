"""The guard: nothing unverified leaves. Numbers, rates, dates, weekdays, times and links of a text must stand in its passages.

Pure, and the same for a streamed sentence and for the finished text. It compares canonical tokens: `€1,000.00`, `1 000 EUR`, `one thousand
euros` and `一千欧元` are one amount, `1 October 2026`, `01/10/2026` and `2026年10月1日` one date. It does not judge meaning: a sentence that
begins with yes or no must follow a passage's that does, because a check of numbers alone lets wrong ones through; what it calls free, a
passage must call free. Nor does a model's debris leave: broken characters, control tokens, the words of its instructions.

No facts are ordinals (but days of a month), list numbers, citation marks, and small numbers in words that count nothing with a unit
(`one of them`, `two ways`).
"""

from parley.domain.guard.checking import Guard, check, check_against, tokens
from parley.domain.guard.facts import canonical
from parley.domain.guard.wording import Instructions, instructions_of

__all__ = ["Guard", "Instructions", "canonical", "check", "check_against", "instructions_of", "tokens"]
