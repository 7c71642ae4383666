"""Files that customers send on Telegram: fetched, told by content, kept sealed, in the log with their captions; or a polite answer."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.telegram import media
from parley.backends.media_files import open_media
from parley.errors import KeyErased, StoreUnavailable
from parley.settings import Settings
from schemas.base import ConversationId, CustomerId, ReplyId, TenantId
from schemas.conversation_events import MessageReceived
from schemas.other_events import FeedbackGiven
from schemas.outbound import CustomerMessage, MessageSettled, ReplyReady
from tests.support.effectors import WITHIN_S, until
from tests.support.files import JPEG, KEPT_OUT, OPUS, PDF, WEBP, boxed, office
from tests.support.inference import running as running_worker
from tests.support.platform import events_on, records_on
from tests.support.small_tenant import TENANT
from tests.support.telegram import TelegramApi
from tests.support.telegram_platform import telegram_platform
from workers.embedded import Embedded
from workers.wiring import BUILDERS, Platform, build_worker

ANSWER = "The Everyday account costs €4.50 a month."
numbers = iter(range(5000, 6000))


@pytest.fixture
def platform(api: TelegramApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("PARLEY_TELEGRAM_MEDIA_MB", "photo=1,video=0")
    with telegram_platform(api, Settings(home=tmp_path), monkeypatch) as opened:
        yield opened


@pytest.fixture
def connector(platform: Platform) -> Iterator[Platform]:
    """Telegram's connector alone."""
    with running_worker(build_worker("telegram", platform), 3 * WITHIN_S):
        yield platform


@pytest.fixture
def whole(platform: Platform) -> Iterator[Platform]:
    """With all workers."""
    embedded = Embedded(platform, (*BUILDERS, "telegram"))
    embedded.start()
    yield platform
    embedded.stop()
    assert embedded.failed is None


@pytest.fixture
def anna(api: TelegramApi) -> int:
    return api.add_private_chat(next(numbers), first_name="Anna", language_code="en")


def taken_in(on: Platform) -> None:
    until(lambda: on.store.channels.waiting_chats(TENANT, "telegram") == [])


def received(on: Platform) -> list[MessageReceived]:
    """Each message of the log once, as soon as none waits any more to be taken in."""
    taken_in(on)
    found: dict[str, MessageReceived] = {}
    for each in events_on(on, "conversation.events"):
        if isinstance(each.body, MessageReceived):
            found.setdefault(each.envelope.event_id, each.body)
    return list(found.values())


def customer_of(on: Platform, chat: int) -> tuple[TenantId, CustomerId, ConversationId]:
    held = on.store.channels.chat(TENANT, "telegram", str(chat))
    assert held is not None
    return held.tenant, held.customer_id, held.conversation_id


def said(api: TelegramApi, chat: int, at_least: int = 0, on: Platform | None = None) -> list[str]:
    """By the bot. With a platform: once nothing waits to be taken in there."""
    assert api.pending(within_s=WITHIN_S) == []
    if on is not None:
        taken_in(on)
    until(lambda: sum(each.by_bot for each in api.messages(chat)) >= at_least)
    return [each.text for each in api.messages(chat) if each.by_bot]


@pytest.mark.parametrize(
    ("kind", "sent", "told", "of"),
    [
        ("photo", JPEG, "image/jpeg", "photo"),
        ("voice", OPUS, "audio/ogg", "voice"),
        ("audio", boxed(b"mp42"), "audio/mp4", "audio"),
        ("document", PDF, "application/pdf", "document"),
        ("sticker", WEBP, "image/webp", "sticker"),
    ],
)
def test_a_file_is_in_the_log_and_stored_sealed(
    connector: Platform, api: TelegramApi, anna: int, kind: Any, sent: bytes, told: str, of: str
) -> None:
    api.send_file(anna, kind, sent)
    assert said(api, anna, on=connector) == []
    [message] = received(connector)
    [attachment] = message.attachments
    assert (message.text, attachment.kind, attachment.media_type) == ("", of, told)
    assert attachment.bytes == len(sent)
    tenant, customer, _ = customer_of(connector, anna)
    assert connector.media.get(tenant, customer, attachment.digest) == sent


def test_films_of_each_form_are_videos(
    platform: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_TELEGRAM_MEDIA_MB", "20")
    with running_worker(build_worker("telegram", platform), 3 * WITHIN_S):
        for kind in ("video", "animation", "video_note"):
            api.send_file(anna, kind, boxed(b"isom"))
        assert said(api, anna, on=platform) == []
    assert [[each.kind for each in message.attachments] for message in received(platform)] == [["video"]] * 3


def test_a_caption_and_a_name_come_along_masked(connector: Platform, api: TelegramApi, anna: int) -> None:
    api.send_file(
        anna,
        "document",
        PDF,
        caption="My card 4111 1111 1111 1111",
        file_name="bill.exe",
        mime_type="text/x-sh",
    )
    api.send_file(anna, "document", PDF, file_name="card 4111 1111 1111 1111.pdf")
    assert said(api, anna, on=connector) == []
    first, second = received(connector)
    assert first.text == "My card [card_1]" and first.masked == ("card",)
    assert (first.attachments[0].media_type, first.attachments[0].name) == ("application/pdf", "bill.exe")
    assert second.attachments[0].name is None
    assert first.attachments[0].digest == second.attachments[0].digest
    raw = b"".join(record.value or b"" for record in records_on(connector, "conversation.events"))
    assert b"4111" not in raw and b"bill" not in raw
    assert hashlib.sha256(PDF).hexdigest() == first.attachments[0].digest
    assert first.attachments[0].digest.encode() not in raw


@pytest.mark.parametrize("name", ["a program for Windows", "a web page", "a bomb", "a document with macros"])
def test_what_is_not_let_in_is_answered_and_its_caption_taken(
    connector: Platform, api: TelegramApi, anna: int, name: str
) -> None:
    api.send_file(
        anna, "document", KEPT_OUT[name], caption="see this", file_name="x.pdf", mime_type="application/pdf"
    )
    [answer] = said(api, anna, 1)
    assert answer.startswith("I cannot take this kind of file") and "PDF" in answer
    [message] = received(connector)
    assert (message.text, message.attachments) == ("see this", ())
    tenant, customer, _ = customer_of(connector, anna)
    assert connector.media.held(tenant, customer) == {}


def test_what_is_not_let_in_and_says_nothing_is_no_message(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    api.send_file(anna, "document", KEPT_OUT["a zip"])
    assert len(said(api, anna, 1)) == 1 and received(connector) == []


def test_a_file_above_its_kinds_limit_is_not_even_asked_for(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    before = len(api.calls("getFile"))
    api.send_file(anna, "document", PDF, size=21 << 20, caption="the contract")
    assert said(api, anna, 1) == ["Your file is too large for me: I can take up to 20 MB. It was not kept."]
    api.send_file(anna, "video", boxed(b"isom"))  # none is taken, says the setting
    assert said(api, anna, 2)[1].startswith("I cannot take this kind")
    assert len(api.calls("getFile")) == before
    assert [message.text for message in received(connector)] == ["the contract"]


def test_a_file_that_is_larger_than_it_was_told_is_dropped_on_the_way(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    api.send_file(anna, "sticker", WEBP + bytes(21 << 20), size=1_000)
    assert "up to 20 MB" in said(api, anna, 1)[0] and received(connector) == []


def test_of_a_picture_above_the_limit_a_smaller_one_is_taken(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    api.send_file(anna, "photo", JPEG + bytes(2 << 20))
    assert said(api, anna, on=connector) == []
    [message] = received(connector)
    assert message.attachments[0].bytes == 1_024


def test_a_file_that_does_not_come_at_once_is_asked_for_again(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    api.set_faults(
        {"method": "getFile", "times": 1, "do": "429", "retry_after": 1},
        {"method": "download", "times": 1, "do": "502_html"},
    )
    api.send_file(anna, "photo", JPEG)
    assert said(api, anna, on=connector) == []
    assert [len(message.attachments) for message in received(connector)] == [1]


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "getFile", "do": "error", "error_code": 400, "description": "Bad Request: wrong file_id"},
        {"method": "download", "do": "502_html"},
        {"method": "download", "do": "cut"},
    ],
    ids=str,
)
def test_a_file_that_does_not_come_is_said_so_and_its_caption_taken(
    connector: Platform, api: TelegramApi, anna: int, fault: dict[str, Any]
) -> None:
    api.set_faults({"times": 9, **fault})
    api.send_file(anna, "photo", JPEG, caption="look")
    assert said(api, anna, 1) == ["Your file did not reach me. Please send it again."]
    assert [(message.text, message.attachments) for message in received(connector)] == [("look", ())]


def test_a_server_that_says_nothing_is_not_waited_for_without_end(
    connector: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "FETCH_WITHIN_S", 1.0)
    api.set_faults({"method": "download", "do": "timeout_before", "times": None})
    began = time.monotonic()
    api.send_file(anna, "photo", JPEG)
    assert said(api, anna, 1) == ["Your file did not reach me. Please send it again."]
    assert time.monotonic() - began < 5.0
    before = len(api.calls("getFile"))
    api.set_faults({"method": "download", "do": "cut", "times": 9})
    api.send_file(anna, "photo", JPEG)
    assert len(said(api, anna, 2)) == 2
    assert len(api.calls("getFile")) == before + 1, "the next one is tried once"
    api.set_faults()
    api.send_file(anna, "photo", JPEG)
    assert len(said(api, anna, on=connector)) == 2 and len(received(connector)) == 1


def test_the_answer_is_in_the_customers_language(connector: Platform, api: TelegramApi) -> None:
    chat = api.add_private_chat(next(numbers), first_name="Bo", language_code="zh-hans")
    api.send_file(chat, "document", KEPT_OUT["a zip"])
    assert said(api, chat, 1)[0].startswith("我无法接收这类文件")


def test_the_same_update_again_fetches_nothing_and_doubles_nothing(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    before = len(api.calls("getFile"))
    api.deliver_twice(2)
    api.send_file(anna, "photo", JPEG, caption="twice")
    api.send_file(anna, "document", KEPT_OUT["a zip"])
    assert len(said(api, anna, 1)) == 1
    assert len(received(connector)) == 1 and len(api.calls("getFile")) == before + 2


def test_while_the_log_is_away_nothing_is_fetched_again(
    connector: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.kit.pen import Pen

    api.say(anna, "hello")  # the conversation has begun
    assert api.pending(within_s=WITHIN_S) == []
    before, real, tries = len(api.calls("getFile")), Pen.publish, iter(range(4))

    def away(self: Pen, events: Any) -> None:
        if isinstance(events[0].body, MessageReceived) and next(tries, None) is not None:
            raise StoreUnavailable("the log is away")
        real(self, events)

    monkeypatch.setattr(Pen, "publish", away)
    api.send_file(anna, "photo", JPEG)
    until(lambda: len(received(connector)) == 2)
    assert len(api.calls("getFile")) == before + 1


def test_a_store_of_files_that_is_away_holds_up_no_text(
    connector: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> str:
        raise StoreUnavailable("customers' files: away")

    monkeypatch.setattr(type(connector.media), "put", away)
    api.send_file(anna, "photo", JPEG, caption="look")
    assert said(api, anna, 1) == ["Your file did not reach me. Please send it again."]
    assert [(message.text, message.attachments) for message in received(connector)] == [("look", ())]


def test_of_an_album_each_picture_is_logged_and_what_is_wrong_is_said_once(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    for number in range(3):
        api.send_file(anna, "photo", JPEG + bytes([number]), media_group_id="album-1")
    for _ in range(3):
        api.send_file(anna, "document", KEPT_OUT["a zip"], media_group_id="album-2")
    assert len(said(api, anna, 1)) == 1
    assert len({each.digest for message in received(connector) for each in message.attachments}) == 3


def test_nobody_fills_the_disk(
    connector: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "CHAT_BYTES", 3 * len(PDF) - 1)
    for number in range(3):
        api.send_file(anna, "document", PDF[:-1] + bytes([number]))
    [answer] = said(api, anna, 1)
    assert answer.startswith("Those are more files than I can take") and len(received(connector)) == 2


def test_places_and_contacts_are_put_in_words(connector: Platform, api: TelegramApi, anna: int) -> None:
    api.send_location(anna, 53.349805, -6.26031)
    api.send_contact(anna, "+353 86 123 4567", "Mei")
    assert said(api, anna, on=connector) == []
    assert [message.text for message in received(connector)] == [
        "location: 53.349805, -6.26031",
        "contact: Mei, phone number [phone_1]",
    ]


def test_whoever_erases_themselves_takes_the_files_along(
    connector: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parley.runtime import erasing

    monkeypatch.setattr(erasing, "SETTLE_S", 0.0)
    api.send_file(anna, "photo", JPEG)
    assert said(api, anna, on=connector) == []
    tenant, customer, _ = customer_of(connector, anna)
    [name] = connector.media.held(tenant, customer)
    api.say(anna, "/delete")
    assert len(said(api, anna, 1)) == 1
    asked = [each for each in api.messages(anna) if each.by_bot][-1]
    api.press(anna, asked.message_id, asked.buttons["Erase everything"])
    until(lambda: connector.media.held(tenant, customer) == {})
    with pytest.raises(KeyErased):
        connector.media.put(tenant, customer, JPEG)
    until(lambda: connector.store.channels.chat(TENANT, "telegram", str(anna)) is None)
    api.send_file(anna, "photo", JPEG)
    assert api.pending(within_s=WITHIN_S) == []
    taken_in(connector)
    tenant, new_customer, _ = customer_of(connector, anna)
    [again] = connector.media.held(tenant, new_customer)
    assert new_customer != customer and again != name


def test_a_file_with_a_question_is_answered_and_one_without_is_received_honestly(
    whole: Platform, api: TelegramApi, anna: int
) -> None:
    api.send_file(anna, "photo", JPEG, caption="What does the account cost?")
    assert said(api, anna, 1)[0].startswith(ANSWER)
    api.send_file(anna, "document", office("word"), media_group_id="g")
    api.send_file(anna, "photo", JPEG, media_group_id="g")
    until(
        lambda: (
            sum(len(body.settlements) for body in bodies(whole, MessageSettled)) == 3
            and len(said(api, anna, 2)) == 2
        )
    )
    assert "cannot look at files" in said(api, anna)[1]
    outcomes = [each.outcome for body in bodies(whole, MessageSettled) for each in body.settlements]
    assert outcomes == ["answered", "answered", "merged"]
    assert [len(body.attachments) for body in bodies(whole, CustomerMessage)] == [1, 1, 1]


def bodies(on: Platform, kind: type[Any]) -> list[Any]:
    return [each.body for each in events_on(on, "chat.outbound") if isinstance(each.body, kind)]


def test_a_forged_button_rates_nothing(whole: Platform, api: TelegramApi, anna: int) -> None:
    other = api.add_private_chat(next(numbers), first_name="Bo", language_code="en")
    for chat in (anna, other):
        api.say(chat, "What does the account cost?")
        assert len(said(api, chat, 1)) == 1
    replies = {
        each.envelope.conversation_id: each.body.reply_id
        for each in events_on(whole, "chat.outbound")
        if isinstance(each.body, ReplyReady)
    }
    theirs = replies[customer_of(whole, other)[2]]
    [shown] = [each for each in api.messages(anna) if each.by_bot]
    before = len(api.calls("answerCallbackQuery"))
    for forged in (theirs, ReplyId("made-up")):
        api.inject(
            {
                "callback_query": {
                    "id": f"forged-{forged}",
                    "from": {"id": anna, "is_bot": False, "first_name": "Anna", "language_code": "en"},
                    "chat_instance": "c",
                    "data": f"up:{forged}",
                    "message": shown.message,
                }
            }
        )
    answered = api.calls("answerCallbackQuery", at_least=before + 2)[before:]
    assert {each.params.get("text") for each in answered} == {"This button is no longer valid."}
    assert api.pending(within_s=WITHIN_S) == []
    assert not any(isinstance(each.body, FeedbackGiven) for each in events_on(whole, "feedback.events"))


def test_files_are_where_the_setting_says(tmp_path: Path, platform: Platform) -> None:
    opened = open_media(str(tmp_path / "elsewhere"), tmp_path / "home", platform.codec)
    opened.put(TENANT, CustomerId("x"), JPEG)
    assert [each.is_file() for each in (tmp_path / "elsewhere").glob("*/*/*")] == [True]
