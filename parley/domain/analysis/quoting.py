"""Words that were said, as a summary shows them: without the greeting before them, and never ending in the middle of a thought."""

import re

from parley.domain.analysis.said import HAN

LONGEST = 240
"""Characters of one quotation."""

_LEADS = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening|day))(?: there)?(?:,? [A-Z][a-z]+)?[,.!]? +|(?:yes|yeah|yep|well|so|okay|ok|oh|right|sure|all ?right|um|uh|and|but|great|perfect|thank you|thanks)(?:,? [A-Z][a-z]+)?[,.!]+ +"
    r"|(?:(?:okay|ok|well|so|um|uh|oh|and|yeah|yes|hi|hello|hey|all ?right) +){1,5}(?=(?:i|we|my|the|can|could|you|it|there|your|how|what)\b))+",
    re.IGNORECASE,
)
_LEADS_HAN = re.compile(
    r"^(?:(?:(?:先生|女士|小姐)?[您你]好|喂|嗯|呃|哦|啊|那个|是的|对|好的?|行|没错|是这样的|早上好|下午好|这样吧|那这样|先生|女士"
    r"|感谢[^，,。]{0,12}|(?:非常|实在|真是)?(?:抱歉|不好意思|对不起)(?:让[您你]久等了?)?)[，,。！! 、]+)+"
)
_CLAUSE = re.compile(r"[,;，；、:：](?= |[\u3400-\u9fff])| - | – ")
_I = re.compile(r"\bi(?=\b(?!\.))")
_ASKS = re.compile(
    r"(?:can|could|would|will|do|does|did|is|are|what|when|where|who|how|why|which|may) ", re.IGNORECASE
)
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
    found = _LEADS_HAN.sub("", _LEADS.sub("", text)).strip()
    return found if _LETTER.search(found) else ""


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    head = text[:LONGEST]
    clause = max((match.start() for match in _CLAUSE.finditer(head)), default=0)
    if clause < LONGEST // 3:
        clause = head.rfind(" ") if head.rfind(" ") >= LONGEST // 3 else LONGEST
    return f"{head[:clause].rstrip()} …"


def _capital(text: str) -> str:
    """Recognisers without punctuation write everything in small letters."""
    text = text if any(character.isupper() for character in text) else _I.sub("I", text)
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def _ended(text: str) -> str:
    if text[-1] in ".!?…。！？":
        return text
    text = text.rstrip(",;:，；：、 -")
    if HAN.match(text[-1:]):
        return f"{text}{'？' if text[-1] in '吗呢' else '。'}"
    return f"{text}{'?' if _ASKS.match(text) else '.'}"
