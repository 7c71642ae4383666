"""The sentences that a summary is made of, in English and Chinese; in other languages it is in English."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.analysis import Side
from schemas.parts import RiskKind


@dataclass(frozen=True, slots=True)
class Wording:
    """Each with its blanks: `{quotes}` are words that were said, in quotation marks."""

    sides: Mapping[Side, str]
    risk_names: Mapping[RiskKind, str]
    topic: str
    wanted: str
    said: str
    promised: str
    due: str
    risks: str
    nothing_said: str
    hardly_anything: str
    customer_silent: str
    customer_brief: str
    unhappy: str
    thanked: str
    no_more_questions: str
    length: str
    minutes: str
    comma: str
    between: str
    day: str

    def date(self, day: date) -> str:
        return self.day.format(day=day.day, month=day.month, name=_MONTHS[day.month - 1], year=day.year)


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip

ENGLISH = Wording(
    sides={"customer": "The customer", "human_agent": "The agent", "bot": "The bot"},
    risk_names={
        "fraud": "fraud",
        "dispute": "dispute",
        "complaint": "complaint",
        "hardship": "hardship",
        "self_harm": "self-harm",
        "legal": "legal steps",
        "human": "wish for a human",
    },
    topic="Topic: {topic}.",
    wanted="The customer said: {quotes}",
    said="{who} said: {quotes}",
    promised="{who} promised: {quotes}",
    due=" (by {day})",
    risks="To be careful with: {names}.",
    nothing_said="Nothing was said.",
    hardly_anything="Hardly anything was said.",
    customer_silent="The customer said nothing.",
    customer_brief="The customer said little.",
    unhappy="At the end the customer was dissatisfied: {quotes}",
    thanked="At the end the customer said thank you.",
    no_more_questions="At the end the customer had no more questions.",
    length="It had {turns} turns{minutes}.",
    minutes=" in {minutes} min",
    comma=", ",
    between=" ",
    day="{day} {name} {year}",
)
CHINESE = Wording(
    sides={"customer": "客户", "human_agent": "坐席", "bot": "机器人"},
    risk_names={
        "fraud": "欺诈",
        "dispute": "争议",
        "complaint": "投诉",
        "hardship": "困难",
        "self_harm": "自伤",
        "legal": "法律途径",
        "human": "要求人工",
    },
    topic="主题：{topic}。",
    wanted="客户表示：{quotes}",
    said="{who}表示：{quotes}",
    promised="{who}承诺：{quotes}",
    due="（{day}前）",
    risks="需要注意：{names}。",
    nothing_said="没有任何发言。",
    hardly_anything="几乎没有实质内容。",
    customer_silent="客户没有发言。",
    customer_brief="客户发言很少。",
    unhappy="结束时客户不满意：{quotes}",
    thanked="结束时客户表示感谢。",
    no_more_questions="结束时客户没有其他问题。",
    length="共 {turns} 轮发言{minutes}。",
    minutes="，历时 {minutes} 分钟",
    comma="、",
    between="",
    day="{year}年{month}月{day}日",
)


def wording_of(language: str) -> Wording:
    return CHINESE if language.partition("-")[0] == "zh" else ENGLISH
