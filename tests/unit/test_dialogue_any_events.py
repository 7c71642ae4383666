"""Any events in any order, chats and calls in one conversation: the decider is total and pure, and what it promises holds throughout."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parley.domain.conversation import Conversation
from schemas.analysis import Analysis
from schemas.base import AnyEvent, Body, EventId, GenerationId, MessageId
from schemas.conversation_events import (
    AgentEditSubmitted,
    AgentMessageSubmitted,
    AssignmentFailed,
    AssignmentMade,
    CallStateReported,
    ClaimRequested,
    CloseRequested,
    ConversationAnalysed,
    ConversationStarted,
    DeliveryReported,
    DraftRequested,
    GenerationFailed,
    MessageReceived,
    MessageUnderstood,
    NothingFound,
    ReleaseRequested,
    ReplyGenerated,
    RetrievalFailed,
    SpeechTranscribed,
    SpokenTurn,
    TimerFired,
    UnderstandingFailed,
)
from schemas.outbound import AgentMessage, ReplyReady
from schemas.parts import Attachment, GuardReport, Risk, ScoredIntent, Spoken
from schemas.work import AnswerRequested, UnderstandingRequested
from tests.support.call_stories import CallStory
from tests.support.small_tenant import CONFIG
from tests.support.stories import MEI, NINE, PASSAGE, Story, event
from workers.dialogue import DialogueDecider
from workers.dialogue.decider import RULES

MOMENTS = (
    NINE,
    datetime.max.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
)
LENGTHS = (0, 4_000, 10**15, 10**30)
TEXTS = ("What are the fees?", "I lost my card", "yes", "a human please")
INTENTS = ("fees", "card_lost", "hello", "vague_card", "fraud", "human", "odd")
AGENTS = ("mei", "jo")
CHANNELS = ("web", "api", "telegram", "call")
KINDS = ("started", "transfer", "hang_up", "hold", "resumed", "muted", "joined", "incomplete")
FILE = Attachment(kind="photo", media_type="image/jpeg", digest="a" * 64, bytes=1_000)


class Choice:
    """Numbers that hypothesis gave, turned into choices one after the other."""

    def __init__(self, number: int) -> None:
        self._number = number

    def of(self, options: Any) -> Any:
        self._number, place = divmod(self._number, len(options))
        return options[place]


Build = Callable[[Story, Choice], Body]


def message(story: Story, choice: Choice) -> Body:
    files = choice.of(((), (), (FILE,)))
    text = "" if files and choice.of((True, False)) else choice.of(TEXTS)
    identity = MessageId(f"m-{len(story.log)}")
    return MessageReceived(message_id=identity, text=text, channel=choice.of(CHANNELS), attachments=files)


def speech(story: Story, choice: Choice) -> Body:
    turns = tuple(
        SpokenTurn(
            message_id=MessageId(f"turn-{len(story.log)}-{number}"),
            speaker=choice.of(("customer", "human_agent")),
            text=choice.of(TEXTS),
            spoken=Spoken(start_ms=(start := choice.of(LENGTHS)), end_ms=start),
        )
        for number in range(choice.of((1, 2)))
    )
    return SpeechTranscribed(started_at=choice.of(MOMENTS), turns=turns, live=choice.of((True, True, False)))


def state(story: Story, choice: Choice) -> Body:
    return CallStateReported(
        started_at=choice.of(MOMENTS),
        kind=choice.of(KINDS),
        at_ms=choice.of(LENGTHS),
        by=choice.of((None, "customer", "human_agent")),
        human_agent_id=choice.of((None, *AGENTS)),
        human_agent_name=choice.of((None, "Mei")),
    )


def message_id(story: Story, choice: Choice) -> MessageId:
    asked = [body.message_id for body in story.bodies(UnderstandingRequested)]
    return MessageId(choice.of(asked[::-1] or ["m-x"]))


def generation(story: Story, choice: Choice) -> dict[str, Any]:
    asked = story.bodies(AnswerRequested)
    if not asked:
        return {"generation_id": GenerationId("g-x"), "epoch": 1}
    one = choice.of(asked[::-1])
    return {"generation_id": one.generation_id, "epoch": one.epoch}


def understood(story: Story, choice: Choice) -> Body:
    return MessageUnderstood(
        message_id=message_id(story, choice),
        language=choice.of(("en", "fr")),
        intents=(ScoredIntent(intent=choice.of(INTENTS), probability=0.9),),
        risks=choice.of(((), (), (Risk(kind="fraud", evidence="x"),))),
        model="test",
    )


def generated(story: Story, choice: Choice) -> Body:
    return ReplyGenerated(
        **generation(story, choice),
        purpose=choice.of(("reply", "draft")),
        attempt="a",
        text="It costs €4.50 a month.",
        cited=(PASSAGE.chunk_id,),
        passages=(PASSAGE,),
        guard=GuardReport(passed=choice.of((True, False))),
        model="test",
    )


def generation_failed(story: Story, choice: Choice) -> Body:
    failed = {"purpose": choice.of(("reply", "draft")), "reason": choice.of(("busy", "too_long"))}
    return GenerationFailed.model_validate({**generation(story, choice), **failed})


def fired(story: Story, choice: Choice) -> Body:
    """One of the timers ever set, cancelled or not, and at whatever time."""
    timers = [timer for decision in story.decisions for timer in decision.timers]
    timer_id = choice.of([timer.timer_id for timer in timers] or ["t-x"])
    return TimerFired(
        timer_id=timer_id, purpose=choice.of(("turn_deadline", "idle_close")), epoch=0, due_at=story.at
    )


def agent_words(story: Story, choice: Choice) -> Body:
    agent = choice.of(AGENTS)
    return AgentMessageSubmitted(message_id=MessageId(f"a-{len(story.log)}"), human_agent_id=agent, text="x")


def agent_edit(story: Story, choice: Choice) -> Body:
    written = [body.message_id for body in story.bodies(AgentMessage)] or [MessageId("a-x")]
    return AgentEditSubmitted(message_id=choice.of(written), human_agent_id=choice.of(AGENTS), text="y")


FOUND = Analysis(language="en", summary="Fees.", product="rules", product_version="1")
BUILDS: dict[type[Body], Build] = {
    ConversationStarted: lambda _, choice: ConversationStarted(channel=choice.of(CHANNELS), language="en"),
    MessageReceived: message,
    SpeechTranscribed: speech,
    CallStateReported: state,
    ConversationAnalysed: lambda *_: ConversationAnalysed(up_to_seq=1, analysis=FOUND),
    MessageUnderstood: understood,
    UnderstandingFailed: lambda story, choice: UnderstandingFailed(
        message_id=message_id(story, choice), reason="deadline"
    ),
    ReplyGenerated: generated,
    NothingFound: lambda story, choice: NothingFound(**generation(story, choice)),
    RetrievalFailed: lambda story, choice: RetrievalFailed(**generation(story, choice), reason="error"),
    GenerationFailed: generation_failed,
    AssignmentMade: lambda *_: AssignmentMade(**MEI),
    AssignmentFailed: lambda *_: AssignmentFailed(reason="nobody_present"),
    TimerFired: fired,
    ClaimRequested: lambda _, choice: ClaimRequested(
        human_agent_id=choice.of(AGENTS), human_agent_name="A", force=choice.of((True, False))
    ),
    ReleaseRequested: lambda _, choice: ReleaseRequested(
        human_agent_id=choice.of(AGENTS), to=choice.of(("bot", "queue"))
    ),
    AgentMessageSubmitted: agent_words,
    AgentEditSubmitted: agent_edit,
    DraftRequested: lambda _, choice: DraftRequested(human_agent_id=choice.of(AGENTS)),
    CloseRequested: lambda _, choice: CloseRequested(
        by=choice.of(("customer", "human_agent", "system")), human_agent_id=choice.of((None, *AGENTS))
    ),
    DeliveryReported: lambda _, choice: DeliveryReported(
        outbound_id=EventId("odd"), channel="web", state="sent"
    ),
}
SKIPPED, WAITED = "skipped", "waited"
STEPS = st.tuples(
    st.sampled_from([*BUILDS, SpeechTranscribed, CallStateReported, MessageReceived, SKIPPED, WAITED]),
    st.integers(0, 10**9),
)


def take(story: Story, step: Any, choice: Choice) -> None:
    if step == WAITED:
        story.pass_time(choice.of((1, 31, 3_700, 15_000)))
    elif step == SKIPPED:
        story.skipped(choice.of((None, MessageId(f"skipped-{len(story.log)}"))))
    else:
        story.tell(BUILDS[step](story, choice))


def check(story: Story, before: int) -> None:
    """What holds of each decision since `before`."""
    for decision in story.decisions[before:]:
        now: Conversation = decision.state
        bodies = [each.body for each in decision.events]
        for each in decision.events:
            each.envelope.model_dump_json()
        if now.channel == "call":
            assert now.status == "closed" or now.owner == "human"
            assert not any(isinstance(body, ReplyReady) for body in bodies)
            assert now.open_messages == 0
        if now.status == "closed":
            assert now.draft is None
            assert not any(isinstance(body, AnswerRequested) for body in bodies)


def test_every_event_of_the_decision_log_is_among_them() -> None:
    assert BUILDS.keys() == RULES.keys()


@settings(max_examples=400, deadline=None)
@given(st.booleans(), st.lists(STEPS, max_size=40))
def test_whatever_comes_each_message_is_settled_once_and_no_bot_has_a_call(
    on_call: bool, steps: list[Any]
) -> None:
    story = Story()
    if on_call:
        story = CallStory()
        story.hears("customer", "What are the fees?")
    for step, number in steps:
        before = len(story.decisions)
        take(story, step, Choice(number))
        check(story, before)
    assert all(story.settled.values())


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=20))
def test_the_same_log_is_decided_alike(steps: list[Any]) -> None:
    story = Story()
    for step, number in steps:
        take(story, step, Choice(number))
    again = Story()
    again.decisions, again.state, again.out = [], None, []
    for told in story.log:
        again.hear(told)
    assert again.decisions == story.decisions


def test_an_event_is_the_first_of_a_conversation_whatever_it_is() -> None:
    for kind in BUILDS:
        body = BUILDS[kind](Story(), Choice(0))
        first: AnyEvent = event(body, "first")
        decision = DialogueDecider().handle(None, first, CONFIG)
        assert decision.state.conversation_id == first.envelope.conversation_id
