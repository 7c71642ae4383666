"""What Chinese-speaking customers say, a module a risk. Blanks in a phrase mean nothing here."""

from parley.domain.risks.chinese import complaint, dispute, fraud, hardship, human, legal, self_harm
from parley.domain.risks.chinese.groups import GROUPS
from parley.domain.risks.lexicon import Lexicon
from parley.domain.risks.phrases import Reader, Script

_IN_CLAUSE, _IN_SENTENCE = "[^，。！？；：,.!?;:\\n]", "[^。！？；!?;\\n]"
_POLITE = "请问?|您好|你好|麻烦|帮我|给我|我要|我想要?|我需要|谢谢|吧|啊|呀|呢|吗|了|哦|喂|快|急|在吗|一下"
_SCRIPT = Script(
    blank="",
    few=f"{_IN_CLAUSE}{{0,6}}?",
    many=f"{_IN_SENTENCE}{{0,12}}?",
    ending="",
    begins="",
    ends="",
    first=rf"\A(?:\W|{_POLITE})*",
    last=rf"(?:\W|{_POLITE})*\Z",
)

SIMPLIFIED = str.maketrans(
    "詐騙盜轉帳賬號碼錢銀訴舉報態務廢話處罰開關殺輕還貸債償緩逾業員資減薪領導經離負擔壓困難濟請給換聯繫電話機檔說個們這邊沒與為買賣賣貨發質問題權認識誰動無過實時間區單據項額簽費扣訂閱續復讓幫點數讀議異駁回執達賠償損師傳狀審條約違紀權當憲庭訟應終結束遺書樓橋傷藥斷氣歡喜絕歲靈獨見陳憤極爛惡職專線語聽寫網絡會議顧問協調解釋樣嗎麼裡裏後從頭對於還內強熱門戶戶",
    "诈骗盗转账账号码钱银诉举报态务废话处罚开关杀轻还贷债偿缓逾业员资减薪领导经离负担压困难济请给换联系电话机档说个们这边没与为买卖卖货发质问题权认识谁动无过实时间区单据项额签费扣订阅续复让帮点数读议异驳回执达赔偿损师传状审条约违纪权当宪庭讼应终结束遗书楼桥伤药断气欢喜绝岁灵独见陈愤极烂恶职专线语听写网络会议顾问协调解释样吗么里里后从头对于还内强热门户户",
)
"""The traditional characters that phrases have in them."""

LEXICON = Lexicon(
    Reader(_SCRIPT, GROUPS),
    {
        "self_harm": self_harm,
        "fraud": fraud,
        "hardship": hardship,
        "dispute": dispute,
        "legal": legal,
        "complaint": complaint,
        "human": human,
    },
)
