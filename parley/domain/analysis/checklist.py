"""The check-list of a tenant that has none of its own."""

from schemas.tenant import ChecklistItem, TenantFile


def _listed(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


GREETING = ChecklistItem(
    id="greeting",
    title={"en": "Greeting", "zh": "问候"},
    phrases={
        "en": _listed(
            """
            good morning
            good afternoon
            good evening
            good day
            hello
            hi there
            hi this is
            welcome to
            thank you for calling
            thanks for calling
            thank you for contacting
            how can i help
            how may i help
            how can i assist
            how may i assist
            what can i do for you
            """
        ),
        "zh": _listed(
            """
            你好
            早上好
            上午好
            中午好
            下午好
            晚上好
            很高兴为你服务
            有什么可以帮你
            有什么能帮你
            为你服务
            感谢来电
            感谢你的来电
            欢迎致电
            感谢致电
            """
        ),
    },
    within_turns=3,
)
IDENTIFICATION = ChecklistItem(
    id="identification",
    title={"en": "Customer identified", "zh": "核实身份"},
    phrases={
        "en": _listed(
            """
            may i have your name
            can i have your name
            could i have your name
            can i get your name
            could i get your name
            get your full name
            what is your name
            have your full name
            your full name please
            tell me your name
            confirm your name
            provide your name
            date of birth
            your birth date
            when were you born
            your account number
            your customer number
            your card number
            your order number
            last four digits
            last 4 digits
            verify your identity
            confirm your identity
            verify your details
            confirm your details
            security question
            for verification
            for security
            for your security
            mother's maiden name
            your postcode
            your zip code
            your email address
            your phone number
            your membership number
            verify your account
            who am i speaking
            """
        ),
        "zh": _listed(
            """
            你贵姓
            怎么称呼你
            你怎么称呼
            你的姓名
            报一下姓名
            身份证号
            身份证后
            证件号
            核实身份
            核对身份
            核实一下你的身份
            核对一下你的身份
            核对你的信息
            核实你的信息
            身份验证
            后四位
            后六位
            出生日期
            预留手机号
            预留的手机号
            预留电话
            客户号
            验证码
            安全问题
            是本人
            机主本人
            """
        ),
    },
)
DISCLOSURE = ChecklistItem(
    id="disclosure",
    title={"en": "Said that the call is recorded", "zh": "告知通话录音"},
    phrases={
        "en": _listed(
            """
            call is recorded
            calls are recorded
            call is monitored
            call recorded
            conversation is recorded
            line is recorded
            recorded line
            recording this call
            record this call
            record all calls
            record our calls
            recorded for quality
            recorded for training
            recorded for security
            monitored for quality
            recorded and monitored
            monitored and recorded
            monitored or recorded
            recorded or monitored
            """
        ),
        "zh": _listed(
            """
            通话录音
            电话录音
            通话被录音
            通话正在录音
            通话全程录音
            电话被录音
            全程录音
            正在录音
            录音线路
            进行录音
            被录音
            已录音
            会录音
            """
        ),
    },
)
DEFAULT = (GREETING, IDENTIFICATION, DISCLOSURE)


def checklist_of(tenant: TenantFile) -> tuple[ChecklistItem, ...]:
    """The tenant's own, or the platform's where it says nothing of calls."""
    own = tenant.calls.checklist
    return DEFAULT if own is None else own
