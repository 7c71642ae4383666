"""Calls at the gateway, behind their routes: each tenant's call book, tokens for who watches, imports a few at a time and paced."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TypeVar

from connectors.calls.book import CallBook, CallErased, CallKnown, CallRefused, LiveCall, Opening, Taken
from connectors.calls.formats import read
from connectors.calls.pacing import OnTheirWay
from connectors.calls.taking import Refused, signatures, take_one
from connectors.calls.transcript import Speaker, TranscriptRefused
from connectors.calls.vcon.jws import Trust
from connectors.calls.vcon.trusted import trusted
from parley.errors import ConfigurationError, RecordTooLarge
from schemas.base import ConversationId, CustomerId, TenantId
from services.gateway.call_streams import CallStreams
from services.gateway.core import Gateway
from services.gateway.problems import Problem, erased, unavailable
from services.gateway.tokens import Grant, TokenSigner

log = logging.getLogger(__name__)

T = TypeVar("T")

CALL_TOKENS = "call-token-1"
"""A purpose of its own: a token that shows a call to staff opens no customer's conversation, nor the other way round."""
TOKEN_LASTS = timedelta(hours=12)
IMPORTS_AT_ONCE = 4
"""Of all tenants, one of each: a file is in memory as a whole, and parsing holds the interpreter. What is more waits a moment, or is
told to come again."""
WAIT_FOR_IMPORT_S = 5.0
ON_THEIR_WAY = 20_000
"""A tenant's turns that are no conversations yet, some ten seconds of the dialogue worker's time. With more no file is begun, and one that is begun waits."""
LOOK_EVERY_S = 0.1


class CallDoor:
    """One a gateway. Raises `Problem` for whatever is refused; `BusUnavailable`, `StoreUnavailable` pass."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        deps = gateway.deps
        self.signer = TokenSigner(deps.settings.signing_secret(), CALL_TOKENS)
        self.streams = CallStreams(deps.store, deps.codec, gateway.threads)
        self._books: dict[TenantId, CallBook] = {}
        self._ways: dict[TenantId, OnTheirWay] = {}
        self._imports = asyncio.Semaphore(IMPORTS_AT_ONCE)
        self._own: dict[TenantId, asyncio.Semaphore] = {}

    def close(self) -> None:
        for book in self._books.values():
            book.close()

    @asynccontextmanager
    async def slot(self, tenant: TenantId) -> AsyncIterator[None]:
        """Room for one file, from before its body is read. Raises `Problem` 503 where there is none."""
        own = self._own.setdefault(tenant, asyncio.Semaphore(1))
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(WAIT_FOR_IMPORT_S):
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._imports)
            except TimeoutError as error:
                raise _later("other files are being read") from error
            if await self._run(self._way(tenant).too_many):
                raise _later("what was imported before is still on its way")
            yield

    async def take(
        self,
        tenant: TenantId,
        data: bytes,
        *,
        form: str | None,
        language: str | None,
        speakers: dict[str, Speaker],
    ) -> list[Taken | Refused]:
        """All calls of a file, within its `slot`; each that was not refused is in the log when this returns. A file that cannot be read writes
        nothing; where every call is refused that is a `Problem`.
        """
        book, way = await self._book(tenant), self._way(tenant)
        trust = await self._run(partial(self._trusted, tenant))
        calls = await self._run(partial(read, data, form=form, speakers=speakers, trust=trust))
        taken: list[Taken | Refused] = []
        for call in calls:
            while await self._run(way.too_many):
                await asyncio.sleep(LOOK_EVERY_S)  # without a thread
            taken.append(await self._run(partial(take_one, book, call, language)))
            if isinstance(taken[-1], Taken):
                way.add(taken[-1])
        refused = sum(isinstance(each, Refused) for each in taken)
        log.info(
            "calls: %d of a file of %s taken, %d refused; signatures: %s",
            len(taken) - refused,
            tenant,
            refused,
            signatures(taken),
        )
        return _some(taken)

    async def begin(self, tenant: TenantId, opening: Opening) -> LiveCall:
        book = await self._book(tenant)
        return await self._run(partial(book.begin, opening))

    def token(self, tenant: TenantId, key_id: str, conversation_id: str, customer_id: str) -> str:
        """With which somebody may watch this call."""
        expires_at = self._gateway.deps.clock.now() + TOKEN_LASTS
        grant = Grant(
            ConversationId(conversation_id), tenant, CustomerId(customer_id), "api", key_id, expires_at
        )
        return self.signer.sign(grant)

    async def _book(self, tenant: TenantId) -> CallBook:
        if tenant not in self._books:
            made = await self._gateway.threads.run(partial(CallBook, self._gateway.deps, tenant))
            self._books.setdefault(tenant, made)
        return self._books[tenant]

    def _way(self, tenant: TenantId) -> OnTheirWay:
        if tenant not in self._ways:
            self._ways[tenant] = OnTheirWay(self._gateway.deps.store, most=ON_THEIR_WAY)
        return self._ways[tenant]

    def _trusted(self, tenant: TenantId) -> Trust:
        try:
            return trusted(self._gateway.deps.settings, tenant)
        except ConfigurationError as error:
            log.error("calls: nothing of %s is imported: %s", tenant, error)
            raise unavailable("signatures cannot be checked just now", retry_after_s=60) from error

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await self._gateway.threads.run(call)
        except TranscriptRefused as error:
            raise Problem(400, str(error)) from error
        except (CallRefused, RecordTooLarge) as error:
            raise _problem(error) from error


def _later(why: str) -> Problem:
    return unavailable(why, retry_after_s=5)


def _some(taken: list[Taken | Refused]) -> list[Taken | Refused]:
    """Raises `Problem` where every call was refused."""
    refused = [each for each in taken if isinstance(each, Refused)]
    if len(refused) < len(taken):
        return taken
    problem = _problem(refused[0].error)
    if len(refused) > 1:
        problem.detail += f" (and {len(refused) - 1:,} other calls of the file, all refused)"
    raise problem from refused[0].error


def _problem(error: CallRefused | RecordTooLarge) -> Problem:
    match error:
        case CallErased():
            return erased()
        case CallKnown():
            return Problem(409, str(error))
        case CallRefused():
            return Problem(422, str(error))
        case _:
            return Problem(413, f"call: is too large ({error}); allowed: what fits into the log's records")
