"""Masked values of a conversation: each gets its placeholder for good, its original is sealed where the tenant allows it, and is put
back for whom it belongs to.

Doors call `write` before a message's first write: then whatever the log has can be told apart, and no original is lost between the
two. What was kept for a message that did not get in harms nobody, and goes with its term. Only the way out to people calls
`reveal`: language models, logs and data sets have placeholders, and exports too unless an operator gives a reason.
"""

import hashlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

from cachetools import LRUCache

from parley.codec import Codec
from parley.domain.masking.placeholders import (
    NEVER_KEPT,
    Findings,
    Masked,
    Named,
    placeholder,
    placeholders_in,
    put_back,
)
from parley.domain.rights import CustomerRight, HumanAgentRight, Owner, Right
from parley.errors import InvalidEvent, KeyErased, StoreUnavailable
from parley.ports.vault import MaskedValue, ValueStore
from schemas.privacy import Privacy

log = logging.getLogger(__name__)

REMEMBERED = 16_384
"""Values, under 300 bytes each: those that were written last."""

_TRIES = 64
"""Of several who number at one time, one at least is done after each try."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A text that is about to be written: whose it is, the id of its event, what its tenant allows, and when."""

    owner: Owner
    source: str
    privacy: Privacy
    at: datetime


class _Remembered(NamedTuple):
    """A value's number, which it has for good, and until when its original is kept, None where it is not."""

    number: int
    kept_until: datetime | None


class Vault:
    """Thread-safe as far as its store and codec are."""

    def __init__(self, store: ValueStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec
        self._remembered: LRUCache[bytes, _Remembered] = LRUCache(REMEMBERED)
        # Names for values that mean nothing outside this process, and need no customer's key to be read first.
        self._secret = secrets.token_bytes(32)
        self._lock = Lock()

    def recall(self, writing: Writing, findings: Findings) -> Masked | None:
        """What `write` would return, without waiting for anything; None where something has to be read or stored for it."""
        numbers: dict[Named, int] = {}
        with self._lock:
            for name in findings.originals():
                found = self._remembered.get(self._alias(writing.owner, name))
                if found is None or (_keeps(writing, name[0]) and not _lasts(found.kept_until, writing.at)):
                    return None
                numbers[name] = found.number
        return findings.written(numbers)

    def write(self, writing: Writing, findings: Findings) -> Masked:
        """The text with its conversation's placeholders, all of them stored. Raises `KeyErased`, `StoreUnavailable`."""
        if not findings.taken:
            return Masked(findings.text)
        digests = {name: self._digest(writing.owner, name) for name in findings.originals()}
        for _ in range(_TRIES):
            rows = self._store.values(writing.owner.conversation_id)
            known = self._kept_again(writing, findings, _known(rows, digests))
            numbers = findings.numbered({name: row.number for name, row in known.items()}, _highest(rows))
            values = {
                name: _value(writing, name, number, digests[name])
                for name, number in numbers.items()
                if name not in known
            }
            fresh = self._sealed(writing, findings, values)
            stored = not fresh or self._store.add_values(list(fresh.values()))
            # Who jumps a number that a text brought along may have stored a value that another door numbers at this moment.
            if stored and not (fresh and findings.brought):
                self._remember(writing.owner, known | fresh)
                return findings.written(numbers)
        raise StoreUnavailable("too many wrote in one conversation at once to number what they wrote")

    def reveal(self, right: Right, owner: Owner, texts: Sequence[str], now: datetime) -> list[str]:
        """The texts with originals in the place of the owner's placeholders, as far as the right goes and they are still there.

        Any other placeholder stays. Raises `StoreUnavailable`.
        """
        named = frozenset[str]().union(*map(placeholders_in, texts))
        if not named or not right.covers(owner):
            return list(texts)
        originals: dict[str, str] = {}
        for row in self._store.values(owner.conversation_id):
            written = placeholder(row.kind, row.number)
            original = self._original(owner, row, now) if written in named else None
            if original is not None:
                originals[written] = original
        if originals and not isinstance(right, CustomerRight):
            # By ids and names of placeholders alone; what customers read of their own is nobody's affair.
            log.info(
                "vault: %s of %s read by %s",
                ", ".join(sorted(originals)),
                owner.conversation_id,
                right.human_agent_id if isinstance(right, HumanAgentRight) else right.operator,
            )
        return [put_back(text, originals) for text in texts]

    def forget(self) -> None:
        """What `recall` knows. To be called again and again: names of values may not outlive their customer's key for long."""
        with self._lock:
            self._remembered.clear()

    def _remember(self, owner: Owner, values: Mapping[Named, MaskedValue]) -> None:
        with self._lock:
            for name, row in values.items():
                kept_until = row.expires_at if row.sealed is not None else None
                self._remembered[self._alias(owner, name)] = _Remembered(row.number, kept_until)

    def _alias(self, owner: Owner, name: Named) -> bytes:
        said = "\0".join((owner.tenant, owner.customer_id, owner.conversation_id, *name))
        return hashlib.blake2b(said.encode(), key=self._secret, digest_size=16).digest()

    def _kept_again(
        self, writing: Writing, findings: Findings, known: Mapping[Named, MaskedValue]
    ) -> dict[Named, MaskedValue]:
        """With new originals of values that are written again once their term is over, or that were first written while none was kept."""
        gone = {
            name: replace(row, source=writing.source)
            for name, row in known.items()
            if _keeps(writing, row.kind)
            and not (row.sealed is not None and _lasts(row.expires_at, writing.at))
        }
        kept = self._sealed(writing, findings, gone)
        if kept:
            self._store.replace_values(list(kept.values()))
        return {**known, **kept}

    def _sealed(
        self, writing: Writing, findings: Findings, values: Mapping[Named, MaskedValue]
    ) -> dict[Named, MaskedValue]:
        """With their originals, where those may be kept."""
        owner, originals = writing.owner, findings.originals()
        return {
            name: replace(
                row,
                sealed=self._codec.seal_for(
                    owner.tenant, owner.customer_id, originals[name].encode(), *row.sealed_under
                ),
                expires_at=writing.at + timedelta(days=writing.privacy.vault_days),
            )
            if _keeps(writing, row.kind)
            else row
            for name, row in values.items()
        }

    def _original(self, owner: Owner, row: MaskedValue, now: datetime) -> str | None:
        if row.sealed is None or not _lasts(row.expires_at, now):
            return None
        if (row.tenant, row.customer_id) != (owner.tenant, owner.customer_id):
            return None
        try:
            opened = self._codec.unseal_for(owner.tenant, owner.customer_id, row.sealed, *row.sealed_under)
        except KeyErased:
            return None
        except InvalidEvent as error:
            log.error("vault: %s in %s: %s", placeholder(row.kind, row.number), owner.conversation_id, error)
            return None
        return opened.decode()

    def _digest(self, owner: Owner, name: Named) -> bytes:
        return self._codec.digest_for(owner.tenant, owner.customer_id, owner.conversation_id, *name)


def _value(writing: Writing, name: Named, number: int, digest: bytes) -> MaskedValue:
    owner = writing.owner
    return MaskedValue(
        conversation_id=owner.conversation_id,
        kind=name[0],
        number=number,
        tenant=owner.tenant,
        customer_id=owner.customer_id,
        digest=digest,
        source=writing.source,
        masked_at=writing.at,
    )


def _known(rows: Sequence[MaskedValue], digests: dict[Named, bytes]) -> dict[Named, MaskedValue]:
    """The rows of these values. Two who write one value at once can number it twice: then the first number is its own."""
    by_digest = {row.digest: row for row in reversed(rows)}
    return {name: by_digest[digest] for name, digest in digests.items() if digest in by_digest}


def _highest(rows: Sequence[MaskedValue]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for row in rows:
        highest[row.kind] = max(highest.get(row.kind, 0), row.number)
    return highest


def _keeps(writing: Writing, kind: str) -> bool:
    return writing.privacy.vault and kind not in NEVER_KEPT


def _lasts(until: datetime | None, now: datetime) -> bool:
    return until is not None and until > now
