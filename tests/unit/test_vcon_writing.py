"""Conversations as vCons, by example."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.calls.vcon.writing import Conversation, child_id, parent_id, revealed, vcon
from parley.domain.readmodel import FeedbackRow
from schemas.base import ConversationId, CustomerId, EventId, ReplyId
from schemas.outbound import (
    AgentMessage,
    CallImported,
    CallStateChanged,
    Closed,
    CustomerMessage,
    OwnerChanged,
)
from schemas.parts import Attachment, CallOrigin, PriorVcon, SignatureChecked, Spoken
from tests.support.small_tenant import TENANT
from tests.support.stories import NINE
from tests.support.vcon import History, imported
from tests.support.vcon_stories import FEES, MEI, call, chat


def of_kind(document: Any, kind: str) -> list[Any]:
    return [each for each in document["analysis"] if each["type"] == kind]


def test_a_chat_with_a_hand_off_is_parties_texts_and_transfers() -> None:
    document = vcon(chat().said(subject="fees"))
    assert "A draft that nobody said." not in json.dumps(document)
    assert document["vcon"] == "0.4.0" and document["subject"] == "fees"
    assert document["parties"] == [
        {"uuid": "customer-of-c-1", "role": "customer"},
        {"name": "Helper", "role": "bot", "org": "Test Bank"},
        {"name": "Queue", "role": "system", "org": "Test Bank"},
        {"name": "Mei", "uuid": "mei", "role": "agent", "org": "Test Bank"},
        {"name": "Jo", "uuid": "jo", "role": "agent", "org": "Test Bank"},
    ]
    kinds = [each["type"] for each in document["dialog"]]
    assert kinds == [
        "text",
        "text",
        "text",
        "transfer",
        "text",
        "text",
        "transfer",
        "text",
        "transfer",
        "text",
    ]
    assert document["dialog"][0] == {
        "type": "text",
        "start": "2026-11-23T09:00:01Z",
        "parties": [0, 1],
        "mediatype": "text/plain",
        "body": "What does my account [account_1] cost?",
        "encoding": "none",
        "application": "web",
        "message_id": "m-1",
    }
    assert document["dialog"][3] == {
        "type": "transfer",
        "start": "2026-11-23T09:00:08Z",
        "transferee": 0,
        "transferor": 1,
        "transfer_target": 2,
        "original": [0, 1, 2],
        "target_dialog": [5],  # not what the bot says while the customer waits
    }
    roles = [
        (each["transferor"], each["transfer_target"]) for each in document["dialog"] if "transferor" in each
    ]
    assert roles == [(1, 2), (2, 3), (3, 4)]
    assert document["dialog"][6]["original"] == [5] and document["dialog"][6]["target_dialog"] == [7]
    assert document["dialog"][8]["original"] == [7] and document["dialog"][8]["target_dialog"] == [9]
    assert document["dialog"][9]["party_history"] == [
        {"party": 0, "time": "2026-11-23T09:00:18Z", "event": "drop"}
    ]


def test_ids_and_times_follow_from_the_conversation_alone() -> None:
    first, again = vcon(chat().said()), vcon(chat().said())
    assert first == again
    assert first["uuid"] == child_id(TENANT, ConversationId("c-1"))
    assert (first["created_at"], first["updated_at"]) == ("2026-11-23T09:00:00Z", "2026-11-23T09:00:18Z")
    assert child_id(TENANT, ConversationId("c-1")) != child_id(TENANT, ConversationId("c-2"))


def test_an_edit_counts_and_says_so() -> None:
    document = vcon(chat().said())
    assert document["dialog"][7]["body"] == "Hello."
    [edit] = of_kind(document, "edits")
    assert edit["dialog"] == 7
    assert edit["body"] == [{"edited_at": "2026-11-23T09:00:15Z", "before": "Helo."}]


def test_each_reply_tells_where_it_came_from_and_what_became_of_it() -> None:
    verdict = FeedbackRow(
        ConversationId("c-1"),
        ReplyId("r-1"),
        "customer",
        TENANT,
        CustomerId("x"),
        -1,
        "too short",
        EventId("e"),
        NINE + timedelta(hours=1),
    )
    document = vcon(chat().said(feedback=[verdict]))
    assert document["updated_at"] == "2026-11-23T10:00:00Z"
    answer, wait = of_kind(document, "provenance")
    assert answer["dialog"] == 1 and answer["body"] == {
        "kind": "answer",
        "language": "en",
        "citations": [FEES.model_dump()],
        "offer_human": False,
        "model": "extractive",
        "adapter": "bank@1",
        "answers": [0],
    }
    assert (wait["dialog"], wait["body"]["answers"]) == (4, [2])
    [delivery] = of_kind(document, "delivery")
    assert delivery["dialog"] == 1
    assert delivery["body"] == {"state": "failed", "reason": "blocked", "at": "2026-11-23T09:00:05Z"}
    [settled] = of_kind(document, "settlements")
    assert settled["body"] == [{"message": 0, "outcome": "answered", "reply": 1}]
    [given] = of_kind(document, "feedback")
    assert given["dialog"] == 1
    assert (given["body"]["score"], given["body"]["comment"]) == (-1, "too short")


def test_a_call_has_its_times_its_holds_and_what_was_heard() -> None:
    document = vcon(call().said(channel="call"))
    first, second = document["dialog"]
    assert (first["start"], first["duration"]) == ("2026-11-23T09:00:10.500Z", 1.75)
    assert (first["parties"], second["parties"]) == ([1, 0], [0, 1])
    assert first["party_history"] == [
        {"party": 1, "time": "2026-11-23T09:00:11.500Z", "event": "hold"},
        {"party": 1, "time": "2026-11-23T09:00:11.800Z", "event": "unhold"},
    ]
    assert second["party_history"] == [{"party": 0, "time": "2026-11-23T09:00:15Z", "event": "drop"}]
    [heard] = of_kind(document, "transcript")
    assert heard["dialog"] == 0
    assert heard["body"] == [
        {
            "party": 1,
            "start": first["start"],
            "duration": 1.75,
            "confidence": 0.9,
            "text": "Um, good morning.",
        }
    ]
    [remark] = of_kind(document, "call_state")
    assert remark["dialog"] == 0 and remark["body"]["detail"] == "found it"


def test_what_was_found_out_points_at_dialogs() -> None:
    document = vcon(call().said(channel="call"))
    [summary] = of_kind(document, "summary")
    assert summary["body"] == "A card was lost." and summary["dialog"] == [0, 1]
    assert (summary["vendor"], summary["product"], summary["encoding"]) == ("parley", "rules/3", "none")
    assert of_kind(document, "topics")[0]["body"] == [
        {"label": "lost card", "intent": "card_lost", "share": 1.0, "dialog": [1]}
    ]
    assert of_kind(document, "promises")[0]["body"] == [
        {"by": "human_agent", "text": "I will call you.", "dialog": 0, "due": "2026-11-24"}
    ]
    assert of_kind(document, "sentiment")[0]["body"]["turns"] == [{"dialog": 1, "score": -0.5}]
    assert of_kind(document, "compliance")[0]["body"] == [
        {"id": "greeting", "passed": True, "dialog": 0},
        {"id": "disclosure", "passed": False, "dialog": None},
    ]
    [understood] = of_kind(document, "understanding")
    assert understood["dialog"] == 1
    assert understood["body"]["intents"] == [{"intent": "card_lost", "probability": 0.9}]
    assert understood["body"]["risks"] == [{"kind": "fraud", "evidence": "gone"}]


def test_a_call_comes_back_as_it_was() -> None:
    """By the clock: a vCon does not say when a call began before anybody spoke."""
    back = imported(vcon(call().said(channel="call")))
    assert back.started_at == NINE + timedelta(seconds=10, milliseconds=500)
    told = [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in back.turns]
    assert told == [
        ("human_agent", "Good morning.", 0, 1_750),
        ("customer", "My card is gone.", 1_500, 3_500),
    ]
    assert [(each.kind, each.at_ms, each.party) for each in back.events] == [
        ("hold", 1_000, 1),
        ("resumed", 1_300, 1),
        ("hang_up", 4_500, 0),
    ]
    assert back.redacted and back.parties[1].name == "Mei"


def test_a_turn_of_nothing_but_noise_comes_back_as_it_was_heard() -> None:
    story = call()
    story.add(
        CustomerMessage,
        message_id="m-9",
        text="",
        spoken=Spoken(start_ms=5_000, end_ms=6_000, original="[inaudible]"),
    )
    back = imported(vcon(story.said(channel="call")))
    assert [(turn.original, turn.text) for turn in back.turns][-1] == ("[inaudible]", "")


def test_a_call_that_came_to_nothing() -> None:
    story = History("call-2")
    story.add(OwnerChanged, owner="human", reason="claimed", **MEI)
    story.add(CallStateChanged, kind="incomplete", at_ms=0, detail="busy")
    document = vcon(story.said(channel="call"))
    [nothing] = document["dialog"]
    assert (nothing["type"], nothing["disposition"], nothing["parties"]) == ("incomplete", "busy", [0, 1])
    assert "body" not in nothing and "transfer" not in str(document)
    story = History("call-3")
    story.add(CallStateChanged, kind="incomplete", at_ms=0, detail="the line was cut")
    document = vcon(story.said(channel="call"))
    assert document["dialog"][0]["disposition"] == "failed"
    assert of_kind(document, "call_state")[0]["body"]["detail"] == "the line was cut"


def test_a_call_that_ended_before_anybody_spoke_was_hung_up() -> None:
    story = History("call-4")
    story.add(CallStateChanged, kind="joined", at_ms=0, by="human_agent")
    story.add(Closed, by="customer")
    document = vcon(story.said(channel="call"))
    [nothing] = document["dialog"]
    assert nothing["disposition"] == "hung-up"
    assert [each["event"] for each in nothing["party_history"]] == ["join"]


def test_who_is_reopened_or_claimed_before_a_word_is_not_transferred() -> None:
    story = History()
    story.add(OwnerChanged, owner="human", reason="claimed", **MEI)
    story.add(AgentMessage, message_id="a-1", text="Hello.", **MEI)
    story.add(Closed, by="human_agent")
    story.add(OwnerChanged, owner="bot", reason="reopened")
    story.add(CustomerMessage, message_id="m-1", text="Me again.")
    document = vcon(story.said())
    assert [each["type"] for each in document["dialog"]] == ["text", "text"]
    assert document["dialog"][0]["party_history"][0]["party"] == 1


def test_several_speakers_under_one_id_are_several_parties() -> None:
    story = History("call-5")
    story.add(OwnerChanged, owner="human", reason="claimed", **MEI)
    for number, who in enumerate(("Mei", "Ana", "Mei")):
        story.add(
            AgentMessage, message_id=f"a-{number}", text="Hello.", human_agent_id="mei", human_agent_name=who
        )
    document = vcon(story.said(channel="call"))
    assert [each.get("name") for each in document["parties"]] == [None, "Mei", "Ana"]
    assert [each.get("uuid") for each in document["parties"][1:]] == ["mei", None]
    assert [each["parties"][0] for each in document["dialog"]] == [1, 2, 1]


@pytest.mark.parametrize(("told", "party"), [("unknown", {}), ("Jo Lind", {"name": "Jo Lind"})])
def test_a_human_agent_has_no_more_of_an_id_and_name_than_is_known(told: str, party: dict[str, str]) -> None:
    story = History("call-6")
    named: dict[str, Any] = {"human_agent_id": told, "human_agent_name": told}
    story.add(OwnerChanged, owner="human", reason="claimed", **named)
    story.add(AgentMessage, message_id="a-1", text="Hello.", **named)
    document = vcon(story.said(channel="call"))
    assert document["parties"][1:] == [{**party, "role": "agent", "org": "Test Bank"}]
    assert document["dialog"][0]["parties"] == [1, 0]


def test_files_are_named_by_their_digest_without_bytes() -> None:
    story = History()
    photo = Attachment(
        kind="photo", media_type="image/png", digest="00" * 31 + "ff", bytes=12, name="[name_1].png"
    )
    story.add(CustomerMessage, message_id="m-1", text="", attachments=(photo,))
    story.add(CustomerMessage, message_id="m-2", text="There.")
    document = vcon(story.said())
    assert document["attachments"] == [
        {
            "purpose": "photo",
            "start": "2026-11-23T09:00:01Z",
            "party": 0,
            "dialog": 0,
            "mediatype": "image/png",
            "filename": "[name_1].png",
            "content_hash": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8",
        }
    ]
    assert [turn.text for turn in imported(document).turns] == ["There."]


def test_the_parent_is_the_same_with_the_values() -> None:
    said = chat().said()
    child = vcon(said)
    asked: list[str] = []

    def reveal(texts: Any) -> list[str]:
        asked.extend(texts)
        return [text.replace("[account_1]", "12345678") for text in texts]

    parent = revealed(child, said, reveal)
    assert asked == ["What does my account [account_1] cost?"]
    assert child["redacted"] == {"uuid": parent["uuid"], "type": "PII masked"}
    assert parent["uuid"] == parent_id(TENANT, ConversationId("c-1")) != child["uuid"]
    assert "redacted" not in parent and not imported(parent).redacted
    assert parent["dialog"][0]["body"] == "What does my account 12345678 cost?"
    assert parent["dialog"][1:] == child["dialog"][1:] and parent["parties"] == child["parties"]
    assert "12345678" not in json.dumps(child)


def test_where_no_values_are_kept_there_is_no_parent_to_name() -> None:
    document = vcon(chat().said(has_parent=False))
    assert document["redacted"] == {"type": "PII masked"} and imported(document).redacted


PRIOR = PriorVcon(uuid="019f15a6-a752-826f-b9a2-279e0d16bc46", type="PII Redaction")


def read_from(*origins: CallOrigin) -> History:
    """A call of a turn for each file that it was read from."""
    story = History("call-1")
    story.add(OwnerChanged, owner="human", reason="claimed", **MEI)
    for number, origin in enumerate(origins):
        story.add(CallImported, origin=origin)
        story.add(AgentMessage, message_id=f"a-{number}", text="Good morning, [name_1].", **MEI)
    return story


def parent_of(said: Conversation) -> Any:
    return revealed(vcon(said), said, lambda texts: [text.replace("[name_1]", "Ann") for text in texts])


def test_a_call_that_came_redacted_leaves_redacted() -> None:
    story = read_from(CallOrigin(redacted=True, redacted_of=PRIOR))
    named = {"uuid": PRIOR.uuid, "type": "PII Redaction"}
    kept, unkept = story.said(channel="call"), story.said(channel="call", has_parent=False)
    parent = parent_of(kept)
    assert vcon(kept)["redacted"] == {"uuid": parent["uuid"], "type": "PII masked"}
    assert parent["redacted"] == named and imported(parent).redacted
    assert parent["dialog"][0]["body"] == "Good morning, Ann."
    assert vcon(unkept)["redacted"] == {**named, "type": "PII masked; PII Redaction"}
    for document in (vcon(kept), vcon(unkept), parent):
        [origin] = of_kind(document, "origin")
        assert (origin["dialog"], origin["body"]) == ([0], {"redacted": True, "redacted_of": named})


def test_what_is_redacted_by_no_type_or_reference_is_redacted_all_the_same() -> None:
    said = read_from(CallOrigin(redacted=True)).said(channel="call", has_parent=False)
    assert parent_of(said)["redacted"] == {"type": "redacted before it was imported"}
    assert vcon(said)["redacted"] == {"type": "PII masked; redacted before it was imported"}
    again = PRIOR.model_copy(update={"type": "PII masked"})
    said = read_from(CallOrigin(redacted=True, redacted_of=again)).said(has_parent=False)
    assert vcon(said)["redacted"] == {"uuid": PRIOR.uuid, "type": "PII masked"}


def test_a_reference_leaves_as_the_draft_allows_it() -> None:
    """No uuid that is none, no url without the content's hash or but by HTTPS; the vCon's own `origin` has them as they came."""
    told = {
        "uuid": "u-1",
        "type": "PII",
        "url": "https://x.example/1",
        "content_hash": ("sha512-a", "sha512-b"),
    }
    for changed, expected in (
        ({}, {"url": told["url"], "content_hash": ["sha512-a", "sha512-b"]}),
        ({"content_hash": ("sha512-a",)}, {"url": told["url"], "content_hash": "sha512-a"}),
        ({"content_hash": ()}, {}),
        ({"url": "http://x.example/1"}, {}),
    ):
        prior = PriorVcon.model_validate({**told, **changed})
        document = parent_of(read_from(CallOrigin(redacted=True, redacted_of=prior)).said())
        assert document["redacted"] == {**expected, "type": "PII"}
        assert of_kind(document, "origin")[0]["body"]["redacted_of"]["uuid"] == "u-1"


def test_an_amended_call_names_what_it_amends_unless_it_is_redacted() -> None:
    amended = PriorVcon(uuid="019f15a6-a752-826f-b9a2-000000000001")
    said = read_from(CallOrigin(amended_of=amended)).said(channel="call")
    assert parent_of(said)["amended"] == {"uuid": amended.uuid} and "redacted" not in parent_of(said)
    assert "amended" not in vcon(said)
    both = read_from(CallOrigin(amended_of=amended, redacted=True, redacted_of=PRIOR)).said(channel="call")
    assert parent_of(both)["redacted"]["uuid"] == PRIOR.uuid and "amended" not in parent_of(both)


def test_each_file_that_a_call_was_read_from_tells_of_its_own_texts() -> None:
    signed = CallOrigin(signature=SignatureChecked(verified=True, signer="house"))
    document = vcon(read_from(signed, CallOrigin(redacted=True)).said(channel="call", has_parent=False))
    first, second = of_kind(document, "origin")
    assert first["dialog"] == [0] and second["dialog"] == [1]
    assert first["body"] == {"redacted": False, "signature": {"verified": True, "signer": "house"}}
    assert "signature" not in second["body"]
    assert document["redacted"]["type"] == "PII masked; redacted before it was imported"


def test_a_conversation_without_a_word() -> None:
    document = vcon(History().said())
    assert (document["dialog"], document["created_at"]) == ([], "2026-11-23T09:00:00Z")
