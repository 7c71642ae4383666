"""Masked values of a conversation: each gets its placeholder for good, its original is sealed where the tenant allows it, and is put
back for whom it belongs to.

Doors call `write` before a message's first write: then whatever the log has can be told apart, and no original is lost between the
two. What was kept for a message that did not get in harms nobody, and goes with its term. Only the way out to people calls
`reveal`: language models, exports, logs and data sets have placeholders.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from parley.domain.rights import HumanAgentRight, Owner, Right
from parley.errors import InvalidEvent, KeyErased, StoreUnavailable
from parley.ports.vault import MaskedValue, ValueStore
from schemas.privacy import Privacy

log = logging.getLogger(__name__)

_TRIES = 64
"""Of several who number at one time, one at least is done after each try."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A text that is about to be written: whose it is, the id of its event, what its tenant allows, and when."""

    owner: Owner
    source: str
    privacy: Privacy
    at: datetime


class Vault:
    """Thread-safe as far as its store and codec are."""

    def __init__(self, store: ValueStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec

    def write(self, writing: Writing, findings: Findings) -> Masked:
        """The text with its conversation's placeholders, all of them stored. Raises `KeyErased`, `StoreUnavailable`."""
        if not findings.taken:
            return Masked(findings.text)
        digests = {name: self._digest(writing.owner, name) for name in findings.originals()}
        for _ in range(_TRIES):
            rows = self._store.values(writing.owner.conversation_id)
            known = _known(rows, digests)
            numbers = findings.numbered({name: row.number for name, row in known.items()}, _highest(rows))
            self._keep_again(writing, findings, list(known.items()))
            fresh = [name for name in numbers if name not in known]
            if not fresh:
                return findings.written(numbers)
            values = [_value(writing, name, numbers[name], digests[name]) for name in fresh]
            self._store.add_values(
                [
                    self._sealed(writing, findings, value, name)
                    for value, name in zip(values, fresh, strict=True)
                ]
            )
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
        if originals and isinstance(right, HumanAgentRight):
            # By ids and names of placeholders alone; what customers read of their own is nobody's affair.
            log.info(
                "vault: %s of %s read by %s",
                ", ".join(sorted(originals)),
                owner.conversation_id,
                right.human_agent_id,
            )
        return [put_back(text, originals) for text in texts]

    def _keep_again(
        self, writing: Writing, findings: Findings, known: list[tuple[Named, MaskedValue]]
    ) -> None:
        """A value that is written again once its term is over, or that was first written while nothing was kept."""
        gone = [(name, row) for name, row in known if row.sealed is None or _is_over(row, writing.at)]
        renewed = [
            self._sealed(writing, findings, replace(row, source=writing.source), name) for name, row in gone
        ]
        kept = [row for row in renewed if row.sealed is not None and not _is_over(row, writing.at)]
        if kept:
            self._store.replace_values(kept)

    def _sealed(self, writing: Writing, findings: Findings, value: MaskedValue, name: Named) -> MaskedValue:
        """With its original, where that may be kept."""
        if not writing.privacy.vault or value.kind in NEVER_KEPT:
            return value
        owner, original = writing.owner, findings.originals()[name].encode()
        return replace(
            value,
            sealed=self._codec.seal_for(owner.tenant, owner.customer_id, original, *value.sealed_under),
            expires_at=writing.at + timedelta(days=writing.privacy.vault_days),
        )

    def _original(self, owner: Owner, row: MaskedValue, now: datetime) -> str | None:
        if row.sealed is None or _is_over(row, now):
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


def _is_over(row: MaskedValue, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now
