"""What English-speaking customers say, a module a risk."""

from parley.domain.risks.english import complaint, dispute, fraud, hardship, human, legal, self_harm
from parley.domain.risks.english.groups import GROUPS
from parley.domain.risks.lexicon import Lexicon
from parley.domain.risks.phrases import Reader, Script

_WORD = r"[^\s.!?;]{1,24}(?:\.\w{1,9})?"
_BLANK = r"[^\w.!?;]{1,3}"
_POLITE = "please|pls|plz|hi|hello|hey|thanks|thank you|now|ok|okay|help|sorry|dear|team|asap|a|an|the|my|i|to|speak|talk"
_SCRIPT = Script(
    blank=_BLANK,
    few=rf"{_BLANK}(?:{_WORD}{_BLANK}){{0,4}}?",
    many=rf"{_BLANK}(?:{_WORD}{_BLANK}){{0,8}}?",
    ending="[a-z']*",
    begins="(?<![a-z0-9])",
    ends="(?![a-z0-9])",
    first=rf"\A\W*(?:(?:{_POLITE})\W+)*",
    last=rf"(?:\W+(?:{_POLITE})(?![a-z]))*\W*\Z",
)

LEXICON = Lexicon(
    Reader(_SCRIPT, GROUPS),
    {
        "self_harm": self_harm,
        "fraud": fraud,
        "hardship": hardship,
        "dispute": dispute,
        "legal": legal,
        "complaint": complaint,
        "human": human,
    },
)
