"""The words that `parley.domain.words` treats apart: those that tell nothing, other forms and other names of one thing.

Of no tenant in particular. Everything is written in small letters; Latin words as they stand in a text, before stemming.
"""

from collections.abc import Mapping

from parley.domain.numerals import english


def _by_form(groups: Mapping[str, str]) -> dict[str, str]:
    """Each word of the lists, and the word that it is read as."""
    return {form: head for head, forms in groups.items() for form in forms.split()}


STOPWORDS = frozenset(
    """
    a about actually after again ago ah all allow allowed almost already also although always am an and another any anybody anyone
    anything anyway are aren't as ask asked asking at away bad be because been before being best better bit both but by came can can't cannot cant
    come comes coming correct could couldn't cut did didn't do does doesn't doing don't dont done due during each else enough
    etc even ever every everybody everyone everything exactly extra fact few fine for from further gave get gets getting give gives
    given giving go goes going gone gonna good got great had hadn't happen happened happening happens has hasn't have haven't having
    he hello help her here hers hey hi him his hm hmm how however i if in instead into is isn't it its itself just kind know
    known later least let like likely long look looked looking lot made main make makes making many matter may maybe me mean
    means meant might mine more most much must my myself near need needed needs neither never nice no nobody none nor not nothing
    now of off often oh ok okay on once one ones only or other others otherwise ought our ours out over own part people perhaps please
    possible possibly probably put puts question questions quite rather really right said same saw say saying says see seem seems seen shall she
    should shouldn't show since so some somebody someone something sometimes soon sorry sort still straight such suddenly sure take taken takes taking tell
    tells than thank thanks that the their theirs them themselves then there these they thing things think this those though
    through thus till to together told too took toward towards tried tries try trying under unless until up upon us use used uses
    using usual usually very via want wanted wants was wasn't way ways we went were weren't what whatever when where whether which
    while who whole whom whose why will with within without won't wonder wondering would wouldn't yes yesterday yet you your yours
    yourself
    """.split()  # noqa: SIM905  # as a list of literals it would be ten pages
)
"""Question words, helpers and small talk: customers say them of everything, and articles hardly ever."""

IRREGULAR = _by_form(
    {
        "arise": "arose arisen",
        "bear": "bore borne",
        "begin": "began begun",
        "break": "broke broken",
        "bring": "brought",
        "buy": "bought",
        "cheap": "cheaper cheapest",
        "child": "children",
        "choose": "chose chosen",
        "close": "closure",
        "day": "daily",
        "die": "dead death deaths dying deceased",
        "draw": "drew drawn",
        "drive": "drove driven",
        "fall": "fell fallen",
        "find": "found",
        "flight": "fly flew flown flying flies",
        "forget": "forgot forgotten",
        "freeze": "froze frozen",
        "grow": "grew grown",
        "hear": "heard",
        "heir": "inherit inherited inheritance heirs",
        "high": "higher highest",
        "hold": "held",
        "keep": "kept",
        "leave": "left leaving",
        "lend": "lent",
        "lose": "lost losing loses loss losses",
        "low": "lower lowest",
        "marry": "married marriage",
        "meet": "met",
        "month": "monthly",
        "pay": "paid",
        "protect": "protection",
        "quick": "quicker quickest quickly",
        "read": "reading",
        "rise": "rose risen",
        "sell": "sold",
        "send": "sent",
        "shut": "shutting",
        "speak": "spoke spoken",
        "spend": "spent",
        "steal": "stole stolen theft thief thieves",
        "swallow": "swallowed",
        "wear": "wore worn",
        "week": "weekly",
        "win": "won",
        "withdraw": "withdrew withdrawn withdrawal withdrawals",
        "write": "wrote written",
        "year": "yearly annual annually",
    }
)
"""Forms that no rule about endings brings together."""

SPELLINGS = {
    r"wi[- ]?fi|wlan": "wifi",
    r"e[- ]?mails?": "email",
    r"top(?:ping|ped)?[- ]?ups?": "topup",
    r"(?:log|sign)(?:ging|ged|ing|ed|s)?[- ]?(?:in|on)s?": "login",
    r"(?:log|sign)(?:ging|ged|ing|ed|s)?[- ]?(?:out|off)": "logout",
    r"voice[- ]?mails?|mailbox": "voicemail",
    r"pre[- ]?paid": "prepaid",
    r"e[- ]sims?": "esim",
    r"hot[- ]?spots?|tether(?:ing)?": "hotspot",
    r"on[- ]line": "online",
    r"web[- ]?sites?|web[- ]?pages?": "website",
    r"contact[- ]less(?:ly)?|tap(?:ping)? (?:and|to) pay|touch(?:ing)? (?:and|to) pay|tapping|tap": "contactless",
    r"cash ?points?|cash ?machines?|cash dispensers?|atms?": "atm cash machine",
    r"(?:tele)?phoned|phoning|rang|ringing|phone calls?": "call",
    r"(?:mobile|cell)(?: ?phones?)?|hand ?sets?|smart ?phones?|tele ?phones?|phones?|iphones?": "phone",
    r"text messages?|sms|texts?": "text",
    r"e[- ]?wallets?": "wallet",
    r"money back|reimburse(?:d|ment)?|refund(?:s|ed|ing)?": "refund",
    r"pass(?:ed|es|ing)? away": "die",
    r"(?:home|house|housing) (?:loans?|financing|credits?)": "mortgage",
    r"taken? out|took out|taking out|draw(?:ing|s)? out": "withdraw",
    r"pin ?(?:codes?|numbers?)|secret (?:codes?|numbers?)": "pin",
    r"pay(?:s|ing)? (?:in|into)|paid (?:in|into)": "deposit",
    r"pay(?:s|ing)? off|paid off|pay(?:s|ing)? back|paid back": "repay",
}
"""Ways to write a thing, as regular expressions over whole words, and the words that are read instead."""

SAME = _by_form(
    {
        "abroad": "foreign overseas",
        "arrive": "arrives arrived arriving reach reaches reached",
        "advert": "advertising advertisement advertisements advertise marketing",
        "allow": "permit permission",
        "bankrupt": "bankruptcy insolvent insolvency bust",
        "bill": "bills invoice invoices",
        "cash": "banknote banknotes notes",
        "certificate": "certificates attestation",
        "check": "verify",
        "cheque": "cheques",
        "child": "kid kids son sons daughter daughters teenager teenagers",
        "coin": "coins",
        "computer": "computers pc laptop laptops browser browsers desktop",
        "convert": "conversion",
        "couple": "couples",
        "crypto": "bitcoin bitcoins ethereum cryptocurrency cryptocurrencies",
        "deposit": "deposits deposited depositing",
        "document": "documents paper papers paperwork",
        "fee": "fees cost costs costing price prices priced pricing charge charges charging charged",
        "fingerprint": "fingerprints finger fingers thumb touchid biometric biometrics",
        "gamble": "gambling betting bet bets casino",
        "home": "house houses homes flat flats apartment apartments",
        "insurance": "insured insure insures insurer",
        "limit": "maximum max",
        "loan": "loans lend borrow borrowed borrowing",
        "medical": "hospital",
        "parent": "parents mother father mum mom dad",
        "partner": "partners husband wife spouse girlfriend boyfriend",
        "password": "passwords passcode passcodes",
        "photo": "photograph photographs photos picture pictures",
        "rate": "rates interest apr",
        "repay": "repayment repayments repaid",
        "salary": "salaries wage wages",
        "save": "savings saving saver savers",
        "steal": "rob robbed robbery",
        "shop": "shops store stores supermarket supermarkets merchant merchants retailer retailers",
        "stop": "stops stopped stopping prevent",
        "surname": "surnames",
        "swallow": "eat eats ate eaten retained",
        "switch": "switches switched switching turn turns turned turning disable disabled enable enabled deactivate deactivated",
        "trip": "trips travel travels travelling traveling journey journeys holidays vacation",
    }
)
"""Other names of one thing, in everyday speech and in articles."""

NUMBERS = {
    word: english(word)
    for word in "two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred thousand".split()  # noqa: SIM905
}

COUNTRIES = frozenset(
    """
    africa america argentina asia australia austria belgium brazil bulgaria canada china croatia cuba cyprus czechia denmark egypt
    england estonia europe finland france germany greece hungary iceland india indonesia ireland israel italy japan kenya korea
    latvia lithuania luxembourg malaysia malta mexico morocco netherlands norway peru philippines poland portugal romania russia
    scotland singapore slovakia slovenia spain sweden switzerland taiwan thailand tunisia turkey ukraine usa vietnam
    """.split()  # noqa: SIM905
)
"""A country is a word of its own and one for what is abroad."""

CITIES = frozenset(
    "amsterdam athens bangkok barcelona beijing berlin brussels dubai istanbul lisbon london madrid milan munich paris prague rome shanghai sydney tokyo vienna warsaw zurich".split()  # noqa: SIM905
)
"""Where many travel: abroad, too."""

CURRENCIES = frozenset(
    "dollar pound sterling franc yen renminbi yuan zloty krona krone rupee peso lira baht".split()  # noqa: SIM905
)

CHINESE_STOP_PHRASES = """
    怎么办 怎么样 怎么 怎样 咋办 咋 如何 请问 可以 可不可以 能不能 能否 是否 是不是 有没有 会不会 要不要
    多少 什么时候 什么 多长时间 多久 时候 几天 几点 哪里 哪儿 哪些 哪个 哪家 哪天 哪 为什么 为啥 需要 一下
    我想 想要 想 告诉 知道 帮我 帮忙 办理 你们 我们 他们 他的 她的 我的 你的 您的 自己 这个 那个 这里
    那里 这边 那边 这儿 那儿 这样 那样 已经 还是 或者 但是 因为 所以 如果 的话 应该 必须 就是 一直 总是
    现在 今天 昨天 明天 刚才 刚刚 刚 吗 呢 吧 啊 呀 么 嘛 了
    """.split()  # noqa: SIM905
"""Chinese for how, what, where, when, please, may I: taken out before the text is cut, so that no pair spans them."""

CHINESE_STOP_CHARACTERS = frozenset(
    "的了吗呢吧啊呀么嘛是我你您他她它们这那个在有和与就也都要想请把被很会能不怎什哪多少几里去来到给让从对说看得地着过上下问"
)

CHINESE_SAME = {
    "取款机": "自动取款机 自动柜员机 柜员机 提款机 取钱机 ATM机 ATM",
    "取现": "取钱 取款 提款 提现 拿现金 支取现金 取现金 支取",
    "存现": "存现金 存钱",
    "汇款": "汇钱 打钱 寄钱 打款",
    "限额": "上限 最高额度 额度",
    "免密闪付": "感应支付 非接支付 非接触支付 免密支付 拍卡付款 拍卡 碰一碰 闪付 小额免密",
    "营业": "开门 上班 开放 营业时间",
    "关门": "打烊 下班",
    "客服电话": "客服热线 服务热线 联系电话 电话号码",
    "自动续费": "订阅 会员费 连续包月",
    "密码": "口令",
    "pin": "取款密码 卡密码 卡的密码 银行卡密码",
    "丢失": "丢了 弄丢 遗失 不见了 找不到 找不着 掉了 丢",
    "被盗": "被偷 偷了 失窃",
    "国外": "境外 海外 外国",
    "补办": "补卡 重办 补发 补一张",
    "手续费": "费用 收费 多少钱 要钱 价格 价钱",
    "利率": "年利率 利息 年息",
    "销户": "注销账户 关户 注销",
    "退款": "退钱",
    "网点": "分行 支行 营业厅 营业部",
    "周六": "星期六 礼拜六",
    "周日": "星期天 星期日 礼拜天 礼拜日 周天",
    "对账单": "流水 账单明细 明细",
    "首付": "首期",
    "房贷": "住房贷款 按揭 买房贷款 房屋贷款",
    "登录": "登陆 登入",
    "保护": "保障",
    "去世": "过世 离世 死亡 死了",
    "父母": "爸爸 妈妈 父亲 母亲 家长 爸 妈",
    "配偶": "老婆 老公 妻子 丈夫 爱人 夫妻",
    "孩子": "儿子 女儿 小孩 儿童 小朋友 未成年人",
    "学生": "大学生 留学生",
    "追回": "要回来 撤回",
    "门店": "商店 店里 店铺",
    "流量": "上网流量",
    "套餐": "资费",
}
"""Other words for one thing; the longest is tried first."""

CHINESE_COUNTRIES = "美国 英国 法国 德国 日本 韩国 泰国 波兰 瑞士 西班牙 意大利 加拿大 澳大利亚 土耳其 印度 俄罗斯 荷兰 葡萄牙 伦敦 巴黎 纽约 东京 曼谷 首尔 悉尼".split()  # noqa: SIM905
CHINESE_CURRENCIES = "美元 美金 英镑 日元 瑞郎 瑞士法郎 人民币 兹罗提 港币".split()  # noqa: SIM905
