"""Text to search terms, the same for indexing and asking: Latin words lightly stemmed, Chinese as characters and bigrams.

Written Chinese has no spaces, and most of its words have two characters: bigrams find them, single characters catch the rest.
Which words tell nothing, and which are other forms or names of one thing, stands in `parley.domain.wordlists`.
"""

import re
import unicodedata
from collections.abc import Mapping

from parley.domain import wordlists
from parley.domain.numerals import CHINESE_UNITS, chinese
from parley.domain.remembering import remembering

WORD = re.compile(
    r"[0-9]+(?:[.,][0-9]+)*|[a-zà-öø-ÿāăąćčďđēėęěğīįıķĺļľłńņňōőœŕřśşšťţūůűųźżž']+|[\u3400-\u9fff]+"
)
CJK = re.compile(r"[\u3400-\u9fff]")

APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")
CONTRACTED = re.compile(r"'(?:s|d|m|ve|re|ll)?$")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_LETTER = "[0-9a-zà-ž']"
_COUNT = "|".join(wordlists.NUMBERS)
YEARS = re.compile(rf"(?<!{_LETTER})({_COUNT}|\d{{1,9}})[ -]years?(?!{_LETTER}|[ -]old)")
"""Terms of loans and deposits are asked for in years and written in months."""

_SPELLED = tuple(wordlists.SPELLINGS.values())
_SPELLINGS = re.compile(
    rf"(?<!{_LETTER})(?:{'|'.join(f'({pattern})' for pattern in wordlists.SPELLINGS)})(?!{_LETTER})"
)
_SAME = {**wordlists.IRREGULAR, **wordlists.SAME}

_NUMERAL = "[一二两三四五六七八九十百千]"
# Where a run of numerals has no match from its beginning it has none from within: it is tried once, however long it is.
CHINESE_NUMBER = re.compile(
    rf"(?<!{_NUMERAL})(?:{_NUMERAL}++(?=年|个月|岁|期|成|位|个?小时|分钟|秒|欧|块|元)|{_NUMERAL}+[万千百]{_NUMERAL}*)"
)
_CHINESE_UNIT = re.compile(f"[{CHINESE_UNITS}]")
CHINESE_YEARS = re.compile(r"(?<!\d)(\d{1,2}) ?年")


def _names(groups: Mapping[str, str]) -> tuple[re.Pattern[str], dict[str, str]]:
    """A pattern for every name of every group, longest first, and the group's first name of each."""
    heads = {name.lower(): head for head, names in groups.items() for name in (head, *names.split())}
    return re.compile("|".join(map(re.escape, sorted(heads, key=len, reverse=True)))), heads


_CHINESE_NAMES, _CHINESE_HEADS = _names(wordlists.CHINESE_SAME)
_CHINESE_COUNTRY = re.compile("|".join(wordlists.CHINESE_COUNTRIES))
_CHINESE_CURRENCY = re.compile("|".join(wordlists.CHINESE_CURRENCIES))
_CHINESE_STOP = re.compile("|".join(sorted(wordlists.CHINESE_STOP_PHRASES, key=len, reverse=True)))


def terms(text: str, *, drop_common: bool = True) -> list[str]:
    """Terms in the order of the text. With `drop_common` the words that tell nothing apart are left out."""
    return _cut(_one_spelling(text), drop_common)


def grams(text: str, *, drop_common: bool = False) -> list[str]:
    """The same of Chinese as it is written: no name is put for another, and by default nothing is left out."""
    return _cut(THOUSANDS.sub("", _folded(text)), drop_common)


def _cut(text: str, drop_common: bool) -> list[str]:
    found: list[str] = []
    for match in WORD.finditer(text):
        word = match[0]
        if CJK.match(word):
            found.extend(_chinese(word, drop_common))
        elif word[0].isdigit():
            found.append(word)
        else:
            found.extend(_latin(word, drop_common))
    return found


def _one_spelling(text: str) -> str:
    """Small letters, one form of each character and number, one name of each thing that has several."""
    text = THOUSANDS.sub("", _folded(text))
    if CJK.search(text):
        text = CHINESE_NUMBER.sub(lambda match: _chinese_number(match[0]), text)
        text = CHINESE_YEARS.sub(lambda match: f"{match[0]} {12 * int(match[1])} 个月", text)
        text = _CHINESE_COUNTRY.sub(lambda match: f" {match[0]} 国外 ", text)
        text = _CHINESE_CURRENCY.sub(lambda match: f" {match[0]} 货币 ", text)
        text = _CHINESE_NAMES.sub(lambda match: f" {_CHINESE_HEADS[match[0]]} ", text)
    text = _SPELLINGS.sub(lambda match: _SPELLED[(match.lastindex or 1) - 1], text)
    return YEARS.sub(
        lambda match: f"{match[0]} {12 * int(wordlists.NUMBERS.get(match[1], match[1]))} months", text
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(APOSTROPHES).lower()


@remembering(20_000)
def _latin(word: str, drop_common: bool) -> tuple[str, ...]:
    bare = CONTRACTED.sub("", word.strip("'")).replace("'", "")
    if drop_common and (len(bare) <= 1 or bare in wordlists.STOPWORDS or word in wordlists.STOPWORDS):
        return ()
    term = wordlists.NUMBERS.get(bare) or stem(bare)
    if bare in wordlists.COUNTRIES:
        return (term, "country", "abroad")
    if bare in wordlists.CITIES:
        return (term, "abroad")
    if bare.removesuffix("s") in wordlists.CURRENCIES:
        return (term, "currency")
    return (term,) if term else ()


def _chinese(run: str, drop_common: bool) -> list[str]:
    if not drop_common:
        return [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
    found: list[str] = []
    for part in _CHINESE_STOP.split(run):
        found += [c for c in part if c not in wordlists.CHINESE_STOP_CHARACTERS]
        pairs = (part[at : at + 2] for at in range(len(part) - 1))
        found += [pair for pair in pairs if not wordlists.CHINESE_STOP_CHARACTERS & set(pair)]
    return found


def _chinese_number(text: str) -> str:
    """Digits without a unit are a guess, and the last one counts: `两三天` is up to 3."""
    return chinese(text if _CHINESE_UNIT.search(text) else text[-1])


def stem(word: str) -> str:
    """The base of irregular forms and other names; of other words plural and common verb endings come off.

    A light stemmer in the spirit of Harman's S-stemmer: D. Harman, "How effective is suffixing?", JASIS 42(1), 1991.
    """
    word = word.replace("'s", "").replace("'", "")
    word = _SAME.get(word, word)
    if len(word) <= 3 or not word.isascii() or word[0].isdigit():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and re.search(r"[aeiouy]", base):
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            return base.rstrip("e") or base
    return word.rstrip("e") if len(word) > 4 else word


def language_of(text: str, languages: tuple[str, ...], default: str) -> str:
    """Chinese where its characters outnumber a quarter of the Latin words; else the first other language of the tenant.

    Good for telling scripts apart, not languages of one script: the tenant's default decides there.
    """
    chinese = len(CJK.findall(text))
    latin = len(re.findall(r"[A-Za-z]+", text))
    if chinese and chinese >= latin / 4 and "zh" in languages:
        return "zh"
    if latin and default == "zh":
        return next((language for language in languages if language != "zh"), default)
    return default
