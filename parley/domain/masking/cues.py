"""Values that only the words before them give away: `my PIN is 1234`, `卡号：…`, `my card number is four one one one …`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from parley.domain.masking.amounts import DATE, NO_UNIT
from parley.domain.masking.found import Found, Rule, digits_of, joined
from parley.domain.masking.phones import phone_value
from parley.domain.masking.spoken import spoken_digits

_NUMBER = r"(?: ?(?:numbers?|num|no|nr|id|#)(?![a-z])\.?)?"
_BETWEEN_WORDS = (
    "number|code|no|nr|num|is|was|are|be|s|my|the|for|this|that|card|your|our|you|it|here|i|got|get|received|just|entered|typed"
    "|used|gave|of|on|a|back|me|sent|by|sms|text|today|now|says|reads|as|account|new|old|at|under|from|changed|which|login"
)
_GLUE = re.compile(
    rf"(?:[\s:=#\"'(\[,*|>№-]|(?:{_BETWEEN_WORDS})(?![a-z0-9])\.?|就?是|为|號|号码?|码|我的?|您的?|你的?|收到|的|了|给|短信|新|从|改成|改为|档案|编号){{0,20}}+"
)
_OTHER_WORDS = re.compile(r"(?: [a-z']{1,15}){1,5} (?:is|was)(?![a-z])")
_LISTED = re.compile(r" ?(?:[,、;/&+] ?(?:and |or )?|and |or |to |和|及|或|改成了?|改为|换成了?) ?")
_ENDS_OF_NUMBER = ("number", "no", "no.", "号", "号码")
"""Between a cue that ends with `number` and its value anything may be said: `account number of my wife is …`."""

_END = rf"(?![0-9a-z]|/[0-9]|[.,:][0-9]){NO_UNIT}"


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that announce a value, how it is written, and how many digits it has at least when it is spoken."""

    kind: str
    words: str
    written: str
    spoken: int
    value: Callable[[str], str]
    announces: Callable[[str, int], bool] = lambda plain, start: True
    """Whether the words that begin there in a folded text mean it."""
    holds: "Holds" = lambda value, *, said: True
    """Whether a value in its one spelling, written or said, is one after all."""


class Holds(Protocol):
    def __call__(self, value: str, *, said: bool) -> bool: ...


_CODES = (
    "one-time,one time,onetime,verification,security,confirmation,authentication,authentification,authorisation,authorization,activation"
    ",access,sms,text,login,log-in,unlock,2fa"
)
CODE_WORDS = "|".join(
    [
        "otp|pin|puk[12]?|tan|cvv2?|cvc2?|cv2|csc|pass ?codes?",
        "(?:three|3)[ -]digits?(?: security)?(?: codes?| numbers?)?|背面的?[三3]位(?:数字?|码)?",
        "验证码|校验码|动态码|动态口令|短信码|安全码|识别码|激活码|授权码|口令|密码",
        *(f"{word}[- ]?(?:pass)?(?:code|number|password|pin)" for word in _CODES.split(",")),
    ]
)
"""Each alternative begins with a character of its own, by which a search is quickest."""
_CODE = (
    r"[0-9]{2,4}(?:[ -][0-9]{2,4}){1,3}|(?=[a-z-]{0,9}[0-9])[a-z0-9]{3,5}(?:-[a-z0-9]{2,5}){1,4}"
    r"|(?:g-|[a-z]-?)?[0-9]{3,8}+|[0-9](?:[ .,-]{1,2}[0-9]){2,7}"
)

CUES = (
    Cue("iban", "iban", r"[a-z]{2}[0-9]{2}(?:[ .-]{0,2}[a-z]{4})?(?:[ .-]{0,2}[0-9]){8,26}", 99, joined),
    Cue(
        "id",
        "passport|id[- ]?card|identity card|identity document|national id|national insurance|id(?= (?:number|no))|ssn|social security"
        "|ppsn?|driver'?s? licen[cs]e|driving licen[cs]e|tax id|residence permit"
        "|身份证|护照|证件号|通行证|居留证|居留卡|驾照|驾驶证|社保号|社会安全号|税号",
        r"[0-9]{7} [a-w][a-i]?|[a-z]{5} ?[0-9]{6} ?[a-z0-9]{5}|(?=(?:[a-z ./-]*[0-9]){5})(?:[a-z]{0,3} ?[0-9]{2,8}(?:[ ./-][0-9]{2,8}[a-z]?){1,6}(?: [a-z](?![a-z]))?|[a-z]{0,2} ?(?=[a-z]*[0-9])[a-z0-9]{5,20})",
        7,
        joined,
    ),
    Cue(
        "card",
        r"card ?(?:numbers?|num|no|nr|#)\.?|卡号",
        r"[0-9](?:[ .,/_-]{0,3}[0-9]){11,18}",
        12,
        digits_of,
    ),
    Cue("code", rf"(?:{CODE_WORDS})(?: to(?= [0-9])|是?多少[? ]*(?=[是0-9]))?", _CODE, 3, joined),
    Cue(
        "account",
        r"account|a/c|acct|acc|customer|cust(?=\.? ?(?:id|number|no|#))|client|member(?:ship)?|(?:user|contract|loan|policy)(?= ?(?:id|number|no))"
        "|sort ?code|routing|bsb|bban"
        "|账号|帐号|账户|帐户|户口|客户号|客户编号|会员号|用户号|合同号",
        r"(?:[a-z]{1,3}-?)?[0-9](?:[ -]?[0-9]){5,17}",
        6,
        joined,
    ),
    Cue(
        "phone",
        "telephone|(?:my|her|his|our|work|home|contact|office|daytime) number|phone|mobile|cell|call me|reach me|ring me|text me|tel|whatsapp|wechat|微信|qq号?|电话|固话|座机|手机|我的号码|联系号码|致电|联系方式",
        r"\(?\+?[0-9](?:[ ()./-]{0,2}[0-9]){6,14}",
        7,
        phone_value,
    ),
)


def after(cue: Cue) -> Rule:
    words = re.compile(rf"(?:{cue.words})(?:s(?![a-z]))?{_NUMBER}")
    written = re.compile(rf"({cue.written}){_END}")

    def rule(plain: str) -> Iterator[Found]:
        end = 0
        for hit in words.finditer(plain):
            if hit.start() < end or not (
                stands_alone(plain, *hit.span()) and cue.announces(plain, hit.start())
            ):
                continue
            found = _value(plain, hit, written, cue)
            while found is not None:
                end = found.end
                yield found
                found = _next(plain, found, written, cue)

    return rule


def _next(plain: str, found: Found, written: re.Pattern[str], cue: Cue) -> Found | None:
    """One more of a list: `account numbers 12345678, 87654321 and …`; what it has in common is its length."""
    listed = _LISTED.match(plain, found.end)
    value = written.match(plain, listed.end()) if listed is not None else None
    if value is None or DATE.match(plain, value.start()) or len(cue.value(value[1])) != len(found.value):
        return None
    if not cue.holds(cue.value(value[1]), said=False):
        return None
    return Found(*value.span(1), cue.kind, cue.value(value[1]))


def stands_alone(plain: str, start: int, end: int) -> bool:
    """Whether a span of a folded text is not part of a longer Latin word."""
    return not (
        (_latin(plain[start : start + 1]) and _latin(plain[start - 1 : start]))
        or (_latin(plain[end - 1 : end]) and _latin(plain[end : end + 1]))
    )


def _latin(character: str) -> bool:
    return "a" <= character <= "z"


def _value(plain: str, hit: re.Match[str], written: re.Pattern[str], cue: Cue) -> Found | None:
    for start in _starts(plain, hit):
        value = written.match(plain, start)
        if value is not None and not DATE.match(plain, start) and cue.holds(cue.value(value[1]), said=False):
            return Found(*value.span(1), cue.kind, cue.value(value[1]))
        said = spoken_digits(plain, start)
        if said is not None and len(said.digits) >= cue.spoken and cue.holds(said.digits, said=True):
            return Found(start, said.end, cue.kind, cue.value(said.digits))
    return None


def _starts(plain: str, hit: re.Match[str]) -> Iterator[int]:
    """Where a value may begin behind its cue."""
    yield _behind_glue(plain, hit.end())
    others = _OTHER_WORDS.match(plain, hit.end()) if hit[0].endswith(_ENDS_OF_NUMBER) else None
    if others is not None:
        yield _behind_glue(plain, others.end())


def _behind_glue(plain: str, start: int) -> int:
    glue = _GLUE.match(plain, start)
    assert glue is not None  # it matches nothing, too
    return glue.end()
