"""What a message of Telegram's has beside its text: a file, or what can be put in words. Pure."""

from dataclasses import dataclass

from aiogram.types import (
    Animation,
    Audio,
    Contact,
    Document,
    LivePhoto,
    Location,
    Message,
    PhotoSize,
    Sticker,
    Video,
    VideoNote,
    Voice,
)

from connectors.kit.content import Kind


@dataclass(frozen=True, slots=True)
class Shared:
    """A file as Telegram tells of it. `bytes` None: it does not say; `name` is the sender's. `smaller` is the same picture in less. `unique` is
    the file's, whoever sends it.
    """

    kind: Kind
    file_id: str
    bytes: int | None = None
    name: str | None = None
    smaller: "Shared | None" = None
    unique: str | None = None


def file_of(message: Message) -> Shared | None:
    still = message.photo or (message.live_photo.photo if message.live_photo is not None else None)
    if still:
        return _photo(still)
    if message.voice is not None:
        return _shared("voice", message.voice)
    if message.audio is not None:
        return _shared("audio", message.audio, message.audio.file_name)
    video = message.video or message.animation  # before the document, which an animation is as well
    if video is not None:
        return _shared("video", video, video.file_name)
    moving = message.video_note or message.live_photo
    if moving is not None:
        return _shared("video", moving)
    if message.document is not None:
        return _shared("document", message.document, message.document.file_name)
    if message.sticker is not None:
        return _shared("sticker", message.sticker)
    return None


def words_of(message: Message) -> str | None:
    """A place or a contact as text, masked like any other on its way in: a human agent can do something with it."""
    if message.venue is not None:
        place = _place(message.venue.location)
        return f"{place} ({', '.join(filter(None, (message.venue.title, message.venue.address)))})"
    if message.location is not None:
        return _place(message.location)
    return _contact(message.contact) if message.contact is not None else None


def _place(location: Location) -> str:
    return f"location: {_degrees(location.latitude)}, {_degrees(location.longitude)}"


def _degrees(value: float) -> str:
    """To a tenth of a metre."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _contact(contact: Contact) -> str:
    name = " ".join(filter(None, (contact.first_name, contact.last_name)))
    return f"contact: {name}, phone number {contact.phone_number}"


def _photo(sizes: list[PhotoSize]) -> Shared:
    """The largest, and behind it each smaller one."""
    shared: Shared | None = None
    for each in sorted(sizes, key=lambda size: (size.width * size.height, size.file_size or 0)):
        shared = Shared("photo", each.file_id, each.file_size, None, shared, each.file_unique_id)
    assert shared is not None  # the caller has seen one
    return shared


def _shared(
    kind: Kind,
    file: Animation | Voice | Audio | Video | VideoNote | LivePhoto | Document | Sticker,
    name: str | None = None,
) -> Shared:
    return Shared(kind, file.file_id, file.file_size, name, unique=file.file_unique_id)
