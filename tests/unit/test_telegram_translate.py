"""What Telegram's updates mean."""

from typing import Any

import pytest
from aiogram.types import Update

from connectors.telegram.sharing import Shared
from connectors.telegram.translate import (
    Arrival,
    Blocked,
    Commanded,
    Pressed,
    Said,
    Unreadable,
    arrival_of,
    feedback_of,
)

ANNA = {"id": 5, "is_bot": False, "first_name": "Anna", "language_code": "zh-hans"}
CHAT = {"id": 5, "type": "private"}
BASE: dict[str, Any] = {"message_id": 1, "date": 1_790_000_000, "chat": CHAT, "from": ANNA}


def arrived(kind: str = "message", /, **content: Any) -> Arrival | None:
    return arrival_of(Update.model_validate({"update_id": 9, kind: {**BASE, **content}}))


def meant(kind: str = "message", /, **content: Any) -> object:
    found = arrived(kind, **content)
    return None if found is None else found.meaning


def test_a_text_with_whose_and_where() -> None:
    assert arrived(text="hello") == Arrival(9, 5, True, "zh-hans", Said("hello"), message_id=1)


def test_what_was_edited_is_what_it_says_now() -> None:
    assert meant("edited_message", text="hello", edit_date=1) == Said("hello")
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    shown = Shared("photo", "f", unique="u")
    found = meant("edited_message", photo=photo, caption="what is this?", edit_date=1)
    assert found == Said("what is this?", shown)
    assert meant("edited_message", photo=photo, edit_date=1) == Said("", shown)
    assert meant("edited_message", text="/human", edit_date=1) == Commanded("human")
    assert meant("edited_message", dice={"emoji": "🎲", "value": 6}, edit_date=1) is None
    found = arrived("edited_message", text="hello", edit_date=1)
    assert found is not None and found.edited


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/start", Commanded("start")),
        ("/start pay-load_1", Commanded("start", "pay-load_1")),
        ("/help@Parley_bot", Commanded("help", to="parley_bot")),
        (" /language zh ", Commanded("language", "zh")),
        ("/deleted", Said("/deleted")),
        ("please /help", Said("please /help")),
        ("/unknown", Said("/unknown")),
    ],
)
def test_commands(text: str, command: object) -> None:
    assert meant(text=text) == command


def test_what_a_reply_quotes_comes_before_it() -> None:
    earlier = {**BASE, "message_id": 0, "text": "The fee is\n€4.50 " + "x" * 400}
    found = meant(text="and this?", reply_to_message=earlier)
    assert isinstance(found, Said) and found.text.startswith("> The fee is €4.50 xxx")
    assert found.text.endswith("…\n\nand this?") and len(found.text.partition("\n")[0]) == 302
    chosen = {"text": "€4.50", "position": 11}
    assert meant(text="and this?", reply_to_message=earlier, quote=chosen) == Said("> €4.50\n\nand this?")


def test_a_number_is_not_cut_out_of_a_quotation() -> None:
    earlier = {**BASE, "message_id": 0, "text": "x" * 283 + " 4111 1111 1111 1111 is my card"}
    found = meant(text="block it", reply_to_message=earlier)
    assert isinstance(found, Said) and "4111" not in found.text


def test_a_quotation_gives_way_to_a_long_text() -> None:
    earlier = {**BASE, "message_id": 0, "text": "y" * 250}
    assert meant(text="x" * 3_900, reply_to_message=earlier) == Said("x" * 3_900)


def test_a_place_that_moves_is_told_of_once() -> None:
    place = {"latitude": 1.0, "longitude": 2.0, "live_period": 60}
    assert meant(location=place) == Said("location: 1, 2")
    assert arrived("edited_message", location=place, edit_date=1) is None


def test_a_file_has_its_caption_and_its_album() -> None:
    sizes = [
        {"file_id": "large", "file_unique_id": "l", "width": 1280, "height": 960, "file_size": 900},
        {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 67, "file_size": 9},
    ]
    small = Shared("photo", "small", 9, unique="s")
    large = Shared("photo", "large", 900, smaller=small, unique="l")
    assert meant(photo=sizes, caption="look", media_group_id="g") == Said("look", large, "g")
    assert meant(photo=sizes) == Said("", large)
    earlier = {**BASE, "message_id": 0, "text": "this one"}
    assert meant(photo=sizes, caption="look", reply_to_message=earlier) == Said("> this one\n\nlook", large)
    assert meant(photo=sizes, reply_to_message=earlier) == Said("", large)


FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 7}
SIZE = {"width": 1, "height": 1, "duration": 1}


@pytest.mark.parametrize(
    ("content", "shared"),
    [
        ({"voice": {**FILE, "duration": 1}}, Shared("voice", "f", 7, unique="u")),
        (
            {"audio": {**FILE, "duration": 1, "file_name": "a.mp3"}},
            Shared("audio", "f", 7, "a.mp3", unique="u"),
        ),
        ({"video": {**FILE, **SIZE, "file_name": "v.mp4"}}, Shared("video", "f", 7, "v.mp4", unique="u")),
        ({"animation": {**FILE, **SIZE}, "document": FILE}, Shared("video", "f", 7, unique="u")),
        ({"video_note": {**FILE, "length": 1, "duration": 1}}, Shared("video", "f", 7, unique="u")),
        ({"live_photo": {**FILE, **SIZE}}, Shared("video", "f", 7, unique="u")),
        ({"document": {**FILE, "file_name": "d.pdf"}}, Shared("document", "f", 7, "d.pdf", unique="u")),
        (
            {
                "sticker": {
                    **FILE,
                    "type": "regular",
                    "width": 1,
                    "height": 1,
                    "is_animated": False,
                    "is_video": False,
                }
            },
            Shared("sticker", "f", 7, unique="u"),
        ),
    ],
)
def test_every_kind_of_file(content: dict[str, Any], shared: Shared) -> None:
    assert meant(**content) == Said("", shared)


def test_places_and_contacts_are_words_and_a_poll_is_not() -> None:
    at = {"latitude": 53.3498049, "longitude": -6.2}
    assert meant(location=at) == Said("location: 53.349805, -6.2")
    venue = {"location": at, "title": "Branch", "address": "Main Street 1"}
    assert meant(location=at, venue=venue) == Said("location: 53.349805, -6.2 (Branch, Main Street 1)")
    person = {"phone_number": "+353861234567", "first_name": "Mei", "last_name": "Li"}
    assert meant(contact=person) == Said("contact: Mei Li, phone number +353861234567")
    assert meant(dice={"emoji": "🎲", "value": 6}) == Unreadable("dice")


CHAT_OF_MANY = {"id": -9, "type": "channel", "title": "C"}
PRICE = {"title": "t", "description": "d", "start_parameter": "", "currency": "EUR", "total_amount": 1}


@pytest.mark.parametrize(
    "content",
    [
        {"checklist": {"title": "t", "tasks": [{"id": 1, "text": "milk"}]}},
        {"paid_media": {"star_count": 1, "paid_media": []}},
        {"web_app_data": {"data": "hello", "button_text": "b"}},
        {"invoice": PRICE},
        {"giveaway": {"chats": [CHAT_OF_MANY], "winners_selection_date": 1, "winner_count": 1}},
        {"story": {"chat": CHAT, "id": 3}},
    ],
    ids=lambda content: str(*content),
)
def test_every_other_kind_that_a_person_sends_is_told_to_be_unreadable(content: dict[str, Any]) -> None:
    assert meant(**content) == Unreadable(*content)


def test_a_kind_that_nobody_knows_yet_is_unreadable_and_an_empty_message_is_nothing() -> None:
    assert meant(hologram={"x": 1}) == Unreadable("unknown")
    assert arrived() is None


def test_a_live_photo_is_its_picture() -> None:
    still = {"file_id": "p", "file_unique_id": "q", "width": 1, "height": 1}
    assert meant(live_photo={**FILE, **SIZE, "photo": [still]}) == Said("", Shared("photo", "p", unique="q"))


def test_the_topic_of_a_forum_is_known_and_a_thread_of_replies_is_none() -> None:
    forum = {"id": -7, "type": "supergroup", "title": "G", "is_forum": True}
    found = arrived(text="/help", chat=forum, message_thread_id=3, is_topic_message=True)
    assert found is not None and found.thread == 3
    found = arrived(text="/help", chat=forum, message_thread_id=3)
    assert found is not None and found.thread is None


def test_telegrams_own_notes_and_other_bots_mean_nothing() -> None:
    assert arrived(new_chat_title="x") is None
    assert arrived(pinned_message={**BASE, "text": "x"}) is None
    assert arrived(text="x", **{"from": {**ANNA, "is_bot": True}}) is None
    assert arrived(text="x", **{"from": None}) is None
    assert arrival_of(Update(update_id=9)) is None


def test_a_group_is_no_private_chat() -> None:
    found = arrived(text="x", chat={"id": -7, "type": "group", "title": "G"})
    assert found is not None and not found.private and found.chat == -7


def test_buttons() -> None:
    query = {
        "id": "q",
        "from": ANNA,
        "chat_instance": "c",
        "data": "up:r-1",
        "message": {**BASE, "text": "x"},
    }
    found = arrival_of(Update.model_validate({"update_id": 9, "callback_query": query}))
    assert found == Arrival(9, 5, True, "zh-hans", Pressed("q", "up", "r-1", 1))


@pytest.mark.parametrize(
    ("action", "value", "given"),
    [("up", "r-1", ("r-1", 1)), ("down", "r-1", ("r-1", -1)), ("up", "", None), ("language", "zh", None)],
)
def test_what_a_button_says_of_a_reply(action: str, value: str, given: object) -> None:
    assert feedback_of(Pressed("q", action, value, 1)) == given


@pytest.mark.parametrize(("status", "blocked"), [("kicked", True), ("left", True), ("member", False)])
def test_blocking(status: str, blocked: bool) -> None:
    bot = {"id": 42, "is_bot": True, "first_name": "B"}
    more = {"until_date": 0} if status == "kicked" else {}
    changed = {
        "chat": CHAT, "from": ANNA, "date": 1,
        "old_chat_member": {"status": "member", "user": bot},
        "new_chat_member": {"status": status, "user": bot, **more},
    }  # fmt: skip
    found = arrival_of(Update.model_validate({"update_id": 9, "my_chat_member": changed}))
    assert found is not None and found.meaning == Blocked(blocked)
