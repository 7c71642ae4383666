"""The emulated Bot API's methods, driven by aiogram and by plain HTTP."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.types import BotCommand, LinkPreviewOptions, ReplyParameters
from aiogram.utils.keyboard import InlineKeyboardBuilder

from tests.support.telegram import TOKEN, TelegramApi, telegram_api
from tests.support.telegram_bots import with_bot

ANN = 7
BEN = 8
GROUP = -500
OTHER_TOKEN = "43:AAanother-bot"


@pytest.fixture(scope="module")
def process() -> Iterator[TelegramApi]:
    with telegram_api() as started:
        yield started


@pytest.fixture
def api(process: TelegramApi) -> TelegramApi:
    """Whatever was there before is not there any more."""
    process.add_bot()
    process.add_private_chat(ANN, first_name="Ann", username="ann", language_code="de")
    process.add_group(GROUP, ANN, BEN)
    return process


def raw(api: TelegramApi, method: str, token: str = TOKEN, **params: Any) -> tuple[int, dict[str, Any]]:
    answer = httpx.post(f"{api.base_url}/bot{token}/{method}", json=params, trust_env=False, verify=False)
    return answer.status_code, answer.json()


def refused(code: int, description: str, **parameters: int) -> tuple[int, dict[str, Any]]:
    more = {"parameters": parameters} if parameters else {}
    return code, {"ok": False, "error_code": code, "description": description, **more}


def keyboard(**buttons: str) -> InlineKeyboardBuilder:
    found = InlineKeyboardBuilder()
    for text, data in buttons.items():
        found.button(text=text, callback_data=data)
    return found


def test_aiogram_sends_edits_and_deletes(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        sent = await bot.send_message(
            ANN,
            "<b>Hi</b> 😀",
            parse_mode="HTML",
            reply_markup=keyboard(Yes="y").as_markup(),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
        assert sent.from_user is not None and sent.from_user.is_bot
        assert (sent.text, sent.html_text, sent.chat.username) == ("Hi 😀", "<b>Hi</b> 😀", "ann")
        assert sent.link_preview_options is not None and sent.link_preview_options.is_disabled
        edited = await bot.edit_message_text(
            "<i>Bye</i>", chat_id=ANN, message_id=sent.message_id, parse_mode="HTML"
        )
        assert not isinstance(edited, bool)
        assert (edited.html_text, edited.reply_markup) == ("<i>Bye</i>", None)
        marked = await bot.edit_message_reply_markup(
            chat_id=ANN, message_id=sent.message_id, reply_markup=keyboard(No="n").as_markup()
        )
        assert not isinstance(marked, bool) and marked.reply_markup is not None
        shown = api.messages(ANN)
        assert [(each.text, each.html, each.before, each.by_bot) for each in shown] == [
            ("Bye", "<i>Bye</i>", ["Hi 😀"], True)
        ]
        assert await bot.delete_message(ANN, sent.message_id)

    with_bot(api, talk)
    assert api.messages(ANN) == []


def test_every_call_is_kept_with_what_it_was_answered(api: TelegramApi) -> None:
    before = len(api.calls())
    asked: dict[str, Any] = {"chat_id": ANN, "text": "a"}
    answers = [raw(api, "sendMessage", **asked), raw(api, "sendChatAction", chat_id=ANN, action="typing")]
    calls = api.calls(at_least=before + 2)[before:]
    assert [(each.method, each.params, each.performed) for each in calls] == [
        ("sendMessage", asked, True),
        ("sendChatAction", {"chat_id": ANN, "action": "typing"}, True),
    ]
    assert [each.answer for each in calls] == [body for _, body in answers]
    assert calls[0].at <= calls[1].at and api.calls("sendChatAction", chat_id=ANN)[-1] == calls[1]


def test_parameters_come_in_each_of_the_four_ways(api: TelegramApi) -> None:
    url = f"{api.base_url}/bot{TOKEN}/SENDMESSAGE"
    wanted = {"chat_id": str(ANN), "text": "é & <"}
    with httpx.Client(trust_env=False, verify=False) as client:
        answers = [
            client.get(url, params=wanted),
            client.post(url, data=wanted),
            client.post(url, json=wanted),
            client.post(url, data=wanted, files={"attached": b"\r\n\x00\xff"}),
        ]
    assert [each.json()["result"]["text"] for each in answers] == ["é & <"] * 4
    assert api.calls("sendMessage")[-1].params["attached"] == {"file_name": "upload", "size": 4}
    broken = httpx.post(
        url, content=b"[", headers={"content-type": "application/json"}, trust_env=False, verify=False
    )
    assert broken.json()["description"] == "Bad Request: can't parse request body as JSON object"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n"}, "text must be non-empty"),
        ({"text": "<b> </b>", "parse_mode": "html"}, "text must be non-empty"),
        ({"text": "<p>x</p>", "parse_mode": "HTML"}, "can't parse entities: Unsupported start tag \"p\" at byte offset 0"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ({"text": "x", "parse_mode": "LaTeX"}, "unsupported parse_mode"),
        ({"text": "a" * 4097}, "message is too long"),
        ({"text": "😀" * 2048 + "a"}, "message is too long"),
        ({"text": "x", "chat_id": 999}, "chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
        ({"text": "x", "chat_id": None}, "chat_id is empty"),
        ({"text": "x", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply markup JSON object"),
        ({"text": "x", "reply_markup": {"a": 1}}, "object expected as reply markup"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "é" * 33}]]}},
            "BUTTON_DATA_INVALID",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b"}]]}},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
    ],
)  # fmt: skip
def test_messages_that_telegram_refuses_are_refused_and_not_kept(
    api: TelegramApi, params: dict[str, Any], why: str
) -> None:
    assert raw(api, "sendMessage", **{"chat_id": ANN, **params}) == refused(400, f"Bad Request: {why}")
    assert api.messages(ANN) == []


def test_length_counts_after_parsing_and_in_utf16_units(api: TelegramApi) -> None:
    long = "😀" * 2047 + "&amp;a"
    status, body = raw(api, "sendMessage", chat_id=ANN, text=f"<b>{long}</b>", parse_mode="HTML")
    assert (status, body["result"]["entities"]) == (200, [{"type": "bold", "offset": 0, "length": 4096}])
    data = {"inline_keyboard": [[{"text": "b", "callback_data": "é" * 32}]]}
    assert (
        raw(api, "sendMessage", chat_id=ANN, text="x", reply_markup=data)[1]["result"]["reply_markup"] == data
    )


def test_edits_that_telegram_refuses(api: TelegramApi) -> None:
    markup = {"inline_keyboard": [[{"text": "b", "callback_data": "1"}]]}
    sent = raw(api, "sendMessage", chat_id=ANN, text="a", reply_markup=markup)[1]["result"]["message_id"]
    said = api.say(ANN, "mine").message_id
    same = (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )

    def edit(message_id: int | None, text: str, **more: Any) -> tuple[int, dict[str, Any]]:
        return raw(api, "editMessageText", chat_id=ANN, message_id=message_id, text=text, **more)

    assert edit(sent, " a ", reply_markup=markup) == refused(400, same)
    assert edit(999, "b") == refused(400, "Bad Request: message to edit not found")
    assert edit(None, "b") == refused(400, "Bad Request: message identifier is not specified")
    assert edit(said, "b") == refused(400, "Bad Request: message can't be edited")
    assert edit(sent, "b" * 4097) == refused(400, "Bad Request: MESSAGE_TOO_LONG")
    asked = {"chat_id": ANN, "message_id": sent, "reply_markup": markup}
    assert raw(api, "editMessageReplyMarkup", **asked) == refused(400, same)
    assert edit(sent, "a")[0] == 200, "without its keyboard it is another message"


def test_what_is_deleted_cannot_be_deleted_edited_or_answered(api: TelegramApi) -> None:
    said = api.say(ANN, "mine").message_id
    assert raw(api, "deleteMessage", chat_id=ANN, message_id=said) == (200, {"ok": True, "result": True})
    gone = refused(400, "Bad Request: message to delete not found")
    assert raw(api, "deleteMessage", chat_id=ANN, message_id=said) == gone
    reply = {"message_id": said, "allow_sending_without_reply": True}
    sent = raw(api, "sendMessage", chat_id=ANN, text="x", reply_parameters=reply)[1]["result"]
    assert "reply_to_message" not in sent
    foreign = api.say(GROUP, "theirs").message_id
    cannot = refused(400, "Bad Request: message can't be deleted")
    assert raw(api, "deleteMessage", chat_id=GROUP, message_id=foreign) == cannot


def test_replies_quote_the_message_that_they_are_to(api: TelegramApi) -> None:
    said = api.say(ANN, "😀 one two").message_id

    async def talk(bot: Bot) -> int:
        sent = await bot.send_message(
            ANN, "x", reply_parameters=ReplyParameters(message_id=said, quote="two")
        )
        assert sent.reply_to_message is not None and sent.reply_to_message.message_id == said
        assert sent.quote is not None and (sent.quote.text, sent.quote.position) == ("two", 7)
        with pytest.raises(TelegramBadRequest, match="QUOTE_TEXT_INVALID"):
            await bot.send_message(ANN, "x", reply_parameters=ReplyParameters(message_id=said, quote="six"))
        return sent.message_id

    sent = with_bot(api, talk)
    answered = api.say(ANN, "why?", reply_to=sent, quote="x").content
    assert answered["quote"] == {"text": "x", "position": 0, "is_manual": True}
    assert "reply_to_message" not in answered["reply_to_message"]


def test_drafts_are_seen_until_the_message_comes(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        assert await bot.send_message_draft(chat_id=ANN, draft_id=1, text="")
        assert await bot.send_message_draft(
            chat_id=ANN, draft_id=1, text="<b>H</b>", parse_mode="HTML", can_stop=True
        )
        shown = api.draft(ANN)
        assert shown is not None and (shown.text, shown.html, shown.can_stop) == ("H", "<b>H</b>", True)
        assert api.messages(ANN) == []
        await bot.send_message(ANN, "Hi")

    with_bot(api, talk)
    assert api.draft(ANN) is None
    assert [each.text for each in api.drafts(ANN, at_least=2)] == ["", "H"]


def test_drafts_that_telegram_refuses(api: TelegramApi) -> None:
    peer = refused(400, "Bad Request: TEXTDRAFT_PEER_INVALID")
    assert raw(api, "sendMessageDraft", chat_id=GROUP, draft_id=1, text="x") == peer
    assert raw(api, "sendMessageDraft", chat_id=ANN, draft_id=0, text="x")[0] == 400
    assert raw(api, "sendMessageDraft", chat_id=ANN, draft_id=1, text="<b", parse_mode="HTML")[0] == 400
    assert api.drafts(ANN) == []


def test_a_user_stops_a_draft(api: TelegramApi) -> None:
    raw(api, "sendMessageDraft", chat_id=ANN, draft_id=5, text="x")
    with pytest.raises(ValueError, match="no draft that can be stopped"):
        api.stop_draft(ANN)
    raw(api, "sendMessageDraft", chat_id=ANN, draft_id=5, text="x", can_stop=True)
    api.stop_draft(ANN)
    assert api.draft(ANN) is None
    update = with_bot(api, lambda bot: bot.get_updates())[0]
    assert update.stopped_message_generation is not None and update.stopped_message_generation.draft_id == 5


def test_users_write_in_every_form(api: TelegramApi) -> None:
    said = api.say(ANN, "hi", entities=[{"type": "bold", "offset": 0, "length": 2}])
    api.start_bot(ANN, "from-shop")
    api.edit(ANN, said.message_id, "ho")
    api.send_file(ANN, "photo", b"jpeg", caption="look")
    api.send_file(ANN, "voice", b"ogg", duration=3, mime_type="audio/ogg")
    api.send_file(ANN, "document", b"%PDF", file_name="bill.pdf", mime_type="application/pdf")
    api.send_file(ANN, "sticker", b"webp", emoji="😀")
    api.send_location(ANN, 52.5, 13.4)
    api.send_contact(ANN, "+49301234", "Ben")
    api.say(GROUP, "all", user_id=BEN)

    async def talk(bot: Bot) -> None:
        updates = await bot.get_updates()
        assert [each.event_type for each in updates] == ["message"] * 2 + ["edited_message"] + ["message"] * 7
        bold, start, edited, photo, voice, document, sticker, location, contact, group = (
            each.message or each.edited_message for each in updates
        )
        assert (
            bold and bold.html_text == "<b>hi</b>" and bold.from_user and bold.from_user.language_code == "de"
        )
        assert start and start.text == "/start from-shop" and start.entities and start.entities[0].length == 6
        assert edited and (edited.text, edited.message_id) == ("ho", bold.message_id) and edited.edit_date
        assert photo and photo.photo and photo.caption == "look"
        assert (await _content(bot, photo.photo[-1].file_id)) == b"jpeg"
        assert voice and voice.voice and voice.voice.duration == 3
        assert document and document.document and document.document.file_name == "bill.pdf"
        told = await bot.get_file(document.document.file_id)
        assert (told.file_path or "").endswith(".pdf") and told.file_size == 4
        assert sticker and sticker.sticker and sticker.sticker.emoji == "😀"
        assert location and location.location and location.location.latitude == 52.5
        assert contact and contact.contact and contact.contact.phone_number == "+49301234"
        assert group and group.from_user and (group.from_user.id, group.chat.type) == (BEN, "group")

    with_bot(api, talk)


async def _content(bot: Bot, file_id: str) -> bytes:
    read = await bot.download(file_id)
    assert read is not None
    return read.read()


def test_files_that_a_bot_cannot_have(api: TelegramApi) -> None:
    large = api.send_file(ANN, "document", b"x", size=21 * 1024 * 1024).content["document"]["file_id"]
    assert raw(api, "getFile", file_id=large) == refused(400, "Bad Request: file is too big")
    assert raw(api, "getFile", file_id="x") == refused(400, "Bad Request: invalid file_id")
    with httpx.Client(base_url=f"{api.base_url}/file", trust_env=False, verify=False) as client:
        assert client.get(f"/bot{TOKEN}/photos/none.jpg").json() == refused(404, "Not Found")[1]
        assert client.get("/bot1:none/photos/none.jpg").status_code == 401


def test_buttons_are_pressed_and_answered(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        sent = await bot.send_message(ANN, "?", reply_markup=keyboard(Yes="y", No="n").as_markup())
        with pytest.raises(ValueError, match="no button with 'z'"):
            api.press(ANN, sent.message_id, "z")
        api.press(ANN, sent.message_id, "n")
        query = (await bot.get_updates())[0].callback_query
        assert query is not None and query.message is not None
        assert (query.data, query.from_user.id, query.message.message_id) == ("n", ANN, sent.message_id)
        assert await bot.answer_callback_query(query.id, text="ok")
        for wanted in ("unknown", query.id):
            api.expire_callbacks()
            with pytest.raises(
                TelegramBadRequest, match="query is too old and response timeout expired or query ID"
            ):
                await bot.answer_callback_query(wanted)

    with_bot(api, talk)


def test_chats_that_a_bot_cannot_write_to(api: TelegramApi) -> None:
    api.add_private_chat(BEN, started=False)

    async def talk(bot: Bot) -> None:
        async def fails(error: type[Exception], why: str, chat_id: int = ANN) -> None:
            for calling in (bot.send_message(chat_id, "x"), bot.send_chat_action(chat_id, "typing")):
                with pytest.raises(error, match=why):
                    await calling

        api.block(ANN)
        await fails(TelegramForbiddenError, "bot was blocked by the user")
        api.unblock(ANN)
        assert (await bot.send_message(ANN, "x")).text == "x"
        changes = [each.my_chat_member for each in await bot.get_updates()]
        assert [each.new_chat_member.status for each in changes if each] == ["kicked", "member"]
        api.set_standing(ANN, "deactivated")
        await fails(TelegramForbiddenError, "user is deactivated")
        await fails(TelegramForbiddenError, "bot can't initiate conversation with a user", BEN)
        api.say(BEN, "/start")
        assert (await bot.send_message(BEN, "x")).text == "x"
        api.set_standing(GROUP, "migrated", migrated_to=-100500)
        with pytest.raises(TelegramMigrateToChat) as moved:
            await bot.send_message(GROUP, "x")
        assert (await bot.send_message(moved.value.migrate_to_chat_id, "x")).chat.type == "supergroup"
        api.set_standing(-100500, "kicked")
        await fails(TelegramForbiddenError, "bot was kicked from the supergroup chat", -100500)

    with_bot(api, talk)


def test_a_bot_knows_itself_and_its_commands(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        me = await bot.get_me()
        assert (me.id, me.is_bot, me.username) == (42, True, "parley_test_bot")
        german = [BotCommand(command="hilfe", description="Hilfe")]
        assert await bot.set_my_commands(german, language_code="de")
        known = await bot.get_my_commands(language_code="de")
        assert [(each.command, each.description) for each in known] == [("hilfe", "Hilfe")]
        assert await bot.get_my_commands() == []
        with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
            await bot.set_my_commands([BotCommand(command="Hilfe!", description="x")])
        assert await bot.delete_my_commands(language_code="de")
        assert await bot.get_my_commands(language_code="de") == []
        with pytest.raises(TelegramBadRequest, match="wrong parameter action in request"):
            await bot.send_chat_action(ANN, "singing")
        assert await bot.log_out()

    with_bot(api, talk)


def test_unknown_bots_and_methods(api: TelegramApi) -> None:
    assert raw(api, "sendFlowers") == refused(404, "Not Found")
    assert raw(api, "getMe", token="1:none") == refused(401, "Unauthorized")
    assert httpx.get(f"{api.base_url}/", trust_env=False, verify=False).json() == refused(404, "Not Found")[1]
    with pytest.raises(TelegramUnauthorizedError):
        with_bot(api, lambda bot: bot.get_me(), token="1:none")

    async def unknown(bot: Bot) -> None:
        bot.session.api = type(bot.session.api)(f"{api.base_url}/bot{{token}}/no{{method}}", "")
        with pytest.raises(TelegramNotFound):
            await bot.get_me()

    with_bot(api, unknown)


def test_bots_do_not_see_each_other(api: TelegramApi) -> None:
    api.add_bot(OTHER_TOKEN, "other_bot")
    api.add_private_chat(ANN, bot=OTHER_TOKEN)
    api.say(ANN, "to one")
    api.say(ANN, "to the other", bot=OTHER_TOKEN)

    async def talk(bot: Bot) -> list[str | None]:
        await bot.send_message(ANN, f"I am {bot.id}")
        return [each.message.text for each in await bot.get_updates() if each.message]

    assert with_bot(api, talk) == ["to one"]
    assert with_bot(api, talk, OTHER_TOKEN) == ["to the other"]
    assert [each.text for each in api.messages(ANN, bot=OTHER_TOKEN)] == ["to the other", "I am 43"]


def test_ids_of_messages_are_an_accounts_own_and_a_supergroups_own(api: TelegramApi) -> None:
    api.add_private_chat(BEN)
    supergroups = [api.add_group(chat_id, ANN, kind="supergroup") for chat_id in (-100501, -100502)]
    sent = [api.say(chat_id, "x").message_id for chat_id in (ANN, *supergroups, BEN, *supergroups, GROUP)]
    assert sent == [1, 1, 1, 2, 2, 2, 3]


def test_two_processes_run_side_by_side(api: TelegramApi) -> None:
    with telegram_api() as second:
        second.add_private_chat(ANN)
        second.say(ANN, "second")
        api.say(ANN, "first")

        async def both() -> list[dict[str, Any]]:
            async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                urls = [f"{each.base_url}/bot{TOKEN}/getUpdates" for each in (api, second)]
                return [each.json() for each in await asyncio.gather(*map(client.get, urls))]

        assert [each["result"][0]["message"]["text"] for each in asyncio.run(both())] == ["first", "second"]


def test_it_stops_in_good_order_with_a_poll_open() -> None:
    started = TelegramApi.start()
    started.add_bot()
    url = httpx.URL(started.base_url)
    with socket.create_connection((url.host, url.port or 0)) as polling:
        polling.sendall(f"GET /bot{TOKEN}/getUpdates?timeout=50 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        started.calls("getUpdates", at_least=1)
        assert started.stop() == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((url.host, url.port or 0))


def test_the_tests_own_mistakes_are_named(api: TelegramApi) -> None:
    with pytest.raises(ValueError, match="bot 1:none was not added"):
        api.say(ANN, "x", bot="1:none")
    with pytest.raises(ValueError, match="user 99 is not in chat -500"):
        api.say(GROUP, "x", user_id=99)
    with pytest.raises(ValueError, match="do: Input should be"):
        api.set_faults({"do": "explode"})
    with pytest.raises(ValueError, match="token: String should match pattern"):
        api.add_bot("no token")
