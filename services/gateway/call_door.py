"""Calls at the gateway, behind their routes: each tenant's call book, tokens for who watches, imports a few at a time."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from connectors.calls.book import CallBook, CallErased, CallKnown, CallRefused, LiveCall, Opening, Taken
from connectors.calls.formats import read
from connectors.calls.taking import Refused, take_each
from connectors.calls.transcript import Speaker, TranscriptRefused
from connectors.calls.vcon.jws import Trust
from parley.errors import RecordTooLarge
from schemas.base import ConversationId, CustomerId, TenantId
from services.gateway.call_streams import CallStreams
from services.gateway.core import Gateway
from services.gateway.problems import Problem, erased, unavailable
from services.gateway.tokens import Grant, TokenSigner

T = TypeVar("T")

CALL_TOKENS = "call-token-1"
"""A purpose of its own: a token that shows a call to staff opens no customer's conversation, nor the other way round."""
TOKEN_LASTS = timedelta(hours=12)
IMPORTS_AT_ONCE = 2
"""Parsing holds the interpreter; what is more waits a moment, or is told to come again."""
WAIT_FOR_IMPORT_S = 5.0


class CallDoor:
    """One a gateway. Raises `Problem` for whatever is refused; `BusUnavailable`, `StoreUnavailable` pass."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        deps = gateway.deps
        self.signer = TokenSigner(deps.settings.signing_secret(), CALL_TOKENS)
        self.streams = CallStreams(deps.store, deps.codec, gateway.rooms, gateway.threads)
        self._books: dict[TenantId, CallBook] = {}
        self._imports = asyncio.Semaphore(IMPORTS_AT_ONCE)

    def close(self) -> None:
        for book in self._books.values():
            book.close()

    async def take(
        self,
        tenant: TenantId,
        data: bytes,
        *,
        form: str | None,
        language: str | None,
        speakers: dict[str, Speaker],
    ) -> list[Taken | Refused]:
        """All calls of a file; each that was not refused is in the log when this returns. A file that cannot be read writes nothing;
        where every call is refused that is a `Problem`.
        """
        try:
            async with asyncio.timeout(WAIT_FOR_IMPORT_S):
                await self._imports.acquire()
        except TimeoutError as error:
            raise unavailable("other files are being read", retry_after_s=5) from error
        try:
            book = await self._book(tenant)
            calls = await self._run(partial(read, data, form=form, speakers=speakers, trust=Trust()))
            return _some(await self._run(partial(take_each, book, calls, language)))
        finally:
            self._imports.release()

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

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await self._gateway.threads.run(call)
        except TranscriptRefused as error:
            raise Problem(400, str(error)) from error
        except (CallRefused, RecordTooLarge) as error:
            raise _problem(error) from error


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
