"""What is found out about a finished conversation. No event is defined here.

Turns are named by the `seq` under which they went out, so that a reader finds them in the history.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Contract, Sealed
from schemas.parts import Language

Seq = Annotated[int, Field(ge=1)]
Score = Annotated[float, Field(ge=-1, le=1)]
Side = Literal["customer", "human_agent", "bot"]


class Topic(Contract):
    """What it was about: an intent of the tenant's, or a word or two of the customer's. `share` of the customer's turns, 0 to 1."""

    label: Annotated[str, Field(min_length=1, max_length=200), Sealed("label")]
    intent: str | None = None
    share: Annotated[float, Field(ge=0, le=1)]
    seqs: tuple[Seq, ...] = ()


class Promise(Contract):
    """Something that somebody said they would do. `due` where they said by when."""

    by: Side
    text: Annotated[str, Field(min_length=1, max_length=1_000), Sealed("promise")]
    seq: Seq
    due: date | None = None


class TurnSentiment(Contract):
    """How a turn sounds, from -1 (bad) to 1 (good). A turn that is not listed is neutral."""

    seq: Seq
    score: Score


class Sentiment(Contract):
    """By turn; and the customer's on the whole, at the beginning and at the end."""

    turns: tuple[TurnSentiment, ...] = ()
    customer: Score = 0.0
    customer_began: Score = 0.0
    customer_ended: Score = 0.0


class Check(Contract):
    """One line of the tenant's compliance check-list: whether it was said, and in which turn. None of `seq`: it was not."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    passed: bool
    seq: Seq | None = None


class Analysis(Contract):
    """`vendor`, `product` and `product_version` say what found it."""

    language: Language
    summary: Annotated[str, Field(max_length=4_000), Sealed("summary")]
    topics: tuple[Topic, ...] = ()
    promises: tuple[Promise, ...] = ()
    sentiment: Sentiment = Sentiment()
    checks: tuple[Check, ...] = ()
    vendor: str = "parley"
    product: str
    product_version: str
