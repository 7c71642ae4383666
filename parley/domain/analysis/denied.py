"""Whether a phrase that was found is denied where it stands: `we don't record this call`, `会录音吗？不会。`

Texts are as `checks.spelled` writes them: words parted by one blank, a tab behind a comma, a line end behind a sentence, `\\v` behind a question.
A word that denies counts for what its clause says, not for what stands beside it: `I can't hear you this call is recorded` is said.
"""

import re

_ENDED = re.compile(r"[\n\v]")
_MOST_WORDS = 7
_MOST_HAN = 14
_LOOKED_AT = 160
"""Between a word that denies and the phrase; characters of a sentence that are looked at."""

_DENIES = re.compile(
    r"(?<=[ \t\n\v])(?:no need (?:for|to)|used to|myth|lie|untrue|false|not|never|nobody|nothing|no one|none|neither|nor|without|instead of|rather than|stop|stopped|refuse[sd]?|refrain|unable|avoid|forgot|failed|(?P<no>no))(?=[ \t])"
)
_NOT_MEANT = re.compile(
    r" (?:only|just|forget|(?:be )?(?:surprised|alarmed)|hesitate|mind|(?:quite )?(?:get|catch|hear)|(?:have to |need to )?worry|hang|matter|problems?|worries|doubt|rush|hurry)\b"
)
"""`not only`, `don't forget`, `no problem` deny nothing."""
_CLAUSE = re.compile(r"\s[a-z]+(?:\s[a-z]+)?\s(?:is|are|was|were|am)\b")
_QUESTION = re.compile(r"\s(?:can|may|could|what|how|who|when)\b")
_TOLD = "think|say|saying|said|tell|told|believe|sure|true|mean|claim|know|guarantee|case|certain|promise|aware|suppose"
_LINKS = frozenset(
    f"{_TOLD}|that|whether|if|the|this|these|your|our|any|all|every|each|of|my|a|single|phone|to|you|be|it|is|i|we|am|are|on|in|about|yet".split(
        "|"
    )
)
_BEHIND_NO = frozenset(("", "phone", "longer", "more", "other", "such", "part of this", "part of the"))
_BLOCKS = re.compile(
    r"\b(?:i|we|they|he|she|and|but|so|because|if|please|which|who|what|how|when|may|can|could|unless|although|though|while|however|then)\b"
)
_WHAT_IS_TOLD = re.compile(rf"(?:^ that|\b(?:{_TOLD})(?: that)?) (?:i|we|they|he|she)\b")
_KNOWN = re.compile(r" (?:know|say|see|sure|understand|think|care|remember|tell you)$")

_AFTER = re.compile(
    r" (?:is|are|was|were|has|have|will|would|does|do)(?: [a-z]+)? (?:not|never|no longer)\b"
    r"|[ \t](?:we|i|they)(?: do| would| will| can| are| am)? (?:not|never)(?: ever)?(?: do| would)?(?: that| it)?(?=[\t\n\v]|\s?$)"
    r"|(?:[ \t\n]not|\v(?:not|never))(?=[\t\n\v]|\s?$)"
    r"|[\t\n](?:it|they|we) (?:is|are|do|does|will) not(?=[\t\n\v]|\s?$)"
    r"|[\t\n\v ](?:that|this|it|which) (?:is|was) (?:not (?:true|the case|so|right|correct|happening)|false|untrue|wrong)\b"
    r"|(?: is| are| was| has been| have been)? (?:switched off|turned off|disabled|false|untrue|stopped)\b"
)
_ASKED = re.compile(r"[ \t\n\v](?:(?:so|and|well|oh|okay) )*(?:is|are|was|were|do we|does|will)\b")
_ANSWERED_NO = re.compile(r"\v(?:no|nope|(?:it|they|we) [a-z]+ not)(?=[ \t\n\v])")

_HAN_POLITE = re.compile(
    "不好意思|对不起|不客气|没关系|没问题|没事|不用(?:担心|客气)|别(?:担心|着急|挂)|不要(?:担心|着急|挂)|不过|不仅|不但|不管|不论|无论|差不多|不同|不少|非常|特别|分别|别的|未来"
    "|(?P<twice>[是能会要有方愿])(?:不|没)(?P=twice)|可不可以|介不介意|(?:听|看|说)不(?:太)?(?:清楚?|到|见|懂)|没(?:听|看)(?:清楚?|到|见|懂)|不(?:清楚|明白|影响|耽误|遗漏)|不知道?(?=.{0,3}(?:怎么|贵姓))|不(?:介意|麻烦|打扰)"
)
_HAN_DENIES = re.compile("[不没未无别勿甭莫]|拒绝|停止|取消|关闭")
_HAN_BLOCKS = re.compile("但|而|所以|因此|请|如果|然后")
_HAN_AFTER = re.compile(
    "(?:功能|系统|服务|的|是|我们|我行|都|也|已经?|现在|目前|从来|这边|还|并|就|一直){0,6}"
    r"(?:没有?(?:开启?|启用|打开|进行|做|录|启动|在录|的?(?=[\t\n\v]|$))|未(?:开|启|曾|被)|不(?:开启|启用|会有|存在|做|进行)|关(?:闭|了|掉)|停(?:止|用|了)|暂停|是假的)"
    r"|(?:是?吗|么|呢|的|了){0,2}\v(?:没有|不是|不会|没|不)(?=[\t\n\v]|$)"
)


def denied(text: str, start: int, end: int) -> bool:
    """Of the phrase that stands there with the blank before it."""
    phrase, after = text[start:end], text[end : end + _LOOKED_AT]
    before = text[max(0, start - _LOOKED_AT) : start] if phrase[0] in " \t" else ""
    sentence = f" {_ENDED.split(before)[-1].lstrip()}"
    if "\u3400" <= phrase[-1] <= "\u9fff":
        return _before_han(sentence, phrase) or _HAN_AFTER.match(after.replace(" ", "")) is not None
    return _before(sentence, phrase) or _after(sentence, phrase, after)


def _before(sentence: str, phrase: str) -> bool:
    return any(
        _governs(sentence[match.end() :], phrase, no=match["no"] is not None)
        for match in _DENIES.finditer(f"{sentence} ")
        if match.end() <= len(sentence)
    )


def _governs(gap: str, phrase: str, *, no: bool) -> bool:
    """Whether a word that denies, so far before a phrase, denies it."""
    if "\t" in gap or phrase[0] == "\t":
        # Only across what is said in between, as in `we do not, as a rule, record`.
        return gap.startswith("\t") and "\t" not in gap[1:] and phrase[0] == "\t"
    if _NOT_MEANT.match(gap):
        return False
    words = gap.split()
    if no:
        return " ".join(words) in _BEHIND_NO
    if _QUESTION.match(phrase):
        return not words or _KNOWN.search(gap) is not None
    if _CLAUSE.match(phrase):
        return _LINKS.issuperset(words)
    return len(words) <= _MOST_WORDS and _BLOCKS.search(_WHAT_IS_TOLD.sub("", gap)) is None


def _after(sentence: str, phrase: str, after: str) -> bool:
    if _AFTER.match(after):
        return True
    return _ASKED.match(sentence + phrase) is not None and _ANSWERED_NO.match(after) is not None


def _before_han(sentence: str, phrase: str) -> bool:
    if phrase[0] != " ":
        return False
    clause = _HAN_POLITE.sub("", sentence.rpartition("\t")[2].replace(" ", ""))
    return any(
        match.end() >= len(clause) - _MOST_HAN and _HAN_BLOCKS.search(clause, match.end()) is None
        for match in _HAN_DENIES.finditer(clause)
    )
