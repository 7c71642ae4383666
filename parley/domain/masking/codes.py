"""Codes and passwords where no cue word stands right before them, and where the word is only `code`."""

import re
from collections.abc import Iterator

from parley.domain.masking.amounts import NO_UNIT
from parley.domain.masking.cues import CODE_WORDS, Cue, after, stands_alone
from parley.domain.masking.everyday import word_before
from parley.domain.masking.found import MARKS, Found, Rule, joined, listed

NO_SECRETS = listed(
    "address area bank bar barcode branch bug country coupon currency dialing dialling discount dress error exit fault fee "
    "gift http item merchant model offer order page phone post postal postcode product promo promotion qr reason reference "
    "referral response sort source status store swift tax tracking transaction voucher zip"
)
"""What a code may be of that is no secret."""
_MIDDLE = r"(?:(?!(?:the|an?|that|and|or|of|for|in|on|to|with|not|no)\b)[a-z]+ ){0,3}?"
_BEFORE = re.compile(
    r"([0-9](?<![0-9a-z.,].)(?<!(?<!g)-.)(?:[0-9]{1,3}[ -][0-9]{2,4}(?:[ -][0-9]{2,4})?(?![0-9])|[0-9]{2,7}+))(?:[ \])]{0,2}(?:is|was|as) (?:(?:my|the|your|our|an?) )?"
    rf"{_MIDDLE}|[ \])]{{0,2}}就?[是为] ?(?:我的?|您的?|你的?|本次)?[^\W0-9]{{0,6}}?| ?[(\[])"
    rf"((?:{CODE_WORDS})|code)"
)
"""`482913 is the code`, `482913是我的验证码`, `482913 (code)`."""

_PASSWORD = re.compile(
    r"(?:pass?(?:word|phrase|wd)|(?<![a-z])(?:pwd?|memorable word|answer to (?:(?:my|the) )?security question)|密码|口令)"
    r"(?P<said> ?(?:is|was)(?![a-z])(?: ?[:=])?|'s(?![a-z])| ?[:=]| ?(?:是|为|改成了?|改为)|(?= ?[\"'])|(?= ?(?:[a-z]+[^\sa-z]*[0-9]|[0-9]+[a-z]+[0-9])))"
    r" ?(?:(?P<mark>[\"'])(?P<quoted>[^\"'\n\x0e-\x1b]{3,60})(?P=mark)|(?P<word>[!-~]{3,60}))"
)
"""With nothing between, only what is quoted, or has letters and figures, is one."""
_SENTENCE_ENDS = re.compile(r"[\"')]*(?:\s*$|\s*\n|[.,;!?)]| (?:and|but|or|so)(?![a-z])|[^ -~])")
NO_PASSWORDS = listed(
    "a about accepted active again all already also always an and app asked at because been being blocked case changed "
    "cleared compromised correct created deactivated declined different disabled does easy empty enough entered error even "
    "exactly expired expiring false fine for forgotten free from gone good hacked hard hidden how i if in incorrect insecure "
    "invalid is it just kept known leaked like linked lock locked long lost mandatory me mine missing my needed never new no "
    "none not nothing now off ok okay old on only optional or our out outdated please possible private protected public ready "
    "recognised recognized refused rejected remembered required reset resetting right safe same saved secret secure sensitive "
    "sent set shared short simple so still stolen stored strong temporary that the there this to too unavailable unchanged "
    "unknown unsafe updated valid very visible was weak what when where which whose why will without wrong your"
)
"""What is said of a password without telling it."""

_SYMBOLS = re.compile(r"[0-9!@#$%^&*_+=~]")
"""What no word of a sentence has in it."""

_EXPIRY = r"(?:0[1-9]|1[0-2])(?: ?[/-] ?| ?)(?:20)?[0-9]{2}"
_BEHIND_CARD = re.compile(
    rf"{MARKS['card']}[\s,;/]{{1,3}}(?:exp[a-z]*\.?:? ?)?{_EXPIRY}[\s,;/]{{1,3}}([0-9]{{3}})(?![0-9]|[.,:/-][0-9]){NO_UNIT}"
)
"""The security code, as it is read off a card: number, expiry date, code."""


def codes_before(plain: str) -> Iterator[Found]:
    for hit in _BEFORE.finditer(plain):
        start, end = hit.span(2)
        if stands_alone(plain, start, end) and (hit[2] != "code" or _secret(plain, start)):
            begin = hit.start() - 2 if plain[: hit.start()].endswith("g-") else hit.start()
            yield Found(begin, hit.end(1), "code", joined(plain[begin : hit.end(1)]))


def codes_behind_cards(plain: str) -> Iterator[Found]:
    for hit in _BEHIND_CARD.finditer(plain):
        yield Found(*hit.span(1), "code", hit[1])


def passwords(plain: str) -> Iterator[Found]:
    for hit in _PASSWORD.finditer(plain):
        start = hit.start("quoted" if hit["quoted"] else "word")
        value = hit["quoted"] or hit["word"].rstrip(".,;:)]\"'?")
        if _tells(plain, hit, start + len(value), value):
            yield Found(start, start + len(value), "code", value)


_LOGIN = re.compile(
    r"(?:user ?(?:name|id)|login(?: ?name)?|wechat(?: ?id)?|微信号?|用户名|登录名)(?: is(?![a-z])| ?[:=]|是|为) ?"
    r"((?=[a-z0-9_.-]*[0-9_])[a-z][a-z0-9_.-]{2,30}[a-z0-9_])(?![a-z0-9_@-])"
)
"""A user's name that has a figure or an underscore in it; another is like any word."""


def logins(plain: str) -> Iterator[Found]:
    for hit in _LOGIN.finditer(plain):
        yield Found(*hit.span(1), "account", hit[1])


def _tells(plain: str, hit: re.Match[str], end: int, word: str) -> bool:
    """Whether a word behind `password is` is the password, and not what is wrong with it."""
    if len(word.strip()) < 3:
        return False
    if _SYMBOLS.search(word):
        return "://" not in word
    if word.endswith(("ed", "ing")) or re.split("[-/']", word)[0] in NO_PASSWORDS:
        return False
    return (
        bool(re.search("[:=是为成]", hit["said"]) or hit["quoted"])
        or _SENTENCE_ENDS.match(plain, end) is not None
    )


def _secret(plain: str, start: int) -> bool:
    """Whether a `code` that begins there is one: not an error's, a shop's or a town's."""
    return word_before(plain, start) not in NO_SECRETS


codes_after: Rule = after(
    Cue(
        "code",
        "code",
        r"[0-9]{2,4}(?:[ -][0-9]{2,4}){1,3}|(?:[a-z]-?)?[0-9]{4,8}+|[0-9](?:[ -][0-9]){3,7}",
        4,
        joined,
        announces=_secret,
    )
)
