"""The words of promises, English and Chinese, as patterns for folded sentences (`said.Sentence`).

A promise has somebody who promises, a sign of the future, and something that is done: each list here is one of these, or what takes it
back. Verbs are listed, so that `I will be honest` and `I'll wait` promise nothing.
"""

import re


def _any(words: str) -> str:
    """The forms, one a line or parted by bars, without the blanks around them."""
    return "|".join(
        part.strip() for line in words.strip().splitlines() for part in line.split("|") if part.strip()
    )


_OTHERS = (
    r"(?:the|our|my|a|an|your|another) (?:[a-z]+ ){0,3}?(?:team|bank|colleagues?|manager|supervisor|specialists?|department|technicians?|agents?"
    r"|advis[eo]rs?|representatives?|experts?|branch|office|courier|engineer|engineers|people|plumber|electrician|locksmith|installer|mechanic|driver|inspector|surveyor|consultant|officer)(?: of (?:mine|ours))?"
    r"|someone|somebody|they|(?:mr|mrs|ms|miss|dr)\.? [a-z]+|(?:someone|somebody|one) (?:from|of) [a-z]+(?: [a-z]+){0,2}"
)
_FIRST = "i|we"
_WILL = r"(?:'ll| will| shall|'m going to| am going to|'re going to| are going to| is going to|'m gonna| am gonna|'re gonna| are gonna)"
_BETWEEN = (
    r"(?:, (?:of course|naturally|certainly|however),)?"
    r"(?: (?:not only|not (?:forget|fail|hesitate) to|also|then|now|just|definitely|certainly|gladly|happily|personally|immediately|promptly|surely|absolutely|still|first|today|tomorrow"
    r"|tonight|shortly|soon|straight ?away|right away|at once|of course|always|most|both|all|[a-z]{3,12}ly"
    r"|be sure to|make sure to|make sure (?:that )?(?:we|i|they)|go ahead and|try to|try and|do (?:my|our) best to|be able to|be happy to|be glad to"
    r"|have to|need to|come back and|be"
    r"|(?:have|get|ask|tell) (?:a|an|my|our|the|someone|somebody|one of (?:our|my))(?: [a-z]+){0,3}?(?: to)?)){0,3}"
)
DONE = _any(
    r"""
    send|e-?mail|mail|post(?!pon)|text|message|call|ring|phone|contact|reach out|get back|get in touch|follow up|let you (?:all )?know|update (?:you|the|your)
    inform|notify|confirm (?:it|this|that|everything|the \w+|in writing|by)|refund|credit|reimburse|return (?:the|it|your|you|this)|pay|repay|settle (?:it|the|this|my)
    transfer (?!you\b)|deposit|block|freeze|unblock|unfreeze|unlock|cancel|order|issue|reissue|replace|arrange|schedule|book|set (?:it |that |this |one |you )?up
    process|submit|file\b|forward|escalate|raise|log (?:a|this|the|it|your)|open (?:a|an|the|your|it|that|this)|create (?:a|an)|investigate
    look into|look (?:at )?(?:this|that|it) (?:up )?and (?:call|get|write)|fix|resolve|rectify|correct|sort|take care|see to it|ensure|make sure (?:that |your |the |it |this |you )
    expedite|speed|deliver|ship|dispatch|bring|drop (?:it |them |that |this )?(?:off|by)|provide|give (?:you|them|it|him|her) (?:a|an|the|your|back|that|this|another|some|more|my)
    initiate|start (?:looking|working|by|the|a|an|your)|begin (?:looking|working|the)|work on|monitor|address|oversee|keep an eye|upload|fill|sign|complete|remove|waive|reverse|adjust|change (?:it|the|your|my|that)|add (?:it|the|a|you|your|this|that|another)|activate|enable|register|prepare
    pass (?:it|this|that|your|the|on)|speak (?:to|with)|talk to|write (?:to )?(?:you|them|him|her)|hand (?:it|this|that)|close (?:the|your|this) (?:account|case|ticket|claim)|make (?:the|a|that|this|my) payment
    visit|come (?:by|in|to the|back (?:to|with|tomorrow|on|later))|go to the (?:branch|bank|post)|lower|raise|increase|reduce|extend|renew|note (?:it|this|that|down)|report (?:it|this|that) to
    put (?:it|this|that|the money|a (?:note|stop|block|hold on (?:the|your))|your \w+ (?:in|on|back)|the \w+ (?:in|on|back)) |keep you (?:posted|updated|informed)|have (?:it|this|that) (?:sent|fixed|done|ready|resolved|sorted)
    (?:have|get) (?:a|an|the|your|our|it|this|that|another) (?:\w+ ){0,4}?(?:sent|posted|mailed|delivered|ordered|issued|blocked|refunded|cancelled|fixed|checked|changed|reviewed|corrected|set up|opened|removed|arranged)
    get (?:it|this|that|you|those|them) (?:\w+ )?(?:sent|fixed|done|ready|resolved|sorted|out|over|to you|set up)|do (?:that|this|it) (?:today|tomorrow|for you|right|now|straight|first|as soon|by|tonight|later)
    calling|sending|contacting|e-?mailing|following up|getting back|in touch|in contact|back in touch|back to you|back with you|with you (?:shortly|soon|by|in|on|tomorrow|within)
    have (?:the|that|your|my|it) (?:\w+ ){0,2}(?:ready|to you|there|by|on|tomorrow|within|paid)
    """
)
_LOOKED = (
    r"check|review|look|ask|verify|see (?!you\b)|find out|go through|try again|try it|do (?:it|that|this|so)"
)
"""What is mostly done at once, while the other side waits: a promise only where it is done later."""
LATER = re.compile(
    r"\b(?:tomorrow|tonight|later|by (?:the |next |end |close |mon|tues|wednes|thurs|fri|satur|sun|\d)|within|next (?:week|month|mon|tues|wednes|thurs|fri)"
    r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)|after (?:this|the) call|get(?:ting)? back|call(?:ing)? (?:you )?back|let you know|this (?:afternoon|evening|week)"
    r"|in (?:a|an|one|two|three|\d+) (?:hour|day|week|working)|end of)"
    r"|稍后|明天|明日|后天|晚点|回头|之内|以内|日内|天内|时内|今晚|下周|下个?月|周[一二三四五六日]"
)
COMES = _any(
    r"""
    come\b(?! across| up with| from| up\b)|(?:be|stop|drop|swing|pop) (?:here|there|with you|at your|by|round|in)\b|pick (?:it|them|that|the \w+|your \w+) up|collect (?:it|them|that|the|your)
    install|repair|inspect|take a look|see you|meet you|join
    """
)
"""What people do who are sent."""
_HAPPENS = _any(
    r"""
    be (?:[a-z]+ly |also |then |back )?(?:sent|e-?mailed|mailed|posted|refunded|credited|reimbursed|returned|delivered|shipped|dispatched|issued|reissued|replaced|contacted
    called|processed|resolved|fixed|corrected|reversed|waived|removed|cancelled|canceled|blocked|unblocked|unlocked|activated|completed|transferred|paid|updated|notified
    informed|escalated|reviewed|available|ready|done|there|sorted|restored|booked|scheduled|lifted|deposited|raised|lowered|increased|reduced|changed|applied|extended|granted|approved|paid out|reopened|reactivated|replied to|with you|at your|in your (?:account|inbox|mail)|on (?:its|the) way)
    arrive|reach you|reach your|come (?:by|in the|with|within|on|tomorrow)|go (?:out|through)|clear (?:by|on|in|tomorrow|within)|show up|appear (?:in|on|within)|take effect|receive (?:a|an|the|your)
    """
)
_THING = r"(?:your|the|a|an|this|that|it|everything|both|all)(?: [a-z'-]+){0,5}?"

FIRST_PERSON = re.compile(
    rf"\b(?:{_FIRST}){_WILL}{_BETWEEN} (?:{DONE})"
    rf"|\b(?:{_FIRST}){_WILL} [^.;!?]{{1,80}}? and (?:will |then |i'll |we'll )?(?:{DONE})"
    rf"|\b(?:{_FIRST}){_WILL}{_BETWEEN} (?P<looked>{_LOOKED})\b"
    rf"|(?<!can't )(?<!cannot )(?<!can not )(?<!don't )(?<!couldn't )\b(?:{_FIRST})(?:'ll| will| do|) ?(?:promise|guarantee|give you my word)\b(?! (?:you )?(?:nothing|no)\b)|\byou have my word\b"
    rf"|\bwhat (?:i|we)(?:'ll| will| can| am going to|'m going to|'re going to| are going to) do is (?:to )?(?:{DONE})"
)
BY_OTHERS = re.compile(
    rf"(?<!no )\b(?:{_OTHERS}){_WILL}(?:{_BETWEEN}| [^.;!?]{{1,80}}? and(?: will| then)?) (?:{DONE}|{_HAPPENS}|{COMES})"
    rf"|(?<!no )\b(?:{_OTHERS})(?:'s| is|'re| are) (?:coming|visiting|delivering|picking (?:it|them|that) up)\b"
)
IN_HAND = re.compile(
    r"\b(?:i'm|i am|we're|we are)(?: (?:also|now|just|already))? (?:sending|refunding|issuing|ordering|crediting|escalating|waiving|forwarding|posting|mailing|reimbursing|raising)\b"
)
"""What whoever speaks for the company is doing now, and that is over later."""
THINGS = re.compile(
    r"\b(?:account|case|ticket|claim|dispute|complaint|request|file)s?(?: [a-z]+){0,2}(?:'ll| will| shall| is going to| are going to) (?:[a-z]+ly )?be (?:closed|opened)\b"
    rf"|\b{_THING}(?:'ll| will| should| shall| is going to| are going to) (?:[a-z]+ly )?(?:{_HAPPENS})"
    r"|\byou(?:'ll| will| should| can expect to| are going to|'re going to)(?: [a-z]+ly| also| then| soon| still)? (?:receive|hear (?:from|back)|get (?:a|an|the|your|it|another|that|this) "
    r"|have (?:the|your|a|it) (?:[a-z]+ ){0,3}(?:by|within|in|on|tomorrow|back|shortly))"
    r"|\b(?:you can|please) expect (?:a|an|the|our|your|it)\b"
)
"""What the company's side says will happen to the customer."""

_IF_OF = r"(?<!check )(?<!see )(?<!out )(?<!know )(?<!ask )(?<!asking )(?<!confirm )(?<!verify )(?<!even )(?<!and )(?<!but )(?<!decide )(?<!as )"
CONDITION = re.compile(
    rf"{_IF_OF}\bif (?!(?:that's|that is|it's|it is) (?:ok|okay|all right|alright|fine))|\b(?:unless|otherwise|or else|assuming|on condition|depending on|in case|in the event|provided (?:that )?(?:you|we|the)|as long as|supposing)\b"
    r"|^(?:should|had|were) (?:you|we|i|it|there)\b"
)
REPORTED = re.compile(
    r"\b(?:you|he|she|they|who|someone|somebody|agent|colleague|lady|guy|gentleman|man|woman|people|bank|email|letter|it|app|website|message)(?:'d| had| have| has| just| all| always|)"
    r" (?:said|told|promised|say|says|claimed|claim|assured|keep saying|stated)\b"
    r"|\b(?:want|need|like|love)(?:ed)? to know\b|\b(?:let|tell) me (?:know )?(?:if|when|whether|how)\b|\b(?:was|were|been|being) (?:told|promised|assured)\b"
    r"|\b(?:i|we) (?:think|hope|wish|doubt|assume|guess|suppose|believe|wonder|fear)\b|\b(?:hopefully|maybe|perhaps|probably|not sure|unlikely|hoping)\b|\bmight\b"
    r"|\b(?:can't|cannot|can not|couldn't|don't|won't|not) (?:be able to )?(?:think|promise|guarantee|say|saying|believe|know|sure|certain)\b|\bno guarantee\b|\bwhether\b(?=.*\bwill\b)|\bnot that\b"
)
"""What others said, and what is only thought: before the promise's words."""
NEVER_SAID = re.compile(
    r"(?:\b(?:never|not|dont|didnt)|n't) (?:[a-z]+ )?(?:said|say|told|tell|promised|agreed|agree)\b|\b(?:no (?:way|chance|plans?)|untrue|false|a lie|as if|refuse[sd]? to) "
    r"|(?:\b(?:not|never|dont|cannot)|n't) (?:[a-z]+ )?(?:expect|count|rely)\b"
    r"|\b(?:no ?one|nobody|none|neither|not (?:one|all|every|any)|no)\b(?: (?:of|from|in|at|one|on|the|these|those))* *$"
)
"""Before the promise's words."""
BUT_NOT = re.compile(
    r"^(?:i|we|[a-z' ]{1,40}?)(?:'ll| will| shall|'m going to| am going to|'re going to| are going to| is going to)(?: [a-z]+)?(?: not(?! (?:only|forget|fail|hesitate))| never| no| nobody| nothing)\b"
)
TAKEN_BACK = re.compile(r"[.,;!?-] ?(?:not|no|never)\W*$")
PASSIVE = re.compile(
    r"\b(?:i|we)(?:'ll| will| shall|'m going to| am going to|'re going to| are going to) (?:[a-z]+ly |also |then )?be (?:[a-z]+ly |also |then )?(?:[a-z]{2,}ed|paid|sent|told|given)\b"
)
"""What others do to who says it."""
ANNOUNCED = re.compile(
    r"\b(?:branch|branches|office|offices|shop|store|counter|bank|hotline|line|centre|center|website|site|app|service|system|market|markets|rates?|interest|prices?|terms)(?: [a-z]+){0,4}?"
    r"(?:'ll| will| shall| should| is going to| are going to) (?:[a-z]+ly )?be (?:[a-z]+ly )?(?:closed|open|opened|available|updated|upgraded|increased|raised|changed|applied|back|charged|lowered|reduced|moved)\b"
)
"""What is made known to everybody is promised to nobody."""
QUOTED = re.compile(r'"[^"]*(?:"|$)')
THREAT = re.compile(
    r"\b(?:police|fbi|lawyers?|attorneys?|solicitors?|ombudsman|regulators?|court|media|press|newspapers?|cfpb|bbb|twitter|facebook|complain|complaint|sue)\b"
)
"""What customers say that they will do against the company is no promise to it."""
SAID_BEFORE = re.compile(r"\b(?:as|like) (?:i|we) (?:said|mentioned|promised|told you|explained)\b")
QUESTION = re.compile(
    r"^(?:(?:and|so|but|okay|ok|well|yes|no|sorry|please|then)[, ]+)*(?:will|would|can|could|shall|do|does|did|is|are|am|have|has|who|why|where|which|how"
    r"|when (?:will|do|does|did|can|is|are|should|would|shall)|what (?!(?:i|we)(?:'ll| will| can| am|'m|'re| are) ))\b"
)
TAG = re.compile(
    r"[, ]+(?:ok|okay|all right|alright|right|is that (?:ok|okay|all right|fine|alright)(?: (?:with|for) you)?|does that work(?: for you)?)\?$"
)
"""A promise that ends with one of these asks for a nod only."""

# -- Chinese, on text without blanks --------------------------------------------------------------------------------------

_GAP = "[^，。！？；：,不没别未无]"
_WE = "我这边|我们这边|我们|咱们|本行|我行|我司|银行|总行|后台|财务|技术|客服|专人|专员|同事|工作人员|客户经理|经理|主管|相关部门|相关人员|部门|团队|维修人员|师傅|人员|我"
_SOON = (
    r"马上|立刻|立即|即刻|稍后|稍候|随后|待会儿?|等会儿?|一会儿?|等下|晚点|回头|尽快|尽早|第一时间|今天|今日|今晚|今早|明天|明日|明早|明晚|后天|下周[一二三四五六日天]?|下个?月"
    r"|本周|这周|(?:周|星期|礼拜)[一二三四五六日天]|周末|[月年][底末]|这个?月|本月|[\d一二两三四五六七八九十半几]{1,8}+(?:到|至|-)?[\d一二两三四五六七八九十]{0,8}+个?半?(?:工作日|小时|钟头|天|日|分钟|周|星期|礼拜|月)(?:之?以?[内后])"
    r"|(?:\d{1,2}|[二三]?十?[一二三四五六七八九十])[日号](?:之?以?前)?|[上下]午|最晚|最迟|下班前?|到时候"
)
_WILL_HAN = "一定会?|肯定会?|保证|将会?|都?会|就|这就|继续|已?安排|来"
_THEN = "(?:,|之前|以前|前|内|会|将|就|再|一定|我|我们){0,4}"
DONE_HAN = (
    r"答[复覆]|回话|退[款还回给]|退到|退您|全额退|回电|回[复覆]|回拨|回访|联系|打电话|致电|去电|打给|打过[去来]|电话|短信|发[送给到过您]|发一|发邮件|发短信|寄[送给出到过您]|邮寄|补[发寄办]|处理|解决|核实|跟进|跟踪|反馈|反映|上报|提交|安排"
    r"|通知|告知|转[交达告]|转给|催|加急|更换|更正|调整|恢复|开通|审核|审批|减免|免除|免掉|赔[偿付]|补偿|返还|挂失|冻结|解冻|锁定|解锁|注销|取消|撤销|登记|记录|备注|升级|预约|派|送[到过去达货]|上门|提供|修改|修复|受理|入账|到账|协调|申请|关闭|重新(?:发|寄|办|做|制)|开[户通]|办[好理妥]|更新|延长|提高|调[高低]|[上下]调|冲正|撤回|扣回|退出来|做好|弄好|修好|检修|更正"
)
DONE_BY_CUSTOMER = (
    r"还(?:款|清|上|钱|掉|给|完|一部分|最低)|[会就定前先](?:把[^，。]{1,10})?还(?=[，。！!了\d]|$)|付[款清给]?|支付|转[账过给]|转到|汇[款过给]|缴[费清]?|交[上清费齐钱]|存[进入钱到]|补[交缴齐上]|寄[给过到回出]|邮寄|发[给过到]|发送|带[上着过来]|提供|提交|上传|去(?:网点|银行|柜台|营业厅|支行|一趟|办)"
    r"|过去|过来|回电|打[过回]|再打|联系你?|回复|签[字好]|填[写好]|办理|去办|告诉你|通知你|寄"
)
HAN_BY_US = re.compile(
    rf"(?:{_WE})(?:们|这边|也|都|会|,|的){{0,3}}(?:{_GAP}{{0,8}}?(?:{_WILL_HAN}|{_SOON})|(?=[给为帮替向把将])){_GAP}{{0,30}}?(?:{DONE_HAN})"
    rf"|(?:{_SOON}){_THEN}(?:{_GAP}{{0,6}}?)(?:给|为|帮|替|向|跟|把){_GAP}{{1,12}}?(?:{DONE_HAN})"
    rf"|(?:{_SOON}){_THEN}(?:答复|回复|回电|联系|通知|告知|处理|解决|反馈|办)(?:[您你给好]|完成|妥)"
    rf"|(?:这就|马上|立即|立刻)(?:给|为|帮|替|把)?{_GAP}{{0,10}}?(?:{DONE_HAN})"
    rf"|我们?(?:向您)?(?:保证|承诺)(?!金|书)"
)
_THING_HAN = "退款|款项|资金|新卡|卡片|卡|短信|邮件|材料|结果|账单|手续费|费用|额度|订单|快递|钱|资料|密码|申请|工单|通知|包裹|回复|电话|专员|同事|工作人员|经理|师傅|合同|发票|功能|服务|账户|利息|信号|宽带|系统"
HAN_THINGS = re.compile(
    rf"(?:{_THING_HAN})[^，。！？；不没未]{{0,14}}?(?:一定会|会|将|预计|大概|最晚|(?<![里面中上内])可以?|[天日时]之?以?内)[^，。！？；不没未]{{0,14}}?(?:到账|入账|退[回还到给]|寄[到出达给]|送[达到出]|发[放送出到给]|生效|恢复|处理|完成|到达|收到|返还|通知|审核|出来|下来|解除|取消|联系|致电|回电|打给|到您|修好|开通|上门|更新|改好|减免|调整|[上下]调|提高|重新)"
    r"|[您你][^，。！？；不没未]{0,12}?(?:就?会|将|就能|可以)[^，。！？；不没未]{0,6}?(?:收到|接到|看到账)"
)
HAN_BY_CUSTOMER = re.compile(
    rf"(?:我们?|咱|家里人?|我老公|我爱人|我太太|我儿子|我女儿)(?:{_GAP}{{0,8}}?(?:{_WILL_HAN}|{_SOON})){_GAP}{{0,24}}?(?:{DONE_BY_CUSTOMER})"
    rf"|(?:{_SOON})(?:我们?|,|之前|以前|前|就|再|一定|会|肯定|才|先|去){{0,4}}(?:{_GAP}{{0,8}}?)(?:{DONE_BY_CUSTOMER})"
    rf"|我[^。！？；!?;]{{0,30}}?就(?:会|立刻|马上)?(?:把[^，。！？；,]{{1,12}}?)?(?:{DONE_BY_CUSTOMER})"
    rf"|我们?保证(?!金)|我们?承诺"
)
HAN_DENIED = re.compile(r"(?:不|没有?|未|别|无人|没人)[^，。！？；,]{0,4}$")
"""Before the promise's words."""
HAN_NO_DENIAL = re.compile(
    "不好意思|对不起|没关系|没问题|没事|不客气|不用担心|别担心|别着急|不要着急|差不多|不过"
)
HAN_SURE = re.compile("不会(?:忘记?|忘了|耽误)")
HAN_ANNOUNCED = re.compile(
    "(?:网点|银行|支行|分行|营业厅|柜台|热线|系统|网站|服务器|app|利率|价格)[^，。！？；,]{0,10}?(?:关闭|关门|休息|放假|停业|停机|维护|升级|更新|调整|上调|下调|开门|营业|开放)"
)
HAN_OF_OTHERS = re.compile("(?<![给跟向帮把替为和系复诉知])[你您他她]们?(?!的|们的|要的).")
"""Of what customers say will be done: not by them."""
HAN_PAST = re.compile("昨天|前天|早就|已经|刚刚|刚才|上个月|上周|上次|以前就|之前就|当时")
"""What customers say they did."""
HAN_NOT = re.compile(
    r"如果|否则|不然|才怪|要是|假如|倘若|万一|除非|(?<!结果)(?<!时间)(?<!这个)(?<!费用)(?<!那边)(?<!这边)的话|只要|若(?!干)|[吗嘛么][？?。！]?$|[？?]$|什么时候|几[天号点]|多久|多长|是否|能不能|会不会|可不可以|要不要|有没有|是不是|为什么|怎么|为何|凭什么|哪|谁"
    r"|[您你]们?(?:不是)?(?:上次|之前|昨天|前天|都|一直|还|那边|的人|自己|客服|经理|员工)*(?:说|承诺|答应|保证|告诉)|他们?说|她说|说好|说过|说是|说会|没说|没答应|告诉我|答应(?:我|过|了)|承诺(?:过|了)|听说|据说|可能|也许|大概率|估计|希望|但愿|我们?想|觉得|以为|考虑|打算|想着|一般|通常|原则上"
    r"|(?:不|没|无法|没法|不能|不会|不可能|难以|不敢)(?:能|法|有|再|给|为|帮|向)?(?:给|为|帮|替|保证|承诺|确定|确保)"
)
HAN_ASKS = re.compile(
    r"请[您你]|麻烦|需要[您你]|[您你](?:可以|需要|得|要|务必|记得|尽快|先)|帮我|给我|请(?:给|帮|尽快|马上|立即)|你们?(?:马上|立即|尽快|赶紧|得|要|必须|应该)|必须|赶紧|要求"
)
HAN_LOOKS = re.compile(r"查(?:一下|询|看|下)|看(?:一下|看|下)|核对|请稍等|稍等")
