"""The analysis of a finished conversation: summary, topics, promises, sentiment, and the tenant's compliance check-list. Rules alone.

What is found names its turns by `seq`. Words stand in lists of their own (`promise_words`, `sentiment_english`, `sentiment_chinese`,
`telling`), which of them are looked for the script of a sentence decides, not the language that was recognised.
"""

from parley.domain.analysis.checklist import checklist_of
from parley.domain.analysis.finding import PRODUCT, VERSION, analyse
from parley.domain.analysis.said import SaidTurn

__all__ = ["PRODUCT", "VERSION", "SaidTurn", "analyse", "checklist_of"]
