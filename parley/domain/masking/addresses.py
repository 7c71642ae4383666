"""Postal addresses after words that announce one: `I live at 12 Main Street, Dublin 2`, `我住在中山路5号3单元201室`.

Only an address with a street and a number is one; a town or a country is no personal data by itself.
"""

import re
from collections.abc import Iterator

from parley.domain.masking.everyday import ENDS, word_before, words_from
from parley.domain.masking.found import Found, listed

_CUE = re.compile(
    r"(?:address|residence)(?: of mine)?(?: is(?: now)?(?![a-z])| was| has changed| changed|'s| on file is)?(?: from| to)?[ :=,\"\n-]{1,3}"
    r"|(?:live|lives|lived|living|reside|residing|stay|staying) (?:now )?(?:at|in|on) "
    r"|(?:moved?|moving|relocated|deliver(?:ed)?|sen[dt]|ship(?:ped)?|post(?:ed)?|mail(?:ed)?)(?: (?:it|them|this|everything|the|my|a|new|replacement|card|letter|sim|pin)){0,4}"
    r" (?:to|from) "
)
_ALSO = re.compile(" (?:to|and|or) ")
_EIRCODE = re.compile(
    r"(?:eircode|post ?code)(?: is| ?:)? ((?:[ac-fhknprtv-y][0-9]{2}|d6w) ?(?=[a-z]{0,3}[0-9])[0-9ac-fhknprtv-y]{4})(?![a-z0-9])"
)
"""Ireland's postcodes are one house each (eircode.ie)."""
_NO_HOMES = listed("branch company e email ip mac mail office shop store url web website your")
"""Whose address is public, or none of the postal kind."""

_STREETS = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|square|sq|place|pl|terrace|crescent|close|way|boulevard|blvd|highway|hwy|park|quay"
    "|row|gardens|grove|mews|hill|walk|parade|heights|green|view|rise|gate|wharf|estate"
)
_UNIT = r"(?:(?:flat|apt|apartment|unit|suite|house|room|number|no|floor)\.? ?#?[0-9]{1,4}[a-z]?|#[0-9]{1,4}[a-z]?)"
_WORD = r"[^\W\d_](?:[^\W\d_]|['.-]){0,29}"
_NUMBER = r"[0-9]{1,5}[a-z]?(?:[/-][0-9]{1,4}[a-z]?)?"
_STREET = re.compile(
    rf"(?:{_UNIT},? ){{0,2}}(?:number |no\.? ?)?{_NUMBER},? (?:(?:{_WORD}|[0-9]{{1,3}}(?:st|nd|rd|th)) ){{1,4}}?(?:{_STREETS})(?![^\W_])\.?"
    rf"|(?:{_WORD} ){{0,3}}[^\W\d_.-]{{0,20}}(?:stra(?:ss|ß)e|str\.?|gasse|weg|platz|allee|gatan|straat|laan) ?[0-9]{{1,4}}[a-z]?(?![^\W_])"
    rf"|(?:rue|via|calle|avenida|avenue|plaza|rua|piazza|place)(?: {_WORD}){{1,5}},? [0-9]{{1,4}}[a-z]?(?![^\W_])"
    rf"|{_NUMBER},? (?:rue|avenue|boulevard|place|chemin)(?: {_WORD}){{1,4}}"
    r"|p\.? ?o\.? ?box [0-9]{1,6}"
)
_NO_STREET = ENDS - {"the", "of", "new", "first", "one", "am", "last", "card"}
_CODE = "[a-z]{1,2}[0-9][0-9a-z]? ?[0-9][a-z]{2}|[a-z][0-9]{2} ?[0-9a-z]{4}"
"""Post codes of Great Britain and Ireland."""
_LINE = re.compile(
    rf"(?:\s?[,\n] ?| )({_UNIT}|(?:{_CODE})(?![^\W_])|[0-9]{{4,6}}(?:-[0-9]{{3,4}})?(?: {_WORD}){{0,2}}|(?={_WORD}))"
)
_POSTCODE = re.compile(rf" (?:[0-9]{{1,6}}(?:-[0-9]{{3,4}})?|{_CODE})(?![^\W_])")
_MOST_LINES, _MOST_WORDS = 5, 3

_HAN = r"\u3400-\u9fff"
_CHINESE_CUE = re.compile(
    r"(?:地址|住址|我住|家住|住在|住到|居住|搬到|搬去|搬至|搬家到|寄到|寄往|寄去|寄给|寄至|送到|户籍)"
    r"(?:[ :,\"]|是|为|在|于|改成|改为|变更|换成|了|到|成(?!都)|我家){0,6}"
)
_CHINESE_NO_HOMES = ("网点", "支行", "分行", "公司", "业厅", "门店", "你们", "银行")
_DETAIL = r"[0-9零〇一二两三四五六七八九十百]{1,6}(?:-[0-9]{1,4})? ?(?:号楼?|弄|栋|幢|座|单元|室|楼|层|户|组)|[a-z] ?[座栋幢区]"
_INNER = rf"(?:(?![我你您的是想请要卡钱了有在])[{_HAN}a-z -]){{0,10}}?"
_CHINESE = re.compile(
    rf"(?:(?![我你您的是想请要卡钱了有])[{_HAN}a-z0-9 ]){{2,30}}?(?:{_DETAIL})(?:{_INNER}(?:{_DETAIL}))*(?:[ -]?[0-9]{{1,5}}(?![0-9]))?"
    r"(?:,? ?(?:邮编|邮政编码)[ :是为]{0,2}[0-9]{6})?"
)
_PLACES = re.compile(r"[路街道巷弄里村镇乡县区苑园城庄厦寓院]|胡同|大道|小区")


def addresses(plain: str) -> Iterator[Found]:
    """As they are written in Latin letters: house number and street, then what belongs to them."""
    taken = 0
    for cue in _CUE.finditer(plain):
        if cue.start() < taken or word_before(plain, cue.start()) in _NO_HOMES:
            continue
        street = _STREET.match(plain, cue.end())
        if street is not None and _NO_STREET.isdisjoint(street[0].split(" ")):
            start = cue.end()
            while street is not None:
                taken = _further(plain, street.end())
                yield Found(start, taken, "address", plain[start:taken])
                also = _ALSO.match(plain, taken)
                street = _STREET.match(plain, also.end()) if also is not None else None
                start = also.end() if also is not None else taken
    for eircode in _EIRCODE.finditer(plain):
        yield Found(*eircode.span(1), "address", eircode[1])


def _further(plain: str, end: int) -> int:
    """Where an address ends whose street ends there: flat, district, town with its code, country."""
    for _ in range(_MOST_LINES):
        line = _LINE.match(plain, end)
        if line is None:
            break
        stop = line.end() if line[1] else words_from(plain, line.end(), _MOST_WORDS)
        if stop == line.start(1) or plain[line.start(1) : stop].split(" ")[0] in ENDS:
            break
        postcode = _POSTCODE.match(plain, stop)
        end = postcode.end() if postcode is not None else stop
    return end


def chinese_addresses(plain: str) -> Iterator[Found]:
    if plain.isascii():
        return
    taken = 0
    for cue in _CHINESE_CUE.finditer(plain):
        if cue.start() < taken or plain[: cue.start()].endswith(_CHINESE_NO_HOMES):
            continue
        place = _CHINESE.match(plain, cue.end())
        if place is not None and _PLACES.search(place[0]) is not None:
            taken = place.end()
            yield Found(place.start(), taken, "address", place[0])
