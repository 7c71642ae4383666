"""Which of a tenant's languages a finished call is in. Pure."""

from collections import Counter

from connectors.calls.transcript import Transcript
from parley.domain.words import language_of
from schemas.tenant import TenantConfig, primary_language

LOOKED_AT = 400  # turns: a call changes its language less often than its speaker


def language_for(transcript: Transcript, config: TenantConfig, told: str | None = None) -> str | None:
    """What the caller says, else the source, else the script in which most of the turns are written.

    None where the tenant speaks no such language: its default is used then.
    """
    if (named := told or transcript.language) is not None:
        return config.spoken(named)
    languages = tuple(primary_language(each) for each in config.languages)
    default = primary_language(config.default_language)
    found = Counter(
        language_of(turn.text, languages, default)
        for turn in transcript.spoken[:LOOKED_AT]
        if any(character.isalpha() for character in turn.text)
    )
    return config.spoken(found.most_common(1)[0][0]) if found else None
