"""Words that were said, as a summary shows them: without the greeting before them, and never ending in the middle of a thought.

A quotation is a run of words of what was said. What is left out before it are whole greetings and fillers, and none in which a word denies;
what is left out behind it is shown by `…`, and is never cut beside such a word.
"""

import re

from parley.domain.analysis import denying
from parley.domain.analysis.said import HAN

LONGEST = 240
"""Characters of one quotation; more where nowhere before may be cut."""

_GREETING = r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|thank you|thanks)(?: there)?"
_NAME = rf"(?! ?(?i:{denying.WORDS})\b)(?: [A-Z][a-z]+)?"
_LEADS = re.compile(
    rf"(?!(?i:yeah,? right\b))(?:(?i:{_GREETING}){_NAME}[,.!]+ +|(?i:yes|yeah|yep|well|so|okay|ok|oh|all ?right|um|uh|and|but|great|perfect)[,.!]+ +"
    r"|(?i:(?:(?:okay|ok|well|so|um|uh|oh|and|yeah|yes|hi|hello|hey|all ?right) +){1,5}(?=(?:i|we|my|the|can|could|you|it|there|your|how|what)\b)))+"
)
"""With a mark behind them, or words that begin a sentence: `hello nobody` is no name. Behind a greeting a name goes, too."""

_MARK_HAN = "[，,。！!、]"
_LEADS_HAN = re.compile(
    rf"(?:(?:(?:先生|女士|小姐)?[您你]好|那个|是的|对|好的?|行|没错|是这样的|早上好|下午好|这样吧|那这样|先生|女士"
    r"|(?:非常)?感谢(?:[您你]的)?(?:来电|致电|耐心等待|耐心等候|等待|等候|理解|配合|支持)?"
    rf"|(?:非常|实在|真是)?(?:抱歉|不好意思|对不起)(?:让[您你]久等了?)?) ?{_MARK_HAN}[，,。！!、 ]*|(?:[您你]好|喂|嗯|呃|哦|啊)[，,。！!、 ]+)+"
)
_CLAUSE = re.compile(r"[,;，；、:：](?= |[\u3400-\u9fff])| - | – ")
_BLANK = re.compile(r" ")
_CHARACTER = re.compile(r"(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])")
_I = re.compile(r"\bi(?=\b(?!\.))")
_ASKS = re.compile(
    r"(?:(?:what|when|where|who|how|why|which)(?: (?:much|many|long|often))? )?"
    r"(?:can|could|would|will|shall|should|may|do|does|did|is|are|was|were|am|have|has) (?:i|you|we|they|he|she|it|there)\b"
    r"|(?:what|when|where|who|how) (?:is|are|was|does|do|did|can|will) (?:my|your|the|this|that)\b",
    re.IGNORECASE,
)
"""A question by the order of its words; `what you said is wrong` is none, nor is `do not call me`."""
_ASKS_HAN = re.compile("吗$|(?:怎么|什么|哪|谁|多少|几).*呢$")
_LETTER = re.compile(r"[^\W_]")
_QUOTES = str.maketrans({"“": "‘", "”": "’", '"': "'"})


def quoted(text: str) -> str:
    """In quotation marks; empty for a text without a letter. Only the end of a long one is left out, and shown so."""
    found = without_leads(text) or text.strip()
    if not _LETTER.search(found):
        return ""
    return f"“{_ended(_capital(_shortened(found.translate(_QUOTES))))}”"


def without_leads(text: str) -> str:
    """Without the greetings, thanks and apologies that it begins with; empty where nothing else is there."""
    found = _without(_LEADS_HAN, _without(_LEADS, text.strip()))
    return found if _LETTER.search(found) else ""


def _without(leads: re.Pattern[str], text: str) -> str:
    match = leads.match(text)
    end = match.end() if match is not None else 0
    return text if denying.denies(text[:end]) else text[end:]


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    for pattern in (_CLAUSE, _BLANK, _CHARACTER):
        for match in reversed([*pattern.finditer(text, LONGEST // 3, LONGEST)]):
            if denying.may_part(text, match.start(), match.end()):
                return f"{text[: match.start()].rstrip()} …"
    return text


def _capital(text: str) -> str:
    """Recognisers without punctuation write everything in small letters."""
    if any(character.isupper() for character in text):
        first = text.partition(" ")[0]
        return text if first != first.lower() or not text[:1].isascii() else text[:1].upper() + text[1:]
    text = _I.sub("I", text)
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def _ended(text: str) -> str:
    if text.rstrip("’'\")]")[-1:] in tuple(".!?…。！？"):
        return text
    text = text.rstrip(",;:，；：、 -")
    if HAN.match(text[-1:]):
        return f"{text}{'？' if _ASKS_HAN.search(text) else '。'}"
    return f"{text}{'?' if _ASKS.match(text) else '.'}"
