"""What a customer sees on Telegram while an answer is written: drafts, and where the server has none, a message that is edited."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from connectors.telegram import drafts
from parley.settings import Settings
from schemas.base import Body, Event, GenerationId, MessageId, ReplyId
from schemas.outbound import CustomerMessage, EpochRaised, OwnerChanged, ReplyDelta, ReplyReady
from tests.support.effectors import WITHIN_S, until
from tests.support.inference import running
from tests.support.platform import send
from tests.support.scripted_channel import reports
from tests.support.small_tenant import TENANT
from tests.support.stories import event
from tests.support.telegram import TelegramApi
from tests.support.telegram_platform import telegram_platform
from workers.wiring import Platform, build_worker

G = GenerationId("6f0c2f0e-0000-5000-8000-000000000001")
NO_DRAFTS = {
    "method": "sendMessageDraft", "do": "error", "error_code": 404, "description": "Not Found: method not found",
    "times": None,
}  # fmt: skip
numbers = iter(range(7000, 8000))


@pytest.fixture
def on(
    request: pytest.FixtureRequest, api: TelegramApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """Its parameter: what a process sends a second."""
    monkeypatch.setenv("PARLEY_TELEGRAM_PER_SECOND", str(getattr(request, "param", 30)))
    monkeypatch.setattr(drafts, "DRAFT_EVERY_S", 0.05)
    monkeypatch.setattr(drafts, "EDIT_EVERY_S", 0.2)
    with (
        telegram_platform(api, Settings(home=tmp_path), monkeypatch) as opened,
        running(build_worker("telegram", opened), 3 * WITHIN_S),
    ):
        yield opened


class Talk:
    """One chat, and what the workers say in it."""

    def __init__(self, on: Platform, api: TelegramApi) -> None:
        self.on, self.api = on, api
        self.chat = api.add_private_chat(next(numbers), first_name="Anna", language_code="en")
        api.say(self.chat, "What does it cost?")
        assert api.pending(within_s=WITHIN_S) == []
        held = on.store.channels.chat(TENANT, "telegram", str(self.chat))
        assert held is not None
        self.held = held
        self.seq = 0
        self.pieces = 0
        self.told(CustomerMessage(seq=1, epoch=0, message_id=MessageId("m"), text="What does it cost?"))
        until(lambda: api.calls("sendChatAction", chat_id=self.chat))

    def told(self, *bodies: Body) -> None:
        for body in bodies:
            self.seq += 1
            made = event(body, self.seq, at=datetime.now(UTC), conversation=self.held.conversation_id)
            customer = {"customer_id": self.held.customer_id}
            send(self.on, Event(made.envelope.model_copy(update=customer), body))

    def writes(self, text: str, generation: GenerationId = G, epoch: int = 0) -> None:
        self.told(
            ReplyDelta(generation_id=generation, attempt="a", epoch=epoch, index=self.pieces, text=text)
        )
        self.pieces += 1

    def replies(self, text: str, generation: GenerationId | None = G) -> None:
        self.told(
            ReplyReady(
                seq=self.seq + 1, epoch=0, reply_id=ReplyId("r"), kind="answer", answers=(), text=text,
                language="en", generation_id=generation,
            )
        )  # fmt: skip
        until(lambda: reports(self.on))

    def shown(self) -> list[str]:
        """Without spaces at the ends, which Telegram does not keep."""
        return [each.text.strip() for each in self.api.messages(self.chat) if each.by_bot]

    def draft(self) -> str | None:
        found = self.api.draft(self.chat)
        return found.text.strip() if found is not None else None


def test_a_draft_grows_until_its_answer_comes(on: Platform, api: TelegramApi) -> None:
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: talk.draft() == "It")
    talk.writes("costs 4.")
    until(lambda: talk.draft() == "It costs 4.")
    assert talk.shown() == []
    talk.replies("It costs 4.")
    assert talk.shown() == ["It costs 4."] and talk.draft() is None


def test_a_draft_that_a_later_epoch_ends_is_taken_back(on: Platform, api: TelegramApi) -> None:
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: talk.draft() == "It")
    talk.told(EpochRaised(seq=2, epoch=1, reason="new_message", generation_id=G))
    until(lambda: talk.draft() == "")
    talk.pieces = 0
    talk.writes("Both ", GenerationId("6f0c2f0e-0000-5000-8000-000000000002"), epoch=1)
    until(lambda: talk.draft() == "Both")


def test_a_draft_that_a_human_agent_ends_is_taken_back(on: Platform, api: TelegramApi) -> None:
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: talk.draft() == "It")
    talk.told(
        OwnerChanged(
            seq=2, epoch=1, owner="human", human_agent_id="mei", human_agent_name="Mei", reason="claimed"
        )
    )
    until(lambda: talk.draft() == "")


def test_a_draft_is_formatted_as_its_answer_will_be(on: Platform, api: TelegramApi) -> None:
    talk = Talk(on, api)
    talk.writes("**The fee** is <4, see [the list](https://bank.example/fees)")
    until(lambda: talk.draft() is not None)
    shown = api.draft(talk.chat)
    assert shown is not None and shown.text == "The fee is <4, see the list"
    assert shown.html == '<b>The fee</b> is &lt;4, see <a href="https://bank.example/fees">the list</a>'


def test_of_a_long_text_a_draft_shows_as_much_as_telegram_takes(on: Platform, api: TelegramApi) -> None:
    talk = Talk(on, api)
    talk.writes("🙂 " * 2_000)  # three UTF-16 code units each
    until(lambda: talk.draft() is not None)
    shown = api.draft(talk.chat)
    assert shown is not None and 3_000 < len(shown.text.encode("utf-16-le")) // 2 <= 4_096


def test_a_draft_whose_formatting_is_refused_is_shown_without(on: Platform, api: TelegramApi) -> None:
    refused = {"do": "error", "error_code": 400, "description": "Bad Request: can't parse entities: no"}
    api.set_faults({"method": "sendMessageDraft", "times": 1, **refused})
    talk = Talk(on, api)
    talk.writes("**The fee** is 4")
    until(lambda: talk.draft() == "The fee is 4")
    assert talk.shown() == []


@pytest.mark.parametrize("do", ["429", "500"])
def test_a_draft_that_cannot_be_taken_back_at_once_is_taken_back_later(
    on: Platform, api: TelegramApi, do: str
) -> None:
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: talk.draft() == "It")
    api.set_faults({"method": "sendMessageDraft", "do": do, "retry_after": 1, "times": 2})
    talk.told(
        OwnerChanged(
            seq=2, epoch=1, owner="human", human_agent_id="mei", human_agent_name="Mei", reason="claimed"
        )
    )
    until(lambda: talk.draft() == "")
    assert [each.fault for each in api.calls("sendMessageDraft", chat_id=talk.chat)] == ["", do, do, ""]


@pytest.mark.parametrize("on", [1], indirect=True)
def test_a_draft_is_taken_back_although_the_bot_has_no_place_just_now(on: Platform, api: TelegramApi) -> None:
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: talk.draft() == "It")
    talk.told(EpochRaised(seq=2, epoch=1, reason="new_message", generation_id=G))
    until(lambda: talk.draft() == "")


@pytest.mark.parametrize("on", [1], indirect=True)
def test_edits_of_a_text_in_the_making_keep_the_pace(on: Platform, api: TelegramApi) -> None:
    api.set_faults(NO_DRAFTS)
    talk = Talk(on, api)

    def edited() -> bool:
        talk.writes("word ")
        return len(api.calls("editMessageText", chat_id=talk.chat)) >= 3

    until(edited)
    paced = ("sendMessage", "editMessageText", "sendChatAction", "sendMessageDraft")
    times = [each.at for each in api.calls(chat_id=talk.chat) if each.method in paced]
    assert all(after - before > 0.8 for before, after in pairwise(times)), times


def test_without_drafts_one_message_grows_and_becomes_the_answer(on: Platform, api: TelegramApi) -> None:
    api.set_faults(NO_DRAFTS)
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: talk.shown() == ["It"])
    [first] = [each for each in api.messages(talk.chat) if each.by_bot]
    talk.writes("costs ")
    talk.writes("**4**")
    until(lambda: talk.shown() == ["It costs 4"])
    assert [each.html for each in api.messages(talk.chat) if each.by_bot] == ["It costs <b>4</b>"]
    talk.replies("It costs **4**.")
    [last] = [each for each in api.messages(talk.chat) if each.by_bot]
    assert (last.message_id, last.html) == (first.message_id, "It costs <b>4</b>.")
    assert last.message["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "up:r"
    assert list(reports(on).values()) == [("sent", None)]
    assert len(api.calls("sendMessage", chat_id=talk.chat)) == 1
    other = Talk(on, api)
    other.writes("Known ", GenerationId("6f0c2f0e-0000-5000-8000-000000000003"))
    until(lambda: other.shown())
    assert api.calls("sendMessageDraft", chat_id=other.chat) == [], "the server is not asked again"


def test_without_drafts_what_is_stale_is_deleted(on: Platform, api: TelegramApi) -> None:
    api.set_faults(NO_DRAFTS)
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: len(talk.shown()) == 1)
    talk.told(EpochRaised(seq=2, epoch=1, reason="new_message", generation_id=G))
    until(lambda: talk.shown() == [])
    talk.replies("Something else.", None)
    assert talk.shown() == ["Something else."]


def test_a_chat_that_refuses_drafts_has_messages_and_others_keep_theirs(
    on: Platform, api: TelegramApi
) -> None:
    talk, other = Talk(on, api), Talk(on, api)
    refused = {"do": "error", "error_code": 400, "description": "Bad Request: TEXTDRAFT_PEER_INVALID"}
    api.set_faults({"method": "sendMessageDraft", "chat_id": talk.chat, "times": None, **refused})
    talk.writes("It ")
    other.writes("It ")
    until(lambda: len(talk.shown()) == 1 and other.draft() == "It")
    assert other.shown() == []


def test_an_edit_that_comes_too_fast_waits_as_long_as_it_is_told(on: Platform, api: TelegramApi) -> None:
    api.set_faults(NO_DRAFTS, {"method": "editMessageText", "do": "429", "retry_after": 1, "times": 1})
    talk = Talk(on, api)
    talk.writes("It ")
    until(lambda: len(talk.shown()) == 1)
    talk.writes("costs ")
    until(lambda: api.calls("editMessageText", chat_id=talk.chat))
    talk.writes("4.")
    until(lambda: talk.shown() == ["It costs 4."])
    first, second = api.calls("editMessageText", chat_id=talk.chat)[:2]
    assert second.at - first.at >= 1.0
