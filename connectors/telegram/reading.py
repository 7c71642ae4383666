"""From what Telegram writes to aiogram's `Update`, also where a part of it is as this aiogram does not know it: the rest is read all the same.

Telegram adds kinds and values every month, and one that is new inside a message (whom it was forwarded from, a poll that it replies to) says nothing
against its text. Pure.
"""

import logging
from copy import deepcopy
from typing import Any

from aiogram.types import Update
from pydantic import ValidationError
from pydantic_core import from_json

from connectors.kit.http import first_fault

log = logging.getLogger(__name__)

KINDS = ["message", "edited_message", "callback_query", "my_chat_member"]
"""What is asked for. Of these nothing is left out as a whole."""
INSIDE = frozenset({*KINDS, "reply_to_message", "from", "chat"})
"""Where it is looked for what can be left out; anything else is left out as a whole."""
INSTEAD: dict[str, object] = {"first_name": "", "is_bot": False, "date": 1, "chat_instance": ""}
"""What aiogram demands and nobody here reads."""
UNREAD = "unread"
"""The field of a message from which something was left out: with nothing else in it, it is a kind that cannot be read."""
PASSES = 6

Place = tuple[int | str, ...]
"""Where in a document something is, from the outside in."""


def read_json(body: bytes) -> Update:
    """Raises `ValidationError`."""
    try:
        return Update.model_validate_json(body)
    except ValidationError as error:
        try:
            document = from_json(body)
        except ValueError:
            raise error from None
        return _rest(document, error)


def read_update(document: object) -> Update:
    """Raises `ValidationError`."""
    try:
        return Update.model_validate(document)
    except ValidationError as error:
        return _rest(document, error)


def _rest(document: object, first: ValidationError) -> Update:
    """Without what is wrong. Raises the first fault where something is that an update cannot be without."""
    rest, error = deepcopy(document), first
    for _ in range(PASSES):
        if not isinstance(rest, dict):
            break
        _mend_all(rest, error)
        try:
            update = Update.model_validate(rest)
        except ValidationError as left:
            error = left
        else:
            log.warning(
                "telegram: update %d is read without a part: %s", update.update_id, first_fault(first)
            )
            return update
    raise first


def _mend_all(document: dict[str, Any], error: ValidationError) -> None:
    mended: set[Place] = set()
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        place = each["loc"]
        if not any(place[:length] in mended for length in range(len(place) + 1)):
            mended.add(_mend(document, place))


def _mend(document: dict[str, Any], place: Place) -> Place:
    """Leave out what is wrong at this place, or put in what is missing; returns where that was. An update's own kinds stay."""
    holder, around = document, None
    for depth, key in enumerate(place):
        if key in holder:
            if key in INSIDE and isinstance(holder[key], dict) and depth < len(place) - 1:
                holder, around = holder[key], (holder, str(key), place[: depth + 1])
            elif key not in KINDS:
                _leave_out(holder, str(key))
                return place[: depth + 1]
        elif key in INSTEAD:
            holder[str(key)] = INSTEAD[str(key)]
            return place
        elif not str(key)[:1].isupper():  # else it is the name of one of aiogram's types
            break
    if around is not None and around[1] == "reply_to_message":
        _leave_out(around[0], around[1])
        return around[2]
    return place


def _leave_out(holder: dict[str, Any], key: str) -> None:
    del holder[key]
    if "message_id" in holder:
        holder[UNREAD] = True
