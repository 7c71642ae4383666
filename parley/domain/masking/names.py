"""Names of people after words that announce one: `my name is …`, `Mr …`, `Kind regards, …`, `我叫…`, `姓名：…`, `…先生`.

A name without such words is not found: nothing tells it from other words in a message that may be all in small letters.
"""

import re
from collections.abc import Iterator

from parley.domain.masking.everyday import ENDS, NO_NAMES, word_before, words_from
from parley.domain.masking.found import Found, listed

_NAME_IS = re.compile(
    r"name(?: on (?:(?:the|my|this|that) )?(?:card|account|contract))?"
    r"(?: is(?: now)?(?![a-z])| was(?![a-z])|'s(?![a-z])| ?[:=])[ \"]{0,2}"
)
_CALLED = re.compile(
    r"(?:i am|i'?m|he is|she is) called |(?<![a-z])in the name of |[我他她名]叫做? ?(?=[a-z])|[姓户]?名(?:字)?(?:是|为| ?:) ?(?=[a-z])"
)
_HOLDER = re.compile(
    r"(?:account ?holder|card ?holder|beneficiary|payee|recipient)(?: ?[:=] ?|(?P<said>(?:'s name)? is(?: called)? (?=[^\W\d_])))"
)
"""What is said of one in a single word is mostly no name: `the payee is unknown`."""
_TITLE = re.compile(r"m(?<![a-z0-9].)(?<![0-9] .)(?:r|rs|s|x)\.? (?=[^\W\d_])")
_SPEAKING = re.compile(r"(?<![a-z])(?:this is|i am|i'?m|it is|it's) (?=[^\W\d_])")
_IS_SPEAKING = re.compile(" (?:speaking|calling)(?![a-z])")
"""On the telephone: `this is Anna Schmidt speaking`."""
_REGARDS = re.compile(r"(?:regards|sincerely|faithfully)[,.!]{0,2}\s{1,3}")
_END_OF_LINE = re.compile(r"[ .!]{0,3}(?:\n|$)")
_REST_OF_TOKEN = re.compile(r"[\w-]*")
"""What a user's name goes on with: `name is anna_88`."""

_NO_PERSONS = listed(
    "account app application article bank beneficiary-bank brand branch campaign card channel class column command company "
    "computer contract device display domain event field file folder function group host language item merchant method model "
    "network option package page place plan product program project provider road rule school screen service shop site "
    "software station store street tariff team the type variable website wifi"
)
"""What else has a name."""
_MOST_WORDS = 4

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁沈姚卢姜崔钟谭陆汪范金石廖贾夏韦傅"
    "邹熊孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔汤温康施樊倪翟葛殷庞尚鲁牛庄聂章岳祝欧耿颜路梅詹骆辛俞柴齐穆柯阮童卜"
    "张陳劉黃趙吳孫馬鄭謝許韓馮鄧蕭葉蘇呂盧鐘陸范賈鄒"
)
_SURNAMES_OF_TWO = "欧阳|上官|司马|司徒|诸葛|东方|皇甫|尉迟|公孙|慕容|夏侯|令狐|长孙|宇文|端木"
_HAN = r"\u3400-\u9fff"
_NO_GIVEN = "我你您他她它的了吗呢吧是在不要想请有没和跟与及也都就说去来从到被把给对卡账帐户身证手电住号银今昨刚现这那个可能需办先女小叫什啥怎哪谁为"
_GIVEN = rf"(?![{_NO_GIVEN}])[{_HAN}]"
_NO_SERVICE = (
    "(?!外卖|出租|救护|快递|滴滴|警|保安|专车|停|公司|商家|商户|房东|自己|学校|银行|机构|单位|朋友|家人|同事|外国|国外|企业|个人|未成年"
    "|拼音|中文|英文|空)"
)
"""What one calls, not what one is called, and who is no name: 我叫外卖, 收款人是公司."""
_NAME = (
    rf"(?:[{_HAN}]{{2,8}}\.[{_HAN}]{{2,8}}|(?:{_SURNAMES_OF_TWO}){_GIVEN}(?:{_GIVEN})?|[{SURNAMES}](?:{_GIVEN}|小){_GIVEN}|[{SURNAMES}]{_GIVEN}"
    rf"|{_NO_SERVICE}(?:小|阿|{_GIVEN})(?:{_GIVEN}){{1,3}}(?=[\s,.;!?。，；！？、)\"]|$))"
)
_CHINESE = re.compile(
    rf"(?:(?:我|他|她|本人|名字|妈|爸|先生|太太|妻子|丈夫|老婆|老公|女儿|儿子|母亲|父亲|[哥姐弟妹]|朋友|人)叫(?:做|作)?|名叫|(?:姓名|名字|户名|持卡人|收款人|联系人|开户人|真名|本名)(?:应该|现在)?(?:是|为|[ :=])|姓名(?=[^\W0-9])|户名(?=[{SURNAMES}]))[ :\"]{{0,2}}"
    rf"({_NAME})"
)
_IS_NO_NAME = "人员生户管客民师工者卡级领商军家子"
"""How words end that say what one is: 我是程序员, 我是高中生."""
_I_AM = re.compile(
    rf"(?:我|本人)是([{SURNAMES}]{_GIVEN}(?:{_GIVEN})?)(?<![{_IS_NO_NAME}])(?=[\s,.;!?。，；！？、]|$)"
)
_SURNAME = re.compile(rf"(?:我|免贵|本人|敝)姓((?:{_SURNAMES_OF_TWO})|[{SURNAMES}])(?!名)")
_TITLES = ("先生", "女士", "小姐", "太太", "老师", "经理")
_BEFORE_TITLE = re.compile(rf"([{SURNAMES}](?:{_GIVEN}){{0,2}}?)(?={'|'.join(_TITLES)})")
_CHINESE_SHAPES = (
    (_CHINESE, ("叫", "名", "持卡人", "收款人", "联系人", "开户人")),
    (_I_AM, ("我是", "本人是")),
    (_SURNAME, ("姓",)),
    (_BEFORE_TITLE, _TITLES),
)
"""With what a text must have for each."""


def names(plain: str) -> Iterator[Found]:
    """In Latin letters."""
    for start, end in sorted({*_announced(plain), *_signed(plain)}):
        yield Found(start, end, "name", plain[start:end])


def _announced(plain: str) -> Iterator[tuple[int, int]]:
    for cue, signs in ((_NAME_IS, ("name",)), (_CALLED, ("called", "name of", "叫", "名")), (_TITLE, ("m",))):
        for hit in cue.finditer(plain) if _any_of(signs, plain) else ():
            end = words_from(plain, hit.end(), _MOST_WORDS)
            if end > hit.end() + 1 and not (cue is _NAME_IS and _of_no_person(plain, hit)):
                yield hit.end(), _whole_token(plain, end)
    yield from _holders(plain)
    for hit in _SPEAKING.finditer(plain) if _any_of(("speaking", "calling"), plain) else ():
        end = words_from(plain, hit.end(), _MOST_WORDS - 1)
        if end > hit.end() and _IS_SPEAKING.match(plain, end):
            yield hit.end(), end


def _holders(plain: str) -> Iterator[tuple[int, int]]:
    for hit in (
        _HOLDER.finditer(plain) if _any_of(("holder", "beneficiary", "payee", "recipient"), plain) else ()
    ):
        end = words_from(plain, hit.end(), _MOST_WORDS)
        words = plain[hit.end() : end].split(" ")
        named = len(words) > 1 and ENDS.isdisjoint(words) and NO_NAMES.isdisjoint(words)
        if named or (not hit["said"] and end > hit.end() + 1):
            yield hit.end(), _whole_token(plain, end)


def _any_of(signs: tuple[str, ...], plain: str) -> bool:
    """Looking for a word is many times quicker than an expression that begins with one of several."""
    return any(sign in plain for sign in signs)


def _whole_token(plain: str, end: int) -> int:
    rest = _REST_OF_TOKEN.match(plain, end)
    return rest.end() if rest is not None else end


def _of_no_person(plain: str, cue: re.Match[str]) -> bool:
    return " on " not in cue[0] and word_before(plain, cue.start()) in _NO_PERSONS


def _signed(plain: str) -> Iterator[tuple[int, int]]:
    for hit in _REGARDS.finditer(plain):
        end = words_from(plain, hit.end(), _MOST_WORDS)
        if end > hit.end() and _END_OF_LINE.match(plain, end):
            yield hit.end(), end


def chinese_names(plain: str) -> Iterator[Found]:
    if plain.isascii():
        return
    shapes = [shape for shape, signs in _CHINESE_SHAPES if _any_of(signs, plain)]
    for start, end in sorted(hit.span(1) for shape in shapes for hit in shape.finditer(plain)):
        yield Found(start, end, "name", plain[start:end])
