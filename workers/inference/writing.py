"""Who writes: quotation, which needs no model, or a language model behind the engine port. Called in the event loop."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from parley.domain.citing import Answer
from parley.domain.extraction import extract
from parley.domain.prompting import ChatMessage, hash_of, messages_of
from parley.errors import EngineDied, TransientError, UnknownAdapter
from parley.ports.engine import CompletionRequest, Engine, Piece
from parley.ports.models import Completion, Prompt
from parley.runtime.backoff import Backoff
from schemas.base import TenantId
from schemas.parts import Usage
from schemas.tenant import TenantConfig

log = logging.getLogger(__name__)

BASE = "base"
"""What a request or a tenant's file says that wants no adapter at all."""
QUOTING = "extractive-1"
QUOTED_AT_ONCE = 16


class Capacity(NamedTuple):
    """What the scheduler has to know: completions at once, adapters that decode at once (0: it has none to load), adapters kept, and whether
    a text that was aborted can go on.
    """

    running: int
    slots: int = 0
    held: int = 0
    resumes: bool = False


class Draft:
    """What there is of one text so far: it stays with whoever asked for it while it is suspended."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.token_ids: list[int] = []

    def add(self, piece: Piece) -> None:
        if piece.rewritten:
            del self.token_ids[-piece.rewritten :]
        self.token_ids.extend(piece.token_ids)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One text to write, or to go on with. `request_id` is used once, `adapter` is a name that `adapter_of` gave, `priority` is lower for who goes first."""

    request_id: str
    tenant: TenantId
    prompt: Prompt
    adapter: str | None = None
    priority: int = 0
    draft: Draft = field(default_factory=Draft)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """It was aborted. What there is of it is in the assignment's draft."""


class Writer(Protocol):
    """Raises what `parley.ports.engine.Engine` raises."""

    async def start(self) -> Capacity:
        """Also after `EngineDied`: everything is as new then, and no adapter is loaded."""

    def adapter_of(self, tenant: TenantId, asked: str | None, config: TenantConfig) -> str | None:
        """The adapter that writes what is asked of this one now; None is the base model. Raises `UnknownAdapter`."""

    async def write(
        self, work: Assignment, on_text: Callable[[str], None], on_tokens: Callable[[int], None]
    ) -> Completion | Unfinished | None:
        """The pieces given to `on_text`, those of earlier calls with this draft among them, add up to the completion's text; `on_tokens`
        is told how many tokens have come. None: the passages do not answer.
        """

    async def abort(self, request_id: str) -> None: ...

    async def load(self, name: str) -> None:
        """Returns once a decode has run with it. Raises `AdapterRefused`: `adapter_of` names another one from then on."""

    async def unload(self, name: str) -> None: ...

    async def forget(self) -> None:
        """Let go of what is kept of texts that are over."""

    async def close(self) -> None: ...


async def started(writer: Writer) -> Capacity:
    """Start it, as often as it takes while what it needs is away. Raises `ConfigurationError` where somebody has to act."""
    backoff = Backoff(0.5, 10.0)
    while True:
        try:
            return await writer.start()
        except TransientError as error:
            task = asyncio.current_task()
            # Given up meanwhile: undoing what it had begun ended in this error, which took the cancellation's place.
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from error
            log.warning("inference: not ready yet: %s", error)
            await asyncio.sleep(backoff.next())


def own_part(tenant: TenantId, asked: str) -> str:
    """What stands behind the `@` of an adapter's name, or the whole of a name without one. Raises `UnknownAdapter` for another tenant's."""
    owner, at, part = asked.rpartition("@")
    if at and owner != tenant:
        raise UnknownAdapter(f"adapter {asked!r} is not one of tenant {tenant!r}")
    return part


class QuotingWriter:
    """Quotes the passages (`parley.domain.extraction`): some milliseconds of computing, done where it is called."""

    async def start(self) -> Capacity:
        return Capacity(QUOTED_AT_ONCE)

    def adapter_of(self, tenant: TenantId, asked: str | None, config: TenantConfig) -> str | None:
        return None

    async def write(
        self, work: Assignment, on_text: Callable[[str], None], on_tokens: Callable[[int], None]
    ) -> Completion | None:
        prompt = work.prompt
        found = extract(prompt.question, prompt.passages, prompt.before)
        if found is None:
            return None
        on_text(found.text)
        return Completion(text=found.text, cited=found.cited, model=QUOTING)

    async def abort(self, request_id: str) -> None:
        """It is over before anybody can ask."""

    async def load(self, name: str) -> None:
        """There is none to load."""

    async def unload(self, name: str) -> None:
        """There is none to unload."""

    async def forget(self) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing is open."""


class EngineWriter:
    """Renders the prompt, and reads the sources and the refusal out of what the engine writes. Its engine's adapters have names of
    the server's own (`slots` 0); `workers.inference.serving` is for those that Parley loads.
    """

    def __init__(self, engine: Engine, salt: Callable[[TenantId], str]) -> None:
        self._engine = engine
        self._salt = salt

    async def start(self) -> Capacity:
        await self._engine.start()
        return Capacity(self._engine.facts.running)

    def adapter_of(self, tenant: TenantId, asked: str | None, config: TenantConfig) -> str | None:
        """The server's own name for it; a tenant's name before an `@` must be this tenant's."""
        if asked is None or asked == BASE:
            return config.model.base
        own_part(tenant, asked)
        return asked

    async def write(
        self, work: Assignment, on_text: Callable[[str], None], on_tokens: Callable[[int], None]
    ) -> Completion | Unfinished | None:
        messages = messages_of(work.prompt)
        answer, draft = work.draft.answer, work.draft
        last: Piece | None = None
        async for piece in self._engine.generate(self._request(work, messages)):
            if piece.text and (text := answer.take(piece.text)):
                on_text(text)
            draft.add(piece)
            on_tokens(len(piece.token_ids) or bool(piece.text))  # a server that tells no ids tells each token
            last = piece
        if last is None or last.finish is None:
            raise EngineDied("the engine ended a completion without saying why")
        if last.finish == "abort":
            return Unfinished()
        if text := answer.finish():
            on_text(text)
        return self._completion(work, messages, answer, last) if answer.text else None

    async def abort(self, request_id: str) -> None:
        await self._engine.abort(request_id)

    async def load(self, name: str) -> None:
        """The server has them."""

    async def unload(self, name: str) -> None:
        """The server has them."""

    async def forget(self) -> None:
        await self._engine.forget()

    async def close(self) -> None:
        await self._engine.close()

    def _request(self, work: Assignment, messages: tuple[ChatMessage, ...]) -> CompletionRequest:
        return CompletionRequest(
            request_id=work.request_id,
            messages=messages,
            max_tokens=work.prompt.max_tokens,
            written=tuple(work.draft.token_ids),
            adapter=work.adapter,
            seed=work.prompt.seed,
            cache_salt=self._salt(work.tenant),
            priority=work.priority,
        )

    def _completion(
        self, work: Assignment, messages: tuple[ChatMessage, ...], answer: Answer, last: Piece
    ) -> Completion:
        passages = work.prompt.passages
        return Completion(
            text=answer.text,
            cited=tuple(passages[n - 1].chunk_id for n in answer.marks if 1 <= n <= len(passages)),
            model=self._engine.facts.model,
            adapter=work.adapter,
            prompt_hash=hash_of(messages),
            usage=Usage(prompt_tokens=last.prompt_tokens, completion_tokens=last.completion_tokens),
            finish_reason="length" if last.finish == "length" else "stop",
        )
