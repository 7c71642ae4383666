"""A tenant with one of everything, so that tests need not read the reference tenants' folders."""

from datetime import date

from schemas.base import TenantId
from schemas.tenant import REQUIRED_CANNED, Article, TenantConfig, TenantContent

TENANT = TenantId("bank")
VERSION = "0123456789abcdef"

OPEN_ALWAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ("00:00-24:00",))


def both(text: str) -> dict[str, str]:
    return {"en": text, "zh": f"（{text}）"}


def intent(name: str, route: str, reply: str | None = None, risk: str | None = None) -> dict[str, object]:
    return {"id": name, "title": both(name), "route": route, "reply": reply, "risk": risk}


CONFIG = TenantConfig.model_validate(
    {
        "id": TENANT,
        "name": both("Test Bank"),
        "languages": ("en", "zh"),
        "default_language": "en",
        "site_url": "/demo/bank",
        "assistant": {"name": both("Helper"), "greeting": both("Hello!")},
        "hours": {"timezone": "Europe/Dublin", "weekly": OPEN_ALWAYS},
        "prompts": {"system": both("Answer from the passages.")},
        "thresholds": {"intent": 0.4, "passage": 0.45},
        "limits": {"message_deadline_s": 60},
        "intents": {
            "fees": intent("fees", "answer"),
            "card_lost": intent("card_lost", "answer"),
            "hello": intent("hello", "canned", "greeting"),
            "vague_card": intent("vague_card", "ask", "ask_which_card"),
            "fraud": intent("fraud", "handoff", "fraud_first_steps", "fraud"),
            "human": intent("human", "handoff", None, "human"),
        },
        "canned": {
            **{name: both(f"<{name}>") for name in REQUIRED_CANNED},
            "ask_which_card": both("Which card is it?"),
            "fraud_first_steps": both("Freeze the card first."),
        },
    }
)

CONTENT = TenantContent.model_validate(
    {
        "examples": {
            "fees": {
                "en": ("what are the fees", "how much does the account cost", "account fee please"),
                "zh": ("手续费多少", "账户管理费", "收费标准"),
            },
            "card_lost": {
                "en": ("I lost my card", "my card was stolen", "card missing"),
                "zh": ("我的卡丢了", "银行卡被偷", "卡片遗失"),
            },
            "hello": {"en": ("hello", "hi there", "good morning"), "zh": ("你好", "您好", "早上好")},
            "vague_card": {
                "en": ("a problem with my card", "card issue", "something about cards"),
                "zh": ("卡有问题", "卡的问题", "关于卡"),
            },
            "fraud": {
                "en": ("I do not recognise a payment", "fraud on my account", "unknown transaction"),
                "zh": ("有一笔不认识的交易", "账户被盗刷", "欺诈"),
            },
            "human": {
                "en": ("talk to a person", "a human please", "real agent"),
                "zh": ("转人工", "人工客服", "找真人"),
            },
        },
        "articles": (
            Article(
                id="fees",
                title="Account fees",
                url="/demo/bank/help/fees",
                language="en",
                valid_from=date(2026, 1, 1),
                text="The Everyday account costs €4.50 a month.\n\n## Cash abroad\n\nCash abroad costs 2% of the amount.",
            ),
            Article(
                id="card-lost",
                title="Lost or stolen card",
                url="/demo/bank/help/card-lost",
                language="en",
                valid_from=date(2026, 1, 1),
                text="Freeze a lost card in the app at once. Then call 0800 555 0199, open 24 hours.",
            ),
            Article(
                id="card-lost",
                title="银行卡丢失或被盗",
                url="/demo/bank/help/card-lost",
                language="zh",
                valid_from=date(2026, 1, 1),
                text="银行卡丢失后请立即在手机应用中冻结。然后拨打 0800 555 0199，24 小时开通。",
            ),
        ),
    }
)
