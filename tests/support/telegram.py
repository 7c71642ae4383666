"""Telegram's Bot API emulated in a process of its own (tests/telegram_api), and what tests do with it.

Everything here blocks: in a test with an event loop that the bot shares, call it by `asyncio.to_thread`.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self

import httpx

from tests.support.processes import ROOT

Json = dict[str, Any]
TOKEN = "42:AAtest-token_of-the-bot"
WAIT_S = 20.0


@dataclass(frozen=True)
class BotCall:
    """A call of the API by a bot."""

    seq: int
    bot: str
    method: str
    #: As they came: in a form every value is text.
    params: Json
    #: Unix time in seconds.
    at: float
    #: The whole answer; None where none came back.
    answer: Json | None
    #: The `do` of the rule that applied, "outage", "flood", "client gone", or "".
    fault: str
    performed: bool


@dataclass(frozen=True)
class ShownMessage:
    """A message that is seen in its chat, as it looks now."""

    message_id: int
    by_bot: bool
    text: str
    html: str
    #: Its texts before edits, the oldest first.
    before: list[str]
    #: Telegram's Message.
    message: Json

    @property
    def buttons(self) -> dict[str, str]:
        """What each button below it sends back, by its label."""
        rows = self.message.get("reply_markup", {}).get("inline_keyboard", [])
        return {each["text"]: each["callback_data"] for row in rows for each in row}


@dataclass(frozen=True)
class ShownDraft:
    draft_id: int
    text: str
    html: str
    at: float
    can_stop: bool
    keep_on_stop: bool
    #: The bot has sent a message since, or the user has stopped it.
    gone: bool
    #: The user sees it at this moment.
    shown: bool


@dataclass(frozen=True)
class Delivery:
    """An attempt to post an update to a webhook."""

    bot: str
    update_id: int
    #: Counted from 1.
    attempt: int
    at: float
    #: HTTP's; 0 where no answer came.
    status: int
    error: str


@dataclass(frozen=True)
class Happened:
    """What a user did; `update_id` is None where the bot does not want this kind of update."""

    update_id: int | None
    #: Telegram's Message, CallbackQuery, …
    content: Json

    @property
    def message_id(self) -> int:
        return int(self.content["message_id"])


class TelegramApi:
    """A running emulator. `base_url` is for bots: `TelegramAPIServer.from_base(api.base_url)`."""

    def __init__(self, process: subprocess.Popen[str], port: int, control_port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.control_url = f"http://127.0.0.1:{control_port}/control"
        self._process = process
        self._client = httpx.Client(timeout=WAIT_S + 10.0, trust_env=False, verify=False)

    @classmethod
    def start(cls, port: int = 0) -> Self:
        """Without bots; it ends with this process at the latest."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.telegram_api", "--port", str(port), "--with-stdin"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the emulator ended with status {process.wait()}"
        ports = json.loads(line)
        return cls(process, ports["port"], ports["control_port"])

    def stop(self) -> int:
        """Its exit status."""
        self._client.close()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            status = self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process.stdout.close()
        return status

    # Bots and chats

    def add_bot(
        self, token: str = TOKEN, username: str = "parley_test_bot", first_name: str = "Parley"
    ) -> Json:
        """Telegram's User."""
        return self._post("bot", token=token, username=username, first_name=first_name)

    def add_private_chat(self, user_id: int, bot: str = TOKEN, started: bool = True, **user: str) -> int:
        """The chat's id, which is the user's. `user`: first_name, last_name, username, language_code."""
        return int(self._post("private_chat", bot=bot, user={"id": user_id, **user}, started=started)["id"])

    def add_group(
        self,
        chat_id: int,
        *user_ids: int,
        bot: str = TOKEN,
        kind: Literal["group", "supergroup"] = "group",
        title: str = "Group",
    ) -> int:
        users = [{"id": each} for each in user_ids]
        return int(self._post("group", bot=bot, chat_id=chat_id, title=title, kind=kind, users=users)["id"])

    # Users

    def say(
        self,
        chat_id: int,
        text: str,
        *,
        bot: str = TOKEN,
        user_id: int | None = None,
        entities: list[Json] | None = None,
        reply_to: int | None = None,
        quote: str = "",
    ) -> Happened:
        more = {"entities": entities or [], "reply_to": reply_to, "quote": quote}
        return self._in_chat("text", bot, chat_id, user_id=user_id, text=text, **more)

    def start_bot(self, chat_id: int, payload: str = "", *, bot: str = TOKEN) -> Happened:
        """The user opens t.me/bot?start=payload."""
        return self.say(chat_id, f"/start {payload}".strip(), bot=bot)

    def edit(self, chat_id: int, message_id: int, text: str, *, bot: str = TOKEN) -> Happened:
        return self._in_chat("edit", bot, chat_id, message_id=message_id, text=text)

    def send_file(
        self,
        chat_id: int,
        kind: Literal["photo", "voice", "document", "sticker", "audio", "video", "animation", "video_note"],
        content: bytes,
        *,
        bot: str = TOKEN,
        user_id: int | None = None,
        size: int | None = None,
        **told: str | int,
    ) -> Happened:
        """`size`: bytes that the bot is told. `told`: caption, file_name, mime_type, duration, emoji, media_group_id."""
        encoded = base64.b64encode(content).decode()
        more = {"user_id": user_id, "kind": kind, "content": encoded, "size": size, **told}
        return self._in_chat("file", bot, chat_id, **more)

    def send_location(self, chat_id: int, latitude: float, longitude: float, *, bot: str = TOKEN) -> Happened:
        return self._in_chat("location", bot, chat_id, latitude=latitude, longitude=longitude)

    def send_contact(self, chat_id: int, phone_number: str, first_name: str, *, bot: str = TOKEN) -> Happened:
        return self._in_chat("contact", bot, chat_id, phone_number=phone_number, first_name=first_name)

    def press(
        self, chat_id: int, message_id: int, data: str, *, bot: str = TOKEN, user_id: int | None = None
    ) -> Happened:
        """The button with this callback_data; its `content` is the CallbackQuery."""
        return self._in_chat("press", bot, chat_id, user_id=user_id, message_id=message_id, data=data)

    def stop_draft(self, chat_id: int, *, bot: str = TOKEN) -> Happened:
        """The user presses "stop" under the draft that is shown."""
        return self._in_chat("stop_draft", bot, chat_id)

    def block(self, chat_id: int, *, bot: str = TOKEN) -> Happened:
        return self.set_standing(chat_id, "blocked", bot=bot)

    def unblock(self, chat_id: int, *, bot: str = TOKEN) -> Happened:
        return self.set_standing(chat_id, "active", bot=bot)

    def set_standing(
        self,
        chat_id: int,
        standing: Literal["active", "not_started", "blocked", "deactivated", "kicked", "migrated"],
        *,
        bot: str = TOKEN,
        migrated_to: int = 0,
    ) -> Happened:
        return self._in_chat("standing", bot, chat_id, standing=standing, migrated_to=migrated_to)

    def inject(self, update: Json, *, bot: str = TOKEN) -> int:
        """A raw update; without `update_id` it gets the next. Returns its id."""
        return int(self._post("update", bot=bot, update=update)["update_id"])

    def expire_callbacks(self, *, bot: str = TOKEN) -> None:
        """Every button that was pressed was pressed too long ago."""
        self._post("expire_callbacks", bot=bot)

    # What goes wrong

    def set_faults(self, *rules: Json) -> None:
        """Instead of all rules before; fields: tests/telegram_api/faults.py, Rule."""
        self._send("faults", list(rules))

    def set_outage(self, outage: Literal["off", "refused", "502"]) -> None:
        """Returns when it is so."""
        self._post("outage", outage=outage)

    def set_flood(self, per_chat: int | None = None, overall: int | None = None) -> None:
        """Sends a second; more are answered with 429. None: as many as you like."""
        self._post("flood", per_chat=per_chat, overall=overall)

    def set_backoff(self, first_s: float = 0.05, most_s: float = 1.0, timeout_s: float = 10.0) -> None:
        """Of webhooks: the wait doubles from `first_s` to `most_s`."""
        self._post("backoff", first_s=first_s, most_s=most_s, timeout_s=timeout_s)

    def deliver_twice(self, count: int, *, bot: str = TOKEN) -> None:
        """Each of the next `count` updates."""
        self._post("twice", bot=bot, count=count)

    def reorder(self, window: int, seed: int = 0, *, bot: str = TOKEN) -> None:
        """Updates from now on change places within windows of so many; 0: none does."""
        self._post("reorder", bot=bot, window=window, seed=seed)

    def hold_updates(self, held: bool, *, bot: str = TOKEN) -> None:
        """While held they gather, and none goes out."""
        self._post("hold", bot=bot, held=held)

    # What the bot did. With `at_least`: waits until there are so many, and fails after `within_s`.

    def calls(
        self,
        method: str | None = None,
        *,
        bot: str | None = None,
        chat_id: int | None = None,
        at_least: int = 0,
        within_s: float = WAIT_S,
    ) -> list[BotCall]:
        asked = {"method": method, "bot": bot, "chat_id": chat_id}
        return [BotCall(**each) for each in self._list("calls", at_least, within_s, **asked)]

    def messages(
        self, chat_id: int, *, bot: str = TOKEN, at_least: int = 0, within_s: float = WAIT_S
    ) -> list[ShownMessage]:
        found = self._list("messages", at_least, within_s, bot=bot, chat_id=chat_id)
        return [ShownMessage(**each) for each in found]

    def drafts(
        self, chat_id: int, *, bot: str = TOKEN, at_least: int = 0, within_s: float = WAIT_S
    ) -> list[ShownDraft]:
        """All of them in their order."""
        found = self._list("drafts", at_least, within_s, bot=bot, chat_id=chat_id)
        return [ShownDraft(**each) for each in found]

    def draft(self, chat_id: int, *, bot: str = TOKEN) -> ShownDraft | None:
        """The one that the user sees at this moment."""
        return next((each for each in self.drafts(chat_id, bot=bot) if each.shown), None)

    def deliveries(
        self, *, bot: str | None = None, at_least: int = 0, within_s: float = WAIT_S
    ) -> list[Delivery]:
        return [Delivery(**each) for each in self._list("deliveries", at_least, within_s, bot=bot)]

    def pending(self, *, bot: str = TOKEN, within_s: float = 0.0) -> list[int]:
        """Ids of updates that are not confirmed; waits up to `within_s` until there are none."""
        answer = self._client.get(f"{self.control_url}/pending", params={"bot": bot, "within_s": within_s})
        found: list[int] = _checked(answer)
        return found

    def _in_chat(self, door: str, bot: str, chat_id: int, **fields: Any) -> Happened:
        return Happened(**self._post(door, bot=bot, chat_id=chat_id, **fields))

    def _post(self, door: str, **fields: Any) -> Json:
        return self._send(door, fields)

    def _send(self, door: str, body: object) -> Json:
        found: Json = _checked(self._client.post(f"{self.control_url}/{door}", json=body))
        return found

    def _list(self, name: str, at_least: int, within_s: float, **asked: Any) -> list[Json]:
        given = {key: value for key, value in asked.items() if value is not None}
        params = {**given, "at_least": at_least, "within_s": within_s}
        found: list[Json] = _checked(self._client.get(f"{self.control_url}/{name}", params=params))
        assert len(found) >= at_least, f"{len(found)} {name} of {at_least} within {within_s:g} s: {found}"
        return found


def _checked(answer: httpx.Response) -> Any:
    """Raises ValueError with the emulator's words when it refuses."""
    if answer.status_code == 400:
        raise ValueError(answer.json()["error"])
    answer.raise_for_status()
    return answer.json()


@contextmanager
def telegram_api() -> Iterator[TelegramApi]:
    """A running one with the bot TOKEN."""
    api = TelegramApi.start()
    try:
        api.add_bot()
        yield api
    finally:
        api.stop()
