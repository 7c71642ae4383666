"""Any history as a vCon: valid by the working group's schema, where it is, and read back by our own importer."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calls.vcon.writing import Conversation, revealed, vcon
from schemas.analysis import Analysis, Promise, Topic
from schemas.outbound import (
    AgentMessage,
    AgentMessageEdited,
    AnalysisReady,
    CallImported,
    CallStateChanged,
    Closed,
    CustomerMessage,
    MessageRead,
    OwnerChanged,
    ReplyReady,
)
from schemas.parts import Attachment, CallOrigin, PriorVcon, Risk, Spoken
from tests.support.stories import NINE
from tests.support.vcon import History, imported, problems
from tests.support.vcon_stories import JO, MEI, call, chat

PHOTO = Attachment(kind="photo", media_type="image/png", digest="0f" * 32, bytes=12, name="a.png")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60)
agents = st.sampled_from([MEI, JO])
spoken = st.none() | st.builds(
    Spoken,
    start_ms=st.integers(0, 100_000),
    end_ms=st.integers(0, 100_000),
    confidence=st.none() | st.floats(0, 1),
    original=st.none() | texts,
)
seqs = st.integers(1, 30)
priors = st.none() | st.builds(
    PriorVcon,
    uuid=st.none() | st.uuids().map(str) | texts,
    type=st.none() | texts,
    url=st.none() | st.just("https://x.example/1.vcon") | texts,
    content_hash=st.lists(st.just("sha512-x"), max_size=2).map(tuple),
)
origins = st.builds(CallOrigin, redacted=st.booleans(), redacted_of=priors, amended_of=priors)
risks = st.builds(Risk, kind=st.sampled_from(["fraud", "human"]), evidence=texts)
analyses = st.builds(
    Analysis,
    language=st.just("en"),
    summary=texts,
    topics=st.lists(st.builds(Topic, label=texts, share=st.floats(0, 1), seqs=st.lists(seqs).map(tuple))).map(
        tuple
    ),
    promises=st.lists(st.builds(Promise, by=st.just("customer"), text=texts, seq=seqs)).map(tuple),
    product=st.just("rules"),
    product_version=st.just("1"),
)
#: Each draws one event's kind and fields; ids are given by the event's place.
steps = st.one_of(
    st.tuples(st.just(CustomerMessage), st.fixed_dictionaries({"text": texts, "spoken": spoken})),
    st.tuples(
        st.just(ReplyReady),
        st.fixed_dictionaries({"text": texts, "kind": st.just("answer"), "language": st.just("zh")}),
    ),
    st.tuples(
        st.just(AgentMessage), st.builds(lambda a, t, s: {**a, "text": t, "spoken": s}, agents, texts, spoken)
    ),
    st.tuples(st.just(AgentMessageEdited), st.builds(lambda a, t: {**a, "text": t}, agents, texts)),
    st.tuples(
        st.just(OwnerChanged), st.builds(lambda a: {**a, "owner": "human", "reason": "claimed"}, agents)
    ),
    st.tuples(st.just(OwnerChanged), st.just({"owner": "queue", "reason": "handoff"})),
    st.tuples(st.just(OwnerChanged), st.just({"owner": "bot", "reason": "released"})),
    st.tuples(
        st.just(CallStateChanged),
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["hold", "resumed", "muted", "unmuted", "joined", "incomplete"]),
                "at_ms": st.integers(0, 100_000),
                "by": st.sampled_from([None, "customer", "human_agent"]),
                "detail": st.sampled_from(["", "busy", "why not"]),
            }
        ),
    ),
    st.tuples(
        st.just(Closed), st.fixed_dictionaries({"by": st.sampled_from(["customer", "human_agent", "system"])})
    ),
    st.tuples(st.just(CallImported), st.builds(lambda o: {"origin": o}, origins)),
    st.tuples(st.just(MessageRead), st.builds(lambda r: {"language": "en", "risks": (r,)}, risks)),
    st.tuples(
        st.just(AnalysisReady), st.builds(lambda n, a: {"up_to_seq": n, "analysis": a}, seqs, analyses)
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> Conversation:
    story = History()
    known: list[str] = ["m-0"]
    for number, (kind, fields) in enumerate(draw(st.lists(steps, max_size=25))):
        ids: dict[str, Any] = {}
        if kind in (CustomerMessage, AgentMessage):
            ids = {"message_id": f"m-{number}"}
            if kind is CustomerMessage and draw(st.booleans()):
                ids["attachments"] = (PHOTO,)
            known.append(f"m-{number}")
        elif kind in (AgentMessageEdited, MessageRead):
            ids = {"message_id": draw(st.sampled_from(known))}
        elif kind is ReplyReady:
            ids = {"reply_id": f"r-{number}", "answers": (draw(st.sampled_from(known)),)}
        at = NINE + timedelta(milliseconds=draw(st.integers(0, 10_000_000)))
        story.add(kind, at=at, **fields, **ids)
    channel = draw(st.sampled_from(["web", "call", "mail"]))
    return story.said(channel=channel, has_parent=draw(st.booleans()))


@given(histories())
def test_any_history_is_valid(said: Conversation) -> None:
    child = json.loads(json.dumps(vcon(said)))
    assert problems(child) == []
    assert problems(revealed(child, said, list)) == []


def test_the_stories_and_a_conversation_without_a_word_are_valid() -> None:
    told = Analysis(language="en", summary="", product="rules", product_version="1")
    quiet = History()
    quiet.add(AnalysisReady, up_to_seq=1, analysis=told)
    for said in (chat().said(subject="fees"), call().said(channel="call"), quiet.said(has_parent=False)):
        assert problems(vcon(said)) == []


def wording(document: Any, place: int) -> str:
    """What is to come back of a text: its body; where that is blank, what the recogniser had heard."""
    said: str = document["dialog"][place]["body"].replace("\r\n", "\n").strip()
    heard = [
        each["body"][0]["text"]
        for each in document["analysis"]
        if each["type"] == "transcript" and each["dialog"] == place
    ]
    return said or "".join(heard).strip()


@given(histories())
def test_any_history_comes_back(said: Conversation) -> None:
    """Every text that is more than blanks, by its time, its side and its party's name; and nothing else."""
    document = vcon(said)
    dialogs, parties = document["dialog"], document["parties"]
    texts = [
        place for place, each in enumerate(dialogs) if each["type"] == "text" and wording(document, place)
    ]
    if not texts:
        return
    back = imported(document)
    began = back.started_at
    assert began is not None
    expected = sorted(
        (
            datetime.fromisoformat(dialogs[place]["start"]),
            "customer" if dialogs[place]["parties"][0] == 0 else "human_agent",
            parties[dialogs[place]["parties"][0]].get("name") or "",
            wording(document, place),
        )
        for place in texts
    )
    assert expected == sorted(
        (
            began + timedelta(milliseconds=turn.start_ms),
            turn.speaker,
            back.parties[turn.party].name or "",
            turn.original,
        )
        for turn in back.turns
    )
    happened = [each for dialog in document["dialog"] for each in dialog.get("party_history", [])]
    others = [each for each in document["dialog"] if each["type"] in ("transfer", "incomplete")]
    assert len(back.events) == len(happened) + len(others)


@pytest.mark.parametrize("kind", ["text", "transfer", "incomplete"])
def test_indices_lead_to_what_is_there(kind: str) -> None:
    """Every index of every kind of dialog, over the stories of this file."""
    for document in (vcon(chat().said()), vcon(call().said(channel="call"))):
        parties, dialogs = len(document["parties"]), len(document["dialog"])
        for each in document["dialog"]:
            if each["type"] == kind:
                named = [*each.get("parties", []), each.get("transferor", 0), each.get("transfer_target", 0)]
                assert max(named) < parties
                assert all(
                    place < dialogs for place in [*each.get("original", []), *each.get("target_dialog", [])]
                )
