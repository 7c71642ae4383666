"""How much a sentence tells of a conversation: of what the customer wanted, or of what was done about it."""

import re

from parley.domain.analysis.quoting import without_leads
from parley.domain.analysis.said import Sentence

_ENGLISH_WANT = re.compile(
    r"\b(?:i|we)(?:'d| would| really| just| also)* (?:like|want|wanted|need|needed|wanna|wish)\b|\b(?:i'm|i am|we're|i was) (?:calling|trying|looking|having|wondering|unable|interested|missing|being)"
    r"|\bcalling (?:about|because|regarding|to)\b|\b(?:i|we)(?:'ve| have)? (?:just |still |also |not )?(?:can't|cannot|couldn't|lost|didn't|haven't|never|forgot|received|got|noticed|found|encountered|see|saw|been)\b"
    r"|\b(?:have|had|having|with) (?:a|an|some|any)? ?(?:\w+ )?(?:problem|issue|question|trouble|concern)|\b(?:can|could|would|will) (?:you|i|we)\b"
    r"|\bis (?:it possible|there (?:a|any) way)|\bhow (?:do|can|much|long|often|many|does)\b|\bwhat(?:'s| is| are| do| happens)\b|\bwhen (?:will|is|do|does|can)\b|\bwhy\b|\bwhere (?:is|can|do)\b"
)
_ENGLISH_TROUBLE = re.compile(
    r"\b(?:problem|issue|wrong|missing|lost|stolen|declined?|charged?|blocked|locked|error|delay|refund|cancel|fraud|scam|dispute|complain|overdraft|fee|fees|replace|unauthori[sz]ed"
    r"|broken|failed|expired|hacked|incorrect|appointment|transfer|balance|statement|password|pin|order|payment|account|card|loan|mortgage)\w*"
)
_ENGLISH_DONE = re.compile(
    r"\b(?:has|have|had) (?:now |just |already |also )?been\b|\b(?:i've|i have|we've|we have) (?:now |just |already |also |successfully )?(?:\w+ed|sent|set|put|made|done|found|got|seen)\b"
    r"|\b(?:i|we) (?:was|were) able to\b|\bi (?:can|do) (?:see|confirm)\b|\b(?:is|are) (?:now|currently|scheduled|blocked|active|free|available|due|open|closed)\b"
    r"|\bit (?:looks|seems|appears)\b|\bthere(?:'s| is| was| were| are| has been) (?:a|an|some|no)\b|\bbecause\b|\bdue to\b|\bthe (?:reason|fee|rate|limit|balance|amount|charge|issue|problem|cost)\b"
    r"|\byou(?:'ll)? (?:can|need to|have to|must|may)\b|\bcosts?\b|\bin the app\b|\bplease (?:use|visit|go|call|send|log|check|note|keep|try)\b|\bunfortunately\b|\b(?:i|we) (?:just )?(?:cancelled|sent|blocked|reset|refunded|ordered|booked)\b"
)
_ENGLISH_FORMULA = re.compile(
    r"\banything else\b|\b(?:thank you|thanks)(?: so much| very much)?(?: again)? for (?:calling|contacting|your|that|providing|waiting|holding|confirming|the)|\bhave a (?:\w+ )?(?:day|one|evening|weekend|night)"
    r"|\bhow (?:can|may|could) (?:i|we) (?:help|assist)|\bmy name is\b|\b(?:your|my|the) (?:full )?(?:name|date of birth|order number|account number|email|phone number|zip|postcode|postal code|tax id|last four)\b"
    r"|\blast four\b|\b(?:for|to) (?:verif|better assist|help you better|security)\w*|\byou're (?:very )?welcome\b|\bsorry to hear|\b(?:let me|one moment|just a moment|hold on|bear with|give me a)\b"
    r"|\bhow are you\b|\b(?:can|could|do) you (?:hear|repeat|spell|hold|say that)|\bnice to meet|\bmy pleasure\b|\b(?:happy|glad|here) to (?:help|assist)|\b(?:that's|that is|that'll be|that will be) (?:all|it|everything)\b|\bplease don't hesitate\b"
    r"|\bi(?:'m| am) [a-z]+ [a-z]+[.,]?$|^(?:bye|goodbye|good (?:morning|afternoon|evening|day))|\bdo my best\b|^(?:yes|no|sure|okay|of course),? (?:it's|it is|that's|my)\b|\bappreciate\b|\bthat's (?:great|wonderful|good)\b|\bi(?: completely| fully| can)? understand\b"
    r"|^(?:(?:right|and|so|okay|great|thanks),? )*your [a-z' ]{1,40}?(?: as well)?,? please[.?!]?$|\b(?:account|card|pin|phone|customer|member|security|social|birthday)\b[^.]{0,20}\d{2,}"
    r"|^(?:[a-z ]{0,12}, ?)?this is [a-z]+(?: [a-z]+)? (?:from|with|at|of)\b|\bspeaking[.!?]?$|\bi (?:can )?(?:see|found|identified) the (?:problem|issue)(?: here| now)?[.!]?$|\bbringing (?:this|it)\b"
    r"|\bi'll (?:just |now )?(?:look|check|pull|see)\b|\blet's\b|\breaching out\b|\bhesitate\b|\b(?:this|it|that) will help us\b|\b(?:noted|got) (?:that|it|this|your|down|everything)\b|\bgot that down\b|\bmade a note\b|\byour details\b|\bpulled up\b"
    r"|\b(?:located|found|got|have) your (?:\w+ )?(?:order|account|details|booking|records?|information|profile)\b|\ballow me\b|\bare you (?:still )?there\b|\bcheck and confirm\b"
)
_CHINESE_WANT = re.compile(
    r"我想|我要|想要|我需要|请问|怎么|如何|为什么|为啥|能不能|能否|可不可以|可以[^,。]{0,12}吗|是不是|什么时候|多少|多久|帮我|咨询|办理|查一?下|没收到|没到账|丢了|被|打不开|登不上|登录不|不能|无法|扣了|扣款|投诉|退[款货]|找不到|收到|我的"
)
_CHINESE_TROUBLE = re.compile(
    "问题|错|丢|偷|盗|拒|扣|冻结|锁|延迟|退|取消|诈骗|骗|投诉|费|补办|失败|过期|密码|余额|账单|转账|订单|付款|账户|账号|卡|贷款|利息|还款|流量|套餐|网络|快递|预约|挂失"
)
_CHINESE_DONE = re.compile(
    "已经?[为给帮替将把]?|了您的|由于|因为|原因|显示|系统|[您你]可以|[您你]需要|需要(?:提供|携带|带)|手续费|利率|费用|目前|根据|规定|工作日|成功|可以在|可在|不支持|无法|暂时|是因|查到|属于"
)
_CHINESE_FORMULA = re.compile(
    "^[您你]好|有什么(?:可以|能)|很?高兴为|来电|祝[您你]|再见|还有(?:什么|其他|别的)|稍等|不客气|没关系|^(?:不好意思|非?常?抱歉)[^,]{0,12}$|贵姓|姓名|身份证|后四位|手机号|核实|核对|满意度|感谢|谢谢|^(?:好的|是的|嗯|对)[,。!]?$|理解[您你]|工号|录音|转接|稍候"
)
_FIGURE = re.compile(
    r"\d|[€$£¥%]|\b(?:percent|hundred|thousand|dollars|euros|pounds|working days|business days)\b|元|块钱|百分之"
)
_QUESTION = re.compile(
    r"\?$|[吗呢]$|^(?:(?:and|so|but|okay|ok|well|yes|sorry|then)[, ]+)*(?:can|could|would|will|do|does|did|is|are|have|has|what|when|where|who|how|why|which|may|shall)\b"
)

FEW_WORDS = 3
MANY_WORDS = 40
_CHARACTERS_A_WORD = 1.7
"""Of Chinese, roughly."""


def words_in(sentence: Sentence) -> int:
    han = sum("\u3400" <= character <= "\u9fff" for character in sentence.han)
    latin = sum(word[:1].isalnum() and word.isascii() for word in sentence.plain.split())
    return latin + round(han / _CHARACTERS_A_WORD)


def is_question(sentence: Sentence) -> bool:
    return _QUESTION.search(sentence.plain) is not None


def is_formula(sentence: Sentence) -> bool:
    """Greetings, farewells, thanks, and what proves who is calling."""
    return _formula(sentence) is not None


_WANTS_A_HUMAN = re.compile(
    r"\b(?:speak|talk|connect|transfer|put) (?:me )?(?:to|with|through to) (?:a |an |the |your |some)?(?:real |live |actual )?(?:human|person|agent|someone|somebody|representative|operator)"
    "|转?人工(?!费)|真人"
)
"""That tells little of the matter itself."""


def of_want(sentence: Sentence) -> float:
    """Above 1 where the customer says what they want, or what is wrong."""
    worth = 0.0
    if sentence.english:
        worth += 2.0 * bool(_ENGLISH_WANT.search(sentence.plain)) + bool(
            _ENGLISH_TROUBLE.search(sentence.plain)
        )
    if sentence.chinese:
        worth += 2.0 * bool(_CHINESE_WANT.search(sentence.han)) + bool(_CHINESE_TROUBLE.search(sentence.han))
    human = bool(_WANTS_A_HUMAN.search(sentence.han or sentence.plain))
    return min(worth, 3.0) + _by_length(sentence) - 3.0 * is_formula(sentence) - 2.0 * human


def of_answer(sentence: Sentence) -> float:
    """Above 1 where the company's side says what is so, or what was done."""
    worth = 0.0
    if sentence.english:
        worth += 2.0 * bool(_ENGLISH_DONE.search(sentence.plain))
    if sentence.chinese:
        worth += 2.0 * bool(_CHINESE_DONE.search(sentence.han))
    worth = min(worth, 2.0) + 0.7 * bool(_FIGURE.search(sentence.plain)) + _by_length(sentence)
    return worth - 4.0 * is_formula(sentence) - 3.0 * is_question(sentence)


def _formula(sentence: Sentence) -> re.Match[str] | None:
    found = _ENGLISH_FORMULA.search(sentence.plain) if sentence.english else None
    return found or (_CHINESE_FORMULA.search(without_leads(sentence.han)) if sentence.chinese else None)


def _by_length(sentence: Sentence) -> float:
    words = words_in(sentence)
    return -3.0 if words < FEW_WORDS else -1.0 if words > MANY_WORDS else 0.0
