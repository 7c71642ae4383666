"""Personal data at the door: taken out of what comes in, and put back in what the customer who wrote it gets. No HTTP here.

What runs on the event loop is the rules, and what is remembered of values; the store and the keys are asked in threads, only for texts that have any.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from connectors.web.frames import Fields, Frame
from parley.domain.masking import KINDS, Findings, Masked
from parley.domain.masking.placeholders import placeholders_in
from parley.domain.rights import CustomerRight, Owner
from parley.ports.clock import Clock
from parley.runtime.vault import Vault, Writing
from services.gateway.directory import Directory, TenantView
from services.gateway.metrics import GatewayMetrics
from services.gateway.threads import Threads
from services.gateway.tokens import Grant


class Masking:
    """Belongs to the event loop's thread, except where a method says otherwise."""

    def __init__(
        self, vault: Vault, directory: Directory, threads: Threads, clock: Clock, metrics: GatewayMetrics
    ) -> None:
        self._vault = vault
        self._directory = directory
        self._threads = threads
        self._clock = clock
        self._metrics = metrics

    def find(self, view: TenantView, text: str) -> Findings:
        """What the tenant's version in force masks of a text."""
        findings = view.masker.find(text)
        for kind in findings.kinds:
            self._metrics.masked.labels(kind if kind in KINDS else "own").inc()
        return findings

    async def write(self, grant: Grant, view: TenantView, findings: Findings, source: str) -> Masked:
        """The text as it may be written, under the id `source`; originals are stored by then, where the tenant keeps any.

        Raises `KeyErased`, `StoreUnavailable`.
        """
        if not findings.taken:
            return Masked(findings.text)
        writing = Writing(owner_of(grant), source, view.config.privacy, self._clock.now())
        recalled = self._vault.recall(writing, findings)
        if recalled is not None:
            return recalled
        return await self._threads.run(partial(self._vault.write, writing, findings))

    async def frame(self, grant: Grant, frame: Frame) -> Frame:
        """The frame as its conversation's customer sees it. Raises `StoreUnavailable`."""
        text = frame.fields.get("text")
        if not isinstance(text, str) or not placeholders_in(text):
            return frame
        [revealed] = await self._reveal(grant, [text])
        return replace(frame, fields={**frame.fields, "text": revealed})

    async def page(self, grant: Grant, entries: Sequence[Fields]) -> list[Fields]:
        """The same of a page of the history."""
        texts = await self._reveal(grant, [str(entry["text"]) for entry in entries])
        return [{**entry, "text": text} for entry, text in zip(entries, texts, strict=True)]

    async def _reveal(self, grant: Grant, texts: list[str]) -> list[str]:
        """Whether anything is shown again is the tenant's to say, today: a vault that was switched off shows nothing more."""
        view = await self._directory.tenant(grant.tenant)
        if not view.config.privacy.vault or not any(map(placeholders_in, texts)):
            return texts
        owner = owner_of(grant)
        reveal = partial(self._vault.reveal, CustomerRight(owner), owner, texts, self._clock.now())
        return await self._threads.run(reveal)


def owner_of(grant: Grant) -> Owner:
    return Owner(grant.tenant, grant.customer_id, grant.conversation_id)
