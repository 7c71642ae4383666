"""What is analysed: turns, as one side said them, and the sentences that they are made of."""

import re
from dataclasses import dataclass
from datetime import datetime

from parley.domain.masking.folding import fold
from parley.domain.risks.chinese import SIMPLIFIED
from schemas.analysis import Side
from schemas.parts import Risk, ScoredIntent

HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z]")

LONGEST = 400
"""Characters of a sentence; a longer one, as recognisers without punctuation write them, is cut between words."""

_END = re.compile(
    r"(?<=[.!?])(?<!\bmr\.)(?<!\bms\.)(?<!\bmrs\.)(?<!\bdr\.)(?<!\bno\.)(?<!\bst\.)[\"'”’)\]]*\s+|(?<=[。！？；;])\s*|[\r\n]+",
    re.IGNORECASE,
)
_MARK = re.compile(r"[.,;:!?，。！？；、]")
_OPENS = re.compile(
    r"(?<! and)(?<! but)(?<! so)(?<! that)(?<! because)(?<! if)(?<! when)(?<! what) (?=(?:is there anything else|how (?:can|may|could) (?:i|we) (?:help|assist)|thank(?:s| you)(?: so much| very much)? for (?:calling|contacting|your)"
    r"|my name is|can you|could you|may i have|can i have|what is your|what's your|my (?:account|card|customer|order|phone|policy) number is|i would like|i'd like|i want to|i wanted to|i need to)\b)",
    re.IGNORECASE,
)
"""Where a new sentence begins in speech that was written down without punctuation."""

_NAMED = re.compile(
    r"\b(my name is [a-z]+(?: [a-z]+)?) (?=(?:and )?(?:i|i'm|i'd|i've|can|could|calling)\b)", re.IGNORECASE
)
"""The same behind a name."""

_WORDS_WITHOUT_A_MARK = 8
_CUT = re.compile(rf"(?s).{{1,{LONGEST}}}(?:(?<=[\s，、,；;])|$)|.{{1,{LONGEST}}}")


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """What one side said without a break, or wrote as one message, under the `seq` of the history. `at` is when, `end` when it was over.

    `intents` and `risks` are those of a customer's turn that was read; `intents` in falling probability.
    """

    seq: int
    side: Side
    text: str
    at: datetime
    end: datetime | None = None
    intents: tuple[ScoredIntent, ...] = ()
    risks: tuple[Risk, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` as it was said, `plain` in one spelling (`parley.domain.masking.folding`), `han` what of that is Chinese, simplified and
    without blanks. `english` tells whether there are Latin letters, and `chinese` whether there are characters.
    """

    turn: SaidTurn
    text: str
    plain: str
    han: str
    english: bool
    chinese: bool


def sentences(turn: SaidTurn) -> list[Sentence]:
    """In order; linear in the text's length, and none longer than `LONGEST`."""
    return [_sentence(turn, piece) for piece in pieces(turn.text)]


def pieces(text: str) -> list[str]:
    """The sentences of a text, as they stand there, without blanks around them."""
    found: list[str] = []
    for sentence in _END.split(text):
        for part in _opened(sentence):
            short = len(part) <= LONGEST
            found += [part] if short else [match[0] for match in _CUT.finditer(part)]
    return [stripped for piece in found if (stripped := " ".join(piece.split()))]


def _opened(sentence: str) -> list[str]:
    if sentence.count(" ") < _WORDS_WITHOUT_A_MARK or _MARK.search(sentence):
        return [sentence]
    return [part for named in _NAMED.sub(r"\1\n", sentence).split("\n") for part in _OPENS.split(named)]


def _sentence(turn: SaidTurn, text: str) -> Sentence:
    plain = " ".join(fold(text).text.split())
    chinese = HAN.search(plain) is not None
    han = "".join(plain.split()).translate(SIMPLIFIED) if chinese else ""
    return Sentence(turn, text, plain, han, _LATIN.search(plain) is not None, chinese)
