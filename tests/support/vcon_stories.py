"""A chat with a hand-off and a call, as histories of outbound events."""

from datetime import date, timedelta
from typing import Any

from schemas.analysis import Analysis, Check, Promise, Sentiment, Topic, TurnSentiment
from schemas.outbound import (
    AgentMessage,
    AgentMessageEdited,
    AnalysisReady,
    CallStateChanged,
    Closed,
    CustomerMessage,
    DeliveryChanged,
    DraftReady,
    EpochRaised,
    MessageRead,
    MessageSettled,
    OwnerChanged,
    ReplyReady,
    Typing,
)
from schemas.parts import Citation, Risk, ScoredIntent, Settlement, Spoken
from tests.support.stories import NINE
from tests.support.vcon import History

MEI: dict[str, Any] = {"human_agent_id": "mei", "human_agent_name": "Mei"}
JO: dict[str, Any] = {"human_agent_id": "jo", "human_agent_name": "Jo"}
FEES = Citation(id="fees", title="Account fees", url="/demo/bank/help/fees")


def chat() -> History:
    """The bot answers, the customer wants a human, waits, is served, and leaves."""
    story = History()
    story.add(CustomerMessage, message_id="m-1", text="What does my account [account_1] cost?")
    answer = story.add(
        ReplyReady,
        reply_id="r-1",
        kind="answer",
        answers=("m-1",),
        text="€4.50 a month.",
        citations=(FEES,),
        language="en",
        model="extractive",
        adapter="bank@1",
    )
    story.add(MessageSettled, settlements=(Settlement(message_id="m-1", outcome="answered", reply_id="r-1"),))
    story.add(DeliveryChanged, outbound_id=answer.envelope.event_id, state="sent")
    story.add(DeliveryChanged, outbound_id=answer.envelope.event_id, state="failed", reason="blocked")
    story.add(CustomerMessage, message_id="m-2", text="A human, please.")
    story.add(EpochRaised, reason="owner_changed")
    story.add(OwnerChanged, owner="queue", reason="handoff")
    story.add(
        ReplyReady,
        reply_id="r-2",
        kind="handoff",
        answers=("m-2",),
        text="Somebody will be with you.",
        language="en",
    )
    story.add(CustomerMessage, message_id="m-3", text="I am waiting.")
    story.add(OwnerChanged, owner="human", reason="claimed", **MEI)
    story.add(DraftReady, generation_id="g-1", text="A draft that nobody said.")
    story.add(Typing, who="human_agent", on=True)
    story.add(AgentMessage, message_id="a-1", text="Helo.", **MEI)
    story.add(AgentMessageEdited, message_id="a-1", text="Hello.", **MEI)
    story.add(OwnerChanged, owner="human", reason="claimed", **JO)
    story.add(AgentMessage, message_id="a-2", text="I am Jo.", **JO)
    story.add(Closed, by="customer")
    return story


def call() -> History:
    """Two turns, of which one overlaps the other, a hold between them, and what was found out in the end."""
    story = History("call-1")
    began = NINE + timedelta(seconds=10)
    story.add(OwnerChanged, owner="human", reason="claimed", **MEI)
    heard = Spoken(start_ms=500, end_ms=2_250, confidence=0.9, original="Um, good morning.")
    story.add(
        AgentMessage,
        at=began + timedelta(milliseconds=500),
        message_id="a-1",
        text="Good morning.",
        spoken=heard,
        **MEI,
    )
    story.add(CallStateChanged, at=began + timedelta(seconds=1.5), kind="hold", at_ms=1_500, by="human_agent")
    story.add(
        CallStateChanged,
        at=began + timedelta(seconds=1.8),
        kind="resumed",
        at_ms=1_800,
        by="human_agent",
        detail="found it",
    )
    story.add(
        CustomerMessage,
        at=began + timedelta(seconds=2),
        message_id="m-1",
        text="My card is gone.",
        spoken=Spoken(start_ms=2_000, end_ms=4_000),
    )
    story.add(
        MessageRead,
        message_id="m-1",
        language="en",
        intents=(ScoredIntent(intent="card_lost", probability=0.9),),
        risks=(Risk(kind="fraud", evidence="gone"),),
    )
    story.add(Closed, at=began + timedelta(seconds=5), by="customer")
    story.add(AnalysisReady, up_to_seq=2, analysis=analysis("First."))
    story.add(AnalysisReady, up_to_seq=7, analysis=analysis("A card was lost."))
    return story


def analysis(summary: str) -> Analysis:
    return Analysis(
        language="en",
        summary=summary,
        topics=(Topic(label="lost card", intent="card_lost", share=1.0, seqs=(5, 99)),),
        promises=(Promise(by="human_agent", text="I will call you.", seq=2, due=date(2026, 11, 24)),),
        sentiment=Sentiment(turns=(TurnSentiment(seq=5, score=-0.5),), customer=-0.5),
        checks=(Check(id="greeting", passed=True, seq=2), Check(id="disclosure", passed=False)),
        product="rules",
        product_version="3",
    )
