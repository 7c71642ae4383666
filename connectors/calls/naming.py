"""Whether a label is somebody's name, or what a sentence with a colon begins with (`Sort code: …`), or a mark of noise or redaction."""

import re

from connectors.calls.noise import is_noise

#: What stands before a colon and is nobody.
_DATA_WORDS = """
number code sort account card address date time name birth amount balance total sum fee rate note notes nb ps please remember important warning
attention example subject topic re regarding reference ref case ticket order id queue language transcript transcription summary call recording
duration file channel started ended start end status result answer question option step first second third finally also phone email mail mobile
website link url address postcode zip pin password expiry iban bic swift invoice payment transfer deposit loan mortgage reason issue problem
security thanks thank reminder news update version page section part chapter hours minutes price cost type kind title location branch city
country street monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday day days week month year
from to cc bcc sent received reply
yes no ok okay so well and but or because if then that this it the what how why when where who which
"""
_DATA = frozenset(_DATA_WORDS.split())
_CHINESE_DATA = re.compile(
    r"[号码址期间额率费注密总计合题录通话编备项原地类状结果日时证名题提如例首先其次最后另外还有所以因为但是比如就是说明请您你我的了是]"
)
_PARTICLE_WORDS = "de del della da di do dos du van von der den la le el al bin ibn binti ben y e st"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_HAN_NAME = re.compile(r"[\u3400-\u9fff·]{2,4}(?:先生|女士|小姐|经理|老师)?")
_MOST_SMALL_WORDS = 2


def is_datum(label: str) -> bool:
    """Whether a word of it names a thing rather than a person."""
    return any(word.casefold() in _DATA for word in _WORD.findall(label)) or (
        _HAN.search(label) is not None and _CHINESE_DATA.search(label) is not None
    )


def may_be_a_name(label: str, small: bool = False) -> bool:
    """`John Smith`, `Callee`, `张伟`; where names are written `small`, `john smith`."""
    if is_datum(label):
        return False
    if _HAN.search(label):
        return _HAN_NAME.fullmatch(label) is not None
    words = [word for word in _WORD.findall(label) if word not in _PARTICLES]
    if small:
        return 0 < len(words) <= _MOST_SMALL_WORDS
    return bool(words) and all(word[0].isupper() or not word.isascii() for word in words)


def is_mark(label: str) -> bool:
    """`inaudible`, `PII`: what stands in brackets and is no speaker."""
    return is_noise(label) or is_datum(label) or (label.isascii() and label.isupper())
