"""What a vCon was made of: `redacted` names the one that has more, `amended` the one that has less. Neither is ever followed."""

import re
from typing import Any

from connectors.calls.fields import Object, object_at, placed, text_at
from connectors.calls.transcript import Prior, TranscriptRefused
from schemas.base import UUID_PATTERN
from schemas.parts import CallOrigin, PriorVcon

#: What earlier drafts called `amended`.
AMENDED = ("amended", "appended")
BY_SOURCE = "redacted before it was imported"
"""Stands for a redaction's type where the source names none."""
MOST_TEXT = {"uuid": 128, "type": 1_000, "url": 2_000}
MOST_HASHES, MOST_HASH = 8, 200
_UUID = re.compile(UUID_PATTERN, re.IGNORECASE)
_HTTPS = re.compile(r"https://[!-~]+")
_TYPES = "; "


# -- in -----------------------------------------------------------------------------------------------------------------


def redacted_of(document: Object) -> Prior | None:
    """Raises `TranscriptRefused`."""
    return _prior(document, "redacted")


def amended_of(document: Object) -> Prior | None:
    """Raises `TranscriptRefused`."""
    found = [_prior(document, name) for name in AMENDED]
    return next((each for each in found if each is not None), None)


def _prior(document: Object, name: str) -> Prior | None:
    """None for the empty object that earlier drafts wrote everywhere. A vCon that stands in it as a whole is what was taken out, and left there."""
    told = object_at(document.get(name), name)
    if not told:
        return None
    texts = {key: _text(told, key, name) for key in MOST_TEXT}
    return Prior(**texts, content_hash=_hashes(told.get("content_hash"), placed(name, "content_hash")))


def _text(told: Object, key: str, name: str) -> str | None:
    text = text_at(told, key, name)
    if len(text) > MOST_TEXT[key]:
        raise TranscriptRefused(
            f"{placed(name, key)}: {len(text):,} characters; allowed are {MOST_TEXT[key]:,}"
        )
    return text.replace("\x00", "\ufffd") or None


def _hashes(value: Any, at: str) -> tuple[str, ...]:
    listed = [] if value is None else value if isinstance(value, list) else [value]
    fits = all(isinstance(each, str) and 0 < len(each) <= MOST_HASH for each in listed)
    if not fits or len(listed) > MOST_HASHES:
        raise TranscriptRefused(
            f"{at} must be a text or a list of at most {MOST_HASHES}, each of 1 to {MOST_HASH} characters"
        )
    return tuple(each.replace("\x00", "\ufffd") for each in listed)


# -- out ----------------------------------------------------------------------------------------------------------------


def lineage(origin: CallOrigin) -> Object:
    """`redacted` or `amended` of the vCon that was imported, which are mutually exclusive (the draft's section 4.1.8); redacted is what must not be
    forgotten.
    """
    if origin.redacted:
        return {"redacted": redacted(origin)}
    return {} if origin.amended_of is None else {"amended": _reference(origin.amended_of)}


def redacted(origin: CallOrigin, since: str = "") -> Object:
    """The reference with the type, which it must have; `since` is what was taken out after the import."""
    prior = origin.redacted_of or PriorVcon()
    before = (prior.type or BY_SOURCE).split(_TYPES) if origin.redacted else []
    types = _TYPES.join(dict.fromkeys([*([since] if since else []), *before]))
    return {**_reference(prior), "type": types[: MOST_TEXT["type"]]}


def _reference(prior: PriorVcon) -> Object:
    """As the draft allows it: a `uuid` that is one, and a `url` of HTTPS with its content's hash. What is told otherwise is not lost: `origin` in `analysis`
    has it as it came.
    """
    found: Object = {}
    if prior.uuid is not None and _UUID.fullmatch(prior.uuid):
        found["uuid"] = prior.uuid
    if prior.url is not None and _HTTPS.fullmatch(prior.url) and prior.content_hash:
        hashes = prior.content_hash
        found |= {"url": prior.url, "content_hash": hashes[0] if len(hashes) == 1 else list(hashes)}
    return found
