"""A call's parameters, in whichever of the four ways of the Bot API they come.

https://core.telegram.org/bots/api#making-requests: query, urlencoded form, JSON, multipart form.
"""

import json
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from tests.telegram_api.errors import Json, bad_request


def read_params(query: str, content_type: str, body: bytes) -> "Params":
    """Raises ApiError for JSON that is none."""
    found: Json = dict(parse_qsl(query, keep_blank_values=True))
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" and body.strip():
        found |= _json_body(body)
    elif kind == "application/x-www-form-urlencoded":
        found |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    elif kind == "multipart/form-data":
        found |= _multipart(content_type, body)
    return Params(found)


def _json_body(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise bad_request("can't parse request body as JSON object")
    return found


def _multipart(content_type: str, body: bytes) -> Json:
    """Fields as text; of files their names and sizes."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    found: Json = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        file_name = part.get_filename()
        told = content.decode() if file_name is None else {"file_name": file_name, "size": len(content)}
        found[str(name)] = told
    return found


class Params:
    """Values are text or JSON's own: every getter takes both."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self.given: Json = {name: value for name, value in given.items() if value is not None}

    def text(self, name: str) -> str:
        value = self.given.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str) -> int | None:
        value = self.given.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"invalid {name} specified") from None

    def chat_id(self) -> int | None:
        """None when there is none. Names of channels (@name) are chats that nobody knows."""
        value = self.given.get("chat_id", "")
        if isinstance(value, str) and value.startswith("@"):
            raise bad_request("chat not found")
        return self.number("chat_id")

    def yes(self, name: str) -> bool:
        return str(self.given.get(name, "")).lower() in ("true", "1", "yes", "t", "y")

    def structure(self, name: str, what: str) -> object:
        """A JSON object or array, given as such or as text; None when there is none.

        Raises ApiError, naming `what`.
        """
        value = self.given.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None

    def mapping(self, name: str, what: str) -> Json | None:
        found = self.structure(name, what)
        if found is not None and not isinstance(found, dict):
            raise bad_request(f"object expected as {what}")
        return found

    def sequence(self, name: str, what: str) -> list[Json] | None:
        found = self.structure(name, what)
        if found is not None and not isinstance(found, list):
            raise bad_request(f"expected an Array of {what}")
        return found
