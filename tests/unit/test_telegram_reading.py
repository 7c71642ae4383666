"""Updates that are not quite as aiogram knows them: what can be read of them is read."""

import json
from typing import Any

import pytest
from aiogram.types import Update
from pydantic import ValidationError

from connectors.telegram.reading import read_json, read_update
from connectors.telegram.sharing import Shared
from connectors.telegram.translate import Arrival, Blocked, Pressed, Said, Unreadable, arrival_of

ANNA = {"id": 5, "is_bot": False, "first_name": "Anna", "language_code": "en"}
BASE: dict[str, Any] = {
    "message_id": 1,
    "date": 1_790_000_000,
    "chat": {"id": 5, "type": "private"},
    "from": ANNA,
}
POLL = {"id": "1", "question": "q"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


def read(kind: str = "message", /, **content: Any) -> Arrival | None:
    document = {"update_id": 9, kind: {**BASE, **content}}
    with pytest.raises(ValidationError):
        Update.model_validate(document)
    found = read_update(document)
    assert found == read_json(json.dumps(document).encode())
    return arrival_of(found)


def meant(kind: str = "message", /, **content: Any) -> object:
    found = read(kind, **content)
    return None if found is None else found.meaning


@pytest.mark.parametrize(
    "new",
    [
        {"forward_origin": {"type": "from_the_future", "date": 1}},
        {"reply_to_message": {**BASE, "poll": POLL}},
        {"reply_to_message": {**BASE, "date": "yesterday"}},
        {"reply_to_message": {"text": "without an id"}},
        {"reply_to_message": 7},
        {"entities": [{"type": "bold"}]},
        {"link_preview_options": "none", "reply_markup": []},
        {"edit_date": {}, "effect_id": 7},
        {"from": {**ANNA, "is_premium": "rather", "first_name": None}},
        {"from": {"id": 5}},
        {"chat": {"id": 5, "type": "private", "title": 7}},
    ],
    ids=str,
)
def test_a_part_that_is_new_or_wrong_costs_nothing_of_the_text(new: dict[str, Any]) -> None:
    assert meant(text="What does it cost?", **new) == Said("What does it cost?")


def test_what_a_reply_quotes_is_kept_where_only_a_part_of_it_is_new() -> None:
    earlier = {**BASE, "text": "The fee", "poll": POLL}
    assert meant(text="and this?", reply_to_message=earlier) == Said("> The fee\n\nand this?")


def test_a_file_and_its_caption_are_kept() -> None:
    found = meant("edited_message", photo=PHOTO, caption="this", edit_date=1, caption_entities=[7])
    assert found == Said("this", Shared("photo", "f", unique="u"))


def test_a_message_whose_only_content_cannot_be_read_is_told_so() -> None:
    assert meant(poll=POLL) == Unreadable("unknown")
    assert meant(photo=[{"file_id": "f"}]) == Unreadable("unknown")


def test_who_wrote_is_known_and_in_which_language() -> None:
    found = read(text="hi", poll=POLL)
    assert found is not None and (found.chat, found.private, found.language) == (5, True, "en")


def test_a_button_and_a_block_are_read_too() -> None:
    button = {"id": "q", "from": ANNA, "data": "up:r-1", "message": {**BASE, "poll": POLL}}
    found = arrival_of(read_update({"update_id": 9, "callback_query": button}))
    assert found is not None and found.meaning == Pressed("q", "up", "r-1", 1)
    bot = {"id": 42, "is_bot": True, "first_name": "B"}
    changed = {
        "chat": BASE["chat"], "from": ANNA, "date": 1, "invite_link": 7,
        "old_chat_member": {"status": "member", "user": bot},
        "new_chat_member": {"status": "kicked", "user": bot, "until_date": 0},
    }  # fmt: skip
    found = arrival_of(read_update({"update_id": 9, "my_chat_member": changed}))
    assert found is not None and found.meaning == Blocked(True)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"update_id": "x", "message": {**BASE, "text": "x"}}, "update_id"),
        ({"message": {**BASE, "text": "x"}}, "update_id"),
        ({"update_id": 9, "message": {**BASE, "message_id": "x", "text": "x"}}, "message.message_id"),
        ({"update_id": 9, "message": {**BASE, "chat": {"type": "private"}, "text": "x"}}, "message.chat.id"),
        ({"update_id": 9, "message": 7}, "message"),
        ({"update_id": 9, "edited_message": {"text": "x", "poll": POLL}}, "edited_message.message_id"),
        ([], "body"),
    ],
)
def test_what_an_update_cannot_be_without_is_named(document: object, named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_update(document)
    with pytest.raises(ValidationError) as refused_too:
        read_json(json.dumps(document).encode())
    for each in (refused, refused_too):
        assert (".".join(map(str, each.value.errors()[0]["loc"])) or "body") == named


def test_a_kind_that_was_not_asked_for_is_left_out() -> None:
    assert arrival_of(read_update({"update_id": 9, "poll": POLL})) is None


@pytest.mark.parametrize("body", [b"", b"nothing", b"\xff\xfe", b'{"a":' * 5_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        read_json(body)
