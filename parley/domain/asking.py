"""What kind of thing a question asks for, and how a text looks that holds it: an amount, a time, an age, steps to take."""

import re

AMOUNT = re.compile(r"[€$£%]|欧元|\bfree\b|免费|免收|不收费|免息|no (?:fee|charge)|costs? nothing")
TIME = re.compile(
    r"\d\s*(?:working |calendar |business )?(?:second|minute|hour|day|week|month|year)s?\b|\d{1,2}:\d\d|\bat once\b|立即"
    r"|\d\s*(?:个?工作日|秒|分钟|个?小时|天|周|个月|年|日)|\d(?:st|nd|rd|th)\b|working day\b|工作日"
)
AGE = re.compile(r"\b\d{1,2} or older|\bage \d|\baged \d|\bfrom \d{1,2}\b|\d{1,2} 岁")
STEPS = re.compile(r"^\s*1[.)]\s", re.MULTILINE)

KINDS = {
    AMOUNT: re.compile(
        r"\bhow (?:much|expensive)\b|\b(?:cost|price|fee|charge|rate|pay|limit|maximum|most)s?\b|\binterest\b"
        r"|多少钱|多少欧|费用|收费|手续费|要钱|价格|利率|利息|限额|额度|最多|最少|最高|最低"
    ),
    TIME: re.compile(
        r"\bhow (?:long|soon|fast|quick|many (?:day|week|month|hour))|\bwhen\b|\bwhich day\b|\bwhat (?:time|day)\b|\buntil\b"
        r"|\b(?:time|deadline)s?\b|多久|多长时间|几天|多少天|什么时候|何时|几点|哪天|几号|时间"
    ),
    STEPS: re.compile(
        r"\bhow (?:do|can|could|should|would) (?:i|we|you)\b|\bhow to\b|\bwhat (?:now|next)\b|\bwhat (?:do|should|can|must) i do\b|\bwhat to do\b"
        r"|怎么办|(?:怎么|怎样|如何)(?!样|收|算|计|这么|那么)|步骤"
    ),
    AGE: re.compile(r"\bhow old\b|\bage\b|\bwho can\b|\d[ -]?years?[ -]old|几岁|多大|年龄|\d\s*岁|条件"),
}
"""By how a text looks that holds a kind of thing, how a question or a heading looks that is about it."""


def kinds_of(question: str) -> frozenset[re.Pattern[str]]:
    """A pattern for each kind of thing that a question asks for, or a heading announces."""
    asked = question.lower()
    return frozenset(there for there, wanted in KINDS.items() if wanted.search(asked))
