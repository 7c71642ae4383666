"""From the turns of a finished conversation to its analysis: pure, in English and Chinese."""

from collections.abc import Sequence

from parley.domain.analysis.checklist import checklist_of
from parley.domain.analysis.checks import checks
from parley.domain.analysis.due import Calendar
from parley.domain.analysis.promises import promises
from parley.domain.analysis.said import SaidTurn, sentences
from parley.domain.analysis.sentiment import score, sentiment
from parley.domain.analysis.summary import Talk, ids_of, summary, wanted
from parley.domain.analysis.topics import topics
from schemas.analysis import Analysis
from schemas.tenant import TenantConfig

PRODUCT = "analysis"
VERSION = "2"
"""Grows with every change that finds something else in the same turns."""


def analyse(turns: Sequence[SaidTurn], config: TenantConfig, language: str) -> Analysis:
    """Turns in the order of their `seq`. `language` is the conversation's; turns may be in others, and each is read by its script.

    Never raises because of what a text says; linear in the texts' length. Lists are bounded (`promises.MOST`, `sentiment.MOST`,
    `topics.MOST`, `topics.MOST_SEQS`, a check a line of the list): below half a megabyte as a record, however long the conversation.
    """
    said = [sentences(turn) for turn in turns]
    scores = {turn.seq: score(each) for turn, each in zip(turns, said, strict=True)}
    everything = [sentence for each in said for sentence in each]
    talk = Talk(turns, everything, scores)
    found = tuple(promises(everything, Calendar(config.hours)))
    feeling = sentiment(scores, [turn.seq for turn in talk.customers])
    need = wanted(talk, ids_of(found))
    about = topics(talk.customers, [one.text for one in need], config, language)
    return Analysis(
        language=language,
        summary=summary(talk, need, about, found, feeling, language),
        topics=about,
        promises=tuple(one.promise for one in found),
        sentiment=feeling,
        checks=checks(checklist_of(config), turns),
        product=PRODUCT,
        product_version=VERSION,
    )
