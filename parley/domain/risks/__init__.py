"""Risks by rules: what a human has to see, each with the words that say so. Recall first: a false alarm costs a colleague a minute.

The words stand in `english` and `chinese`, in a notation that is read aloud (`phrases`). Which of them are looked for is decided by the
script, not by the language that was recognised: a wrong guess of the language must hide nothing. Nothing is learned and nothing
depends on a tenant, so that a risk is seen whatever the classifier makes of a message, and also where it fails.
"""

from parley.domain.risks.finding import prepare, risks, together
from parley.domain.risks.kinds import GRAVEST_FIRST, gravity

__all__ = ["GRAVEST_FIRST", "gravity", "prepare", "risks", "together"]
