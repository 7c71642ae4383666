"""Links, e-mail addresses and bare domains."""

import re

from parley.domain.guard.facts import Facts, Rule, reading
from parley.domain.guard.signs import POINT

_TARGET = re.compile(r"\]\([ ]{0,3}<?([^()\]>\s]{0,500})>?[^()\]]{0,200}\)")
"""Of a Markdown link, whatever its scheme."""
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s)\]>\"'，。；、）\x01]+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\W\u2e80-\u9fff][\w.+-]{0,63}(?<![\u2e80-\u9fff])@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")

_ENDS = (
    "com|net|org|edu|gov|int|info|biz|app|dev|bank|shop|site|online|website|store|tech|cloud|live|link|click|top|club|vip|icu|xyz|pro|mobi|name"
    "|finance|financial|money|loan|loans|credit|pay|insurance|support|help|services|center|email|digital|agency|group|world|space|page|blog|news"
    "|wang|win|work|example|invalid|test|[a-z]{2}|xn--[a-z0-9-]{2,59}"
)
_DOMAIN = re.compile(
    rf"(?<![a-z0-9@._/\\-])((?:[a-z0-9-]{{1,63}}\.){{0,6}}[a-z0-9][a-z0-9-]{{0,61}}[a-z0-9]\.({_ENDS}))(?![a-z0-9_-]|\.[a-z0-9])(?::\d{{2,5}})?"
    r"((?:/[^\s)\]>\"'，。；、）\x01]*)?)|[\w-]{1,40}\.(?:中国|公司|网络|在线|рф)(?!\w)",
    re.IGNORECASE,
)
"""`bank.example/help`, with two letters before the last point at least: `e.g.` and `p.m.` are none."""


def _target(match: re.Match[str], facts: Facts) -> bool:
    if "@" in match[1]:
        facts.say(f"link:{match[1].lower().removeprefix('mailto:')}")
    elif match[1]:
        _say(match[1], facts)
    return True


def _link(match: re.Match[str], facts: Facts) -> bool:
    _say(match[0], facts)
    return True


def _email(match: re.Match[str], facts: Facts) -> bool:
    facts.say(f"link:{match[0].lower()}")
    return True


def _domain(match: re.Match[str], facts: Facts) -> bool:
    """A word that begins with a capital behind a full stop is the next sentence, whose blank is missing."""
    end = match[2] or ""
    if len(end) == 2 and not (end.islower() or match[1].isupper()):
        return False
    _say(match[0], facts)
    return True


def _say(link: str, facts: Facts) -> None:
    """A link's host may be named without the rest of it."""
    short = link.rstrip(".,;:!?*").lower()
    short = re.sub(r"^https?://", "", short).removeprefix("www.").rstrip("/")
    facts.say(f"link:{short}")
    host = short.partition("/")[0]
    if host:
        facts.imply(f"link:{host}")


LINKS: tuple[Rule, ...] = (
    reading(_TARGET, _target, "]", "]("),
    reading(_EMAIL, _email, "@"),
    reading(_LINK, _link, (":", POINT), "://", "www."),
    reading(_DOMAIN, _domain, (POINT,)),
)
