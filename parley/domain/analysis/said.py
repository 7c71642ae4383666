"""What is analysed: turns, as one side said them, and the sentences that they are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from parley.domain.analysis import denying
from parley.domain.masking.folding import fold
from parley.domain.risks.chinese import SIMPLIFIED
from schemas.analysis import Side
from schemas.parts import Risk, ScoredIntent

HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z]")

LONGEST = 400
"""Characters of a sentence; a longer one, as recognisers without punctuation write them, is cut between words, and says so."""

_END = re.compile(
    r"(?<=[.!?])(?<!\bmr\.)(?<!\bms\.)(?<!\bmrs\.)(?<!\bdr\.)(?<!\bno\.)(?<!\bst\.)[\"'”’)\]]*\s+|(?<=[。！？])\s*|(?P<weak>(?<=[；;])\s*|[\r\n]+)",
    re.IGNORECASE,
)
"""`weak` is no end of a sentence for certain: a line may end within one."""

_SMALL = re.compile(r"[\W_]*[a-z]")
_WORD = re.compile(r"[^\W\u3400-\u9fff]+(?:['’][a-z]+)*|[\u3400-\u9fff]|[^\w\s'’-]|\n")
_LONGEST_QUOTED = 200
_FEW_WORDS = 3
"""So short a denial belongs to what stands before: `Not!`, `没有。`"""

_MARK = re.compile(r"[.,;:!?，。！？；、]")
_FORMULA = (
    r"is there anything else|how (?:can|may|could) (?:i|we) (?:help|assist)|thank(?:s| you)(?: so much| very much)? for (?:calling|contacting|your)"
    r"|my name is|can you|could you|may i have|can i have|what is your|what's your|my (?:account|card|customer|order|phone|policy) number is"
)
_WISH = r"i would like|i'd like|i want to|i wanted to|i need to"
_OPENS = re.compile(rf" (?=(?P<formula>(?:{_FORMULA})\b)|(?:{_WISH})\b)", re.IGNORECASE)
"""Where a new sentence may begin in speech that was written down without punctuation."""
_TAKES_MORE = re.compile(
    r"\b(?:and|but|so|or|that|because|if|when|what|where|how|why|who|whether|than|as|to|the|an?|of|for|with|in|on|my|your|our|i|you|we|they|he|she|it"
    r"|says?|said|tells?|told|me|us|thinks?|thought|knows?|knew|believed?|means?|guess|suppose|sure|hoped?|wish|feel|felt|see|saw|hear|heard|ask|asked|wonder|shows?)$",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"\b(?:hi|hello|hey|morning|afternoon|evening|yes|yeah|yep|okay|ok|right|sure|well|thanks|thank you|please|today)$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"\b(my name is (?!(?:{denying.WORDS})\b)[a-z]+(?: (?!(?:{denying.WORDS})\b)[a-z]+)?) (?=(?:and )?(?:i|i'm|i'd|i've|can|could|calling)\b)",
    re.IGNORECASE,
)
"""The same behind a name."""

_WORDS_WITHOUT_A_MARK = 8
_DENIED_WITHIN = 60
"""Characters in which a word that denies may speak of what comes next."""
_PLACES = (re.compile(r"(?<=[\s，、,；;])"), re.compile(r"(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])"))
"""Where a text is cut: the better ones first."""
_GOES_ON = "…"


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
    """The sentences of a text, as they stand there, without blanks around them; one that is cut off goes on with `…`."""
    parts = (part for sentence in _split(text) for part in _opened(" ".join(sentence.split())))
    return [stripped for part in parts for piece in _cut(part) if (stripped := piece.strip())]


def _split(text: str) -> Iterator[str]:
    began = 0
    for match in _END.finditer(text):
        if match.end() > began and not _belongs(text, began, match):
            yield text[began : match.start()]
            began = match.end()
    yield text[began:]


def _belongs(text: str, began: int, end: re.Match[str]) -> bool:
    """Whether what follows is denied by what stands before, or denies it, or is quoted with it."""
    if denying.ends_denying(text, end.start()) or _is_quoted(text, began, end):
        return True
    if not denying.begins_denying(text, end.end()):
        return False
    return end["weak"] is not None or _SMALL.match(text, end.end()) is not None or _is_short(text, end.end())


def _is_quoted(text: str, began: int, end: re.Match[str]) -> bool:
    """Words of others are not the speaker's own."""
    return (
        text.count('"', began, end.end()) % 2 == 1
        and text.find('"', end.end(), end.end() + _LONGEST_QUOTED) >= 0
    )


def _is_short(text: str, at: int) -> bool:
    """Up to the next mark."""
    found = _WORD.findall(text[at : at + 20 * _FEW_WORDS].lstrip(" .,!?\"'”’)]"))
    words = takewhile(lambda each: each[0].isalnum(), found)
    return sum(1 for _ in words) <= _FEW_WORDS


def _opened(sentence: str) -> Iterator[str]:
    if sentence.count(" ") < _WORDS_WITHOUT_A_MARK or _MARK.search(sentence):
        yield sentence
        return
    for named in _NAMED.sub(r"\1\n", sentence).split("\n"):
        began = 0
        for match in _OPENS.finditer(named):
            if _ends(named[began : match.start()], formula=match["formula"] is not None):
                yield named[began : match.start()]
                began = match.end()
        yield named[began:]


def _ends(head: str, *, formula: bool) -> bool:
    """Whether nothing in it can speak of what follows: `nobody told me | i need to pay` is one sentence."""
    head = head[-_DENIED_WITHIN:]
    if denying.denies(head) or _TAKES_MORE.search(head):
        return False
    return formula or _CLOSED.search(head) is not None


def _cut(part: str) -> Iterator[str]:
    """Between words, and beside none that denies."""
    began, most = 0, LONGEST - 2 * len(f"{_GOES_ON} ")
    while len(part) - began > most:
        end = _place(part, began + most // 2, began + most)
        yield f"{_GOES_ON if began else ''} {part[began:end].strip()} {_GOES_ON}"
        began = end
    yield f"{_GOES_ON} {part[began:].strip()}" if began else part


def _place(text: str, first: int, last: int) -> int:
    """The last good one; where the text is no language, just the last one."""
    for pattern in _PLACES:
        for match in reversed([*pattern.finditer(text, first, last)]):
            if denying.may_part(text, match.start(), match.start()):
                return match.start()
    return last


def _sentence(turn: SaidTurn, text: str) -> Sentence:
    plain = " ".join(fold(text).text.split())
    chinese = HAN.search(plain) is not None
    han = "".join(plain.split()).translate(SIMPLIFIED) if chinese else ""
    return Sentence(turn, text, plain, han, _LATIN.search(plain) is not None, chinese)
