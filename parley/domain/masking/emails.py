"""E-mail addresses, in any script."""

import re
from collections.abc import Iterator

from parley.domain.masking.found import Found

_CJK = r"\u2e80-\u9fff\uac00-\ud7af"
_LATIN_LOCAL = re.compile(rf"(?:[^\W{_CJK}]|[%+'-])(?:[^\W{_CJK}]|[.%+'-]){{0,63}}")
"""Any alphabet that sets words apart with blanks: `münchen@…`."""
_OTHER_LOCAL = re.compile(r"[^\W0-9a-z_][\w.+-]{0,63}")
_LEADS_IN = re.compile(r".*[是为到给发寄叫在至箱](?=.)", re.DOTALL)
"""Chinese words that stand right before an address without a blank: the last of them ends what is said about it."""

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_CHINESE_ENDS = (
    "中国|中國|公司|网络|網絡|在线|集团|中文网|网址|商标|香港|台湾|台灣|新加坡|企业|商城|政务|公益"
)
_DOMAIN = re.compile(
    rf"(?:{_LABEL}\.){{1,8}}?"
    rf"(?:xn--[a-z0-9-]{{2,59}}|[a-z]{{2,24}}(?![a-z0-9-]|\.[a-z0-9])|{_CHINESE_ENDS}|[^\W\d_a-z\u3400-\u9fff]{{2,24}})"
)
_USUAL_DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}"
    r"(?:com|net|org|edu|gov|info|biz|app|dev|mail|example|[a-z]{2})(?![a-z0-9-])"
)
_AT = re.compile(r"( {0,2})@( {0,2})")
_MOST_CHARS = 64
"""Of a local part (RFC 5321, 4.5.3.1.1)."""

_READ_AT, _READ_DOT = r"(?: at | ?[\[(]at[\])] ?| ?艾特 ?)", r"(?: dot | ?[\[(]dot[\])] ?)"
_READ_MARKS = "(?: (?:dot|point|underscore|dash|hyphen) [a-z0-9._-]{1,64}){0,3}"
_READ_OUT = re.compile(
    rf"(?<![a-z0-9._-])[a-z0-9._-]{{1,64}}{_READ_MARKS}{_READ_AT}[a-z0-9-]{{1,63}}"
    rf"(?:{_READ_DOT}[a-z0-9-]{{1,63}}){{0,3}}{_READ_DOT}[a-z]{{2,10}}(?![a-z0-9-])"
)
"""`jane dot doe at example dot com`."""
_HALF_READ = re.compile(
    rf"(?<![a-z0-9._-])[a-z0-9._-]{{1,64}} ?(?:[\[(]at[\])]|艾特) ?{_USUAL_DOMAIN.pattern}"
)
"""`jane(at)example.com`; without brackets it may be a shop: `I paid at example.com`."""
_MAILERS = re.compile(
    r"(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|proton(?:mail)?|gmx|qq|163|126)(?: ?[,;] ?(?:com|net|de|ie))?(?![a-z0-9])"
)
"""What needs no ending: `jane@gmail`, `jane@outlook,com`."""


def emails(plain: str) -> Iterator[Found]:
    end = 0
    for at in _AT.finditer(plain):
        found = _email(plain, end, at)
        if found is not None:
            end = found.end
            yield found


def _email(plain: str, begin: int, at: re.Match[str]) -> Found | None:
    """The address around an `@`. With blanks about it, only what ends like a usual domain is one."""
    local = _local(plain[max(begin, at.start() - _MOST_CHARS) : at.start()])
    domain = (_USUAL_DOMAIN if at[1] or at[2] else _DOMAIN).match(plain, at.end())
    if domain is None and not (at[1] or at[2]):
        domain = _MAILERS.match(plain, at.end())
    if domain is None or not local:
        return None
    return Found(at.start() - len(local), domain.end(), "email", f"{local}@{domain[0]}")


def _local(text: str) -> str:
    """The local part that a text ends with; in Chinese nothing tells it from the words before."""
    backwards = text[::-1]
    latin = _LATIN_LOCAL.match(backwards)
    if latin is not None:
        return latin[0][::-1]
    other = _OTHER_LOCAL.match(backwards)
    return _LEADS_IN.sub("", other[0][::-1]) if other is not None else ""


def emails_read_out(plain: str) -> Iterator[Found]:
    for signs, shape in ((("dot",), _READ_OUT), (("at)", "at]", "艾特"), _HALF_READ)):
        if any(sign in plain for sign in signs):
            for hit in shape.finditer(plain):
                yield Found(hit.start(), hit.end(), "email", hit[0])
