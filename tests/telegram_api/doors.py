"""What tests ask the emulator to do, one class a door: POST /control/{name} with its fields as JSON."""

import base64
import binascii
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tests.telegram_api import people
from tests.telegram_api.errors import Json, bad_request
from tests.telegram_api.people import Happened
from tests.telegram_api.state import Bot, Standing, World


def _decoded(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error


Content = Annotated[bytes, BeforeValidator(_decoded)]


class Door(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: ClassVar[str]

    def act(self, world: World) -> Json:
        """Raises ApiError for what is not there."""
        raise NotImplementedError


class AddBot(Door):
    name = "bot"
    token: str = Field(pattern=r"^\d+:[A-Za-z0-9_-]+$")
    username: str = "parley_test_bot"
    first_name: str = "Parley"

    def act(self, world: World) -> Json:
        return world.add_bot(self.token, self.username, self.first_name).user


class OfBot(Door):
    bot: str

    def known(self, world: World) -> Bot:
        if self.bot not in world.bots:
            raise bad_request(f"bot {self.bot} was not added; there are {sorted(world.bots)}")
        return world.bots[self.bot]


class User(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: int = Field(gt=0)
    first_name: str = "Ann"
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None

    def told(self) -> Json:
        return {"is_bot": False, **self.model_dump(exclude_none=True)}


class AddPrivateChat(OfBot):
    name = "private_chat"
    user: User
    started: bool = True

    def act(self, world: World) -> Json:
        return people.add_private_chat(self.known(world), self.user.told(), self.started).info


class AddGroup(OfBot):
    name = "group"
    chat_id: int = Field(lt=0)
    title: str = "Group"
    kind: Literal["group", "supergroup"] = "group"
    users: list[User] = Field(min_length=1)

    def act(self, world: World) -> Json:
        users = [user.told() for user in self.users]
        return people.add_group(self.known(world), self.kind, self.chat_id, self.title, users).info


class InChat(OfBot):
    chat_id: int
    #: None: the chat's first user.
    user_id: int | None = None

    def act(self, world: World) -> Json:
        happened = self.happens(world)
        return {"update_id": happened.update_id, "content": happened.content}

    def happens(self, world: World) -> Happened:
        raise NotImplementedError

    def says(self, world: World, content: Json) -> Happened:
        bot = self.known(world)
        chat = people.chat_of(bot, self.chat_id)
        return people.say(bot, chat, people.user_of(chat, self.user_id), world.clock(), content)


class SayText(InChat):
    name = "text"
    text: str = Field(min_length=1)
    entities: list[Json] = Field(default_factory=list)
    reply_to: int | None = None
    quote: str = ""

    def happens(self, world: World) -> Happened:
        bot = self.known(world)
        chat = people.chat_of(bot, self.chat_id)
        reply = people.reply_content(bot, chat, self.reply_to, self.quote)
        return self.says(world, {**people.text_content(self.text, self.entities), **reply})


class SendFile(InChat):
    name = "file"
    kind: Literal["photo", "voice", "document", "sticker", "audio", "video", "animation", "video_note"]
    content: Content
    #: Bytes that the bot is told; None: as many as there are.
    size: int | None = None
    caption: str | None = None
    file_name: str | None = None
    mime_type: str | None = None
    duration: int | None = None
    emoji: str | None = None
    media_group_id: str | None = None

    def happens(self, world: World) -> Happened:
        own = self.model_dump(
            include={"caption", "file_name", "mime_type", "duration", "emoji", "media_group_id"}
        )
        bot = self.known(world)
        people.chat_of(bot, self.chat_id)
        return self.says(world, people.file_content(bot, self.kind, self.content, self.size, own))


class SendLocation(InChat):
    name = "location"
    latitude: float
    longitude: float

    def happens(self, world: World) -> Happened:
        return self.says(world, {"location": {"latitude": self.latitude, "longitude": self.longitude}})


class SendContact(InChat):
    name = "contact"
    phone_number: str
    first_name: str

    def happens(self, world: World) -> Happened:
        told = {"phone_number": self.phone_number, "first_name": self.first_name}
        return self.says(world, {"contact": told})


class EditText(InChat):
    name = "edit"
    message_id: int
    text: str = Field(min_length=1)

    def happens(self, world: World) -> Happened:
        bot = self.known(world)
        chat = people.chat_of(bot, self.chat_id)
        return people.edit(bot, chat, self.message_id, world.clock(), self.text)


class Press(InChat):
    name = "press"
    message_id: int
    data: str

    def happens(self, world: World) -> Happened:
        bot = self.known(world)
        chat = people.chat_of(bot, self.chat_id)
        return people.press(bot, chat, people.user_of(chat, self.user_id), self.message_id, self.data)


class StopDraft(InChat):
    name = "stop_draft"

    def happens(self, world: World) -> Happened:
        bot = self.known(world)
        return people.stop_draft(bot, people.chat_of(bot, self.chat_id), world.clock())


class ChangeStanding(InChat):
    name = "standing"
    standing: Standing
    migrated_to: int = 0

    def happens(self, world: World) -> Happened:
        bot = self.known(world)
        chat = people.chat_of(bot, self.chat_id)
        if (self.standing == "migrated") != (self.migrated_to < 0 and chat.kind == "group"):
            raise bad_request("a group becomes migrated, to the negative id `migrated_to`; nothing else does")
        return people.change_standing(bot, chat, self.standing, self.migrated_to, world.clock())


class InjectUpdate(OfBot):
    name = "update"
    update: Json

    def act(self, world: World) -> Json:
        return {"update_id": self.known(world).updates.inject(self.update)}


class ExpireCallbacks(OfBot):
    name = "expire_callbacks"

    def act(self, world: World) -> Json:
        self.known(world).callbacks.clear()
        return {}


class DeliverTwice(OfBot):
    name = "twice"
    #: So many of the next updates.
    count: int = Field(ge=0)

    def act(self, world: World) -> Json:
        self.known(world).updates.twice = self.count
        return {}


class Reorder(OfBot):
    name = "reorder"
    #: Updates change places within windows of so many; 0: none does.
    window: int = Field(ge=0)
    seed: int = 0

    def act(self, world: World) -> Json:
        self.known(world).updates.reorder(self.window, self.seed)
        return {}


class Hold(OfBot):
    name = "hold"
    held: bool

    def act(self, world: World) -> Json:
        self.known(world).updates.held = self.held
        return {}


DOORS: dict[str, type[Door]] = {
    door.name: door
    for door in (
        *(AddBot, AddPrivateChat, AddGroup, SayText, SendFile, SendLocation, SendContact, EditText, Press),
        *(StopDraft, ChangeStanding, InjectUpdate, ExpireCallbacks, DeliverTwice, Reorder, Hold),
    )
}
