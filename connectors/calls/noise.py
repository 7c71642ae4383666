"""What recognisers and people put between words: fillers, marks of noise, stutters, repeated words. Taken out of a turn's `text`; its
`original` keeps them.

Numbers, spelled letters and what may be one (a postcode, `double five five`) are never touched: a repeated digit is data. Placeholders
of redaction (`[PII]`, `{{NAME}}`) stay, too.
"""

import re

#: What a mark must speak of to be noise, and what else may stand in it.
_NOISE_WORDS = """
noise noises inaudible unintelligible indiscernible indistinct crosstalk laughter laughs laughing laugh laughed chuckles chuckling
cough coughs coughing coughed sneeze sneezes sigh sighs sighing breath breathing breathes inhales exhales silence pause pauses
music static beep beeps tone click clicks typing applause ringing unk unknown sil spn nsn blank foreign hesitation filler lipsmack
"""
_NOISES = frozenset(_NOISE_WORDS.split())
_BESIDE_WORDS = """
background line phone keyboard heavy long short hold loud speaking speech language audio on in the of and with no from
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
_MARK = re.compile(r"[\[(<【（]\s?/?([^\[\]()<>【】（）\n]{1,48}?)\s?/?[\])>】）]")
_CHINESE_MARK = re.compile(
    r"(?:背景|通话|键盘|电话)?(?:噪音|噪声|杂音|音乐|笑声?|咳嗽声?|叹气|静音|沉默|停顿|听不清楚?|无法识别|嘈杂|铃声|按键音)"
)
_WORD = re.compile(r"[^\W\d_]+")

_FILLER = r"(?:,\s|^|(?<=[\s,，.。!?;—]))(?:{})(?![\w'’-])[,.…]*"
_HUM = re.compile(_FILLER.format(r"[Uu]+[Mm]+|U+M+|[Uu]+[Hh]+[Mm]*|U+H+|[Hh]+[Mm]{2,}|[Hh]m"))
_ER = re.compile(_FILLER.format("[Ee]rm+|[Ee]r"))  # capitals are the emergency room
#: Who spells says single letters and digits: there "er" and what is said twice are data.
_SINGLE = re.compile(r"(?<![^\s,])[b-hj-zB-HJ-Z0-9](?![^\s,.]|\.\d)")
_SPELLING = 2
#: Chinese fillers are words as well (那个账户 is "that account"): they count only between punctuation. A run of them can be read in one
#: way alone, and is not read again where no punctuation follows it.
_CHINESE_FILLER = re.compile(
    r"(?:^|(?<=[\s，。、,.；;！？!?…]))(?:[嗯呃唔额啊哦]|那个|这个|就是说)++(?:[，。、,.…\s]+|$)"
)
_HUMMED = re.compile(r"(?:嗯|呃)+[，、,…]*")
_STUTTER = re.compile(
    r"\b([A-Za-z])(?:-\1){0,6}-(?=\1[a-z])|\b([A-Za-z]{2,4})(?:-\2){1,6}-(?=\2)", re.IGNORECASE
)
#: Not before a number or a letter: then it is spelled.
_I_I = re.compile(r"\bI(?:(?:-|,? )I){1,9}(?= [a-z]{2}|['’])")
_REPEATED = re.compile(r"\b([A-Za-z][A-Za-z'’]{1,30})(?:(?:,? )\1\b)+(?!['’-])", re.IGNORECASE)
_CHINESE_REPEATED = re.compile(r"([我你您他她这那就要])(?:[，、 ]?\1)+")
#: Said twice, these are two of them: digits, and letters spelled by words.
_COUNTED_WORDS = """
zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million double triple dot dash alpha alfa bravo
charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform
victor whiskey xray yankee zulu zed zee
"""
_COUNTED = frozenset(_COUNTED_WORDS.split())
_SPACES = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r" +([,.;:!?，。；：！？、])(?!\d)")
#: What a filler leaves behind: a sentence that begins small, a greeting without its comma, a blank behind a Chinese mark.
_BEGINS_SENTENCE = re.compile(
    r"(?:^|(?<=[.!?] ))(?:U[mh]+|Erm?|Hm+)[,.…]* (?:(?:u[mh]+|erm?|hm+)[,.…]* )*([a-z])(?![a-z]*[A-Z])"
)
_AFTER_GREETING = re.compile(
    r"\b(hi|hello|hey|yes|yeah|no|okay|ok|sorry|right|well|sure|thanks), (?:u[mh]+|erm?|hm+)[,.…]* ",
    re.IGNORECASE,
)
_BLANK_IN_CHINESE = re.compile(r"(?<=[，。！？；：、]) +(?=[\u3400-\u9fff])")
_DOUBLED_COMMA = re.compile(r"([,，、])(?:\s*[,，、])+")
_LEADING = re.compile(r"^(?:[\s,;:，。；：、…]|\.(?!\d))+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\ufeff\ufffd]")
_TALK = re.compile(r"[^\W_]")
#: Nearly every turn has none of these: then only its spaces are looked at.
_SUSPECT = re.compile(
    r"[\[(<【（]|\b[ueh]{1,12}[mhr]{1,12}\b|[嗯呃唔额啊哦那这就]|-|(\b[\w'’]{1,31}),? \1\b|([我你您他她要])[，、 ]?\2",
    re.IGNORECASE,
)


def normalise(original: str) -> str:
    """The text for the workers, never longer than the original; "" where nothing was said."""
    text = _SPACES.sub(" ", _CONTROL.sub(" ", original)).strip()
    if _SUSPECT.search(text):
        text = _without_noise(text)
    return text if _TALK.search(text) else ""


def _without_noise(text: str) -> str:
    text = _MARK.sub(_mark, text)
    if len(_SINGLE.findall(text)) >= _SPELLING:
        return _SPACES.sub(" ", _HUM.sub("", text)).strip()
    text = _AFTER_GREETING.sub(r"\1, ", _BEGINS_SENTENCE.sub(lambda found: found[1].upper(), text))
    text = _CHINESE_FILLER.sub("", _HUMMED.sub("", _ER.sub("", _HUM.sub("", text))))
    text = _I_I.sub("I", _STUTTER.sub("", text))
    text = _SPACES.sub(" ", text)
    text = _CHINESE_REPEATED.sub(r"\1", _REPEATED.sub(_once, text))
    text = _DOUBLED_COMMA.sub(r"\1", _BEFORE_MARK.sub(r"\1", text))
    return _LEADING.sub("", _BLANK_IN_CHINESE.sub("", text)).strip()


def is_noise(inside: str) -> bool:
    """Whether a mark with this inside its brackets speaks of noise."""
    words = {word.casefold() for word in _WORD.findall(inside)}
    noisy = bool(words & _NOISES) and words <= _NOISES | _BESIDE
    return noisy or _CHINESE_MARK.fullmatch(inside) is not None


def _mark(found: re.Match[str]) -> str:
    return " " if is_noise(found[1].strip()) else found[0]


def _once(found: re.Match[str]) -> str:
    return found[0] if found[1].casefold() in _COUNTED else found[1]
