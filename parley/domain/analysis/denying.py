"""Words that deny, in English and Chinese. No text is cut beside one: what is left would say the opposite of what was said."""

import re

_CONTRACTED = "do|does|did|is|was|are|were|wo|would|ca|could|should|have|has|had|ai|must|need|might"
WORDS = (
    "not|no|never|none|nobody|nothing|nowhere|neither|nor|nope|nah|cannot|without|hardly|scarcely|barely|rarely|seldom|unable|unlikely|wrong"
    f"|false|untrue|except|unless|(?:{_CONTRACTED})n['’]?t|shan['’]?t"
)
HAN = "(?:不(?![错过錯過])|非(?!常)|[没未无别勿莫否甭沒無別])"

_POLITE = re.compile("不好意思|对不起|對不起|不客气|没关系")
_ANY = re.compile(rf"(?<![a-z])(?:{WORDS})(?![a-z])|{HAN}", re.IGNORECASE)
_AT_THE_END = re.compile(rf"(?:(?<![a-z])(?:{WORDS})|{HAN}[^\W\da-z]?)[\W_]*$", re.IGNORECASE)
_AT_THE_BEGINNING = re.compile(rf"[\W_]*(?:(?:{WORDS})(?![a-z])|{HAN}|[^\W\da-z][不没]|才怪)", re.IGNORECASE)
_LOOKED_AT = 32
"""Characters on each side of a place."""


def denies(text: str) -> bool:
    """Politeness aside (`不好意思`)."""
    return _ANY.search(_POLITE.sub("", text)) is not None


def ends_denying(text: str, end: int) -> bool:
    """Whether the last word before that place, or the one before it in Chinese, denies what follows."""
    return _AT_THE_END.search(text[max(0, end - _LOOKED_AT) : end]) is not None


def begins_denying(text: str, at: int) -> bool:
    """Whether the first word from that place on denies what stood before."""
    return _AT_THE_BEGINNING.match(text[at : at + _LOOKED_AT]) is not None


def may_part(text: str, end: int, at: int) -> bool:
    """Whether a text may be parted into what ends at `end` and what begins at `at`."""
    return not ends_denying(text, end) and not begins_denying(text, at)
