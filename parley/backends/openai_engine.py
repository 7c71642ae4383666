"""The engine behind any OpenAI-compatible server: streaming completions over HTTP.

Adapters are models of their own to such a server: the name of one stands in the field `model`. A server that can load them when told to (vLLM)
is told so only by setting (`ServerExtras.slots`). A completion that is aborted closes its connection, so that the server stops writing too.
Whether to ask again is the caller's decision.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx

from parley.backends.held_adapters import HeldAdapters
from parley.backends.openai_api import (
    Reading,
    ServerExtras,
    body_of,
    events,
    message_of,
    parsed,
    path_of,
    refusal,
)
from parley.errors import (
    AdapterRefused,
    ConfigurationError,
    EngineDied,
    GeneratorUnavailable,
    RequestRefused,
)
from parley.ports.engine import AdapterFiles, CompletionRequest, EngineFacts, Piece

CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 60.0
"""A server that says nothing for so long is taken as away."""
ASSUMED_CONTEXT_TOKENS = 8_192
"""Of a server that does not tell and a setting that does not either; what is longer than it really holds, it refuses itself."""
KEPT_S = 2.0
"""An idle connection is used again for so long: uvicorn, which vLLM serves with, closes it after 5, and a request that meets that is lost."""
RUNNING = 64
END_S = 1.0
"""How long a connection may stay open after the completion's last event before it is given up."""
NAMED = 20
"""So many served models are named in an error."""


def check_address(base_url: str, model: str) -> None:
    """What can be said without asking the server. Raises `ConfigurationError`."""
    try:
        address = httpx.URL(base_url)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise ConfigurationError(
            f"PARLEY_OPENAI_URL: {base_url!r} is no address of a server; it begins with http:// or https://, as http://127.0.0.1:8000/v1"
        )
    if not model:
        raise ConfigurationError(
            "PARLEY_OPENAI_MODEL: name the model that the server at PARLEY_OPENAI_URL serves"
        )


class OpenAIEngine:
    """Implements `parley.ports.engine.Engine`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str = "",
        *,
        revision: str = "",
        context_tokens: int | None = None,
        running: int = RUNNING,
        silence_s: float = SILENCE_S,
        extras: ServerExtras | None = None,
    ) -> None:
        """`context_tokens`: None is what the server tells. `running`: requests that are open at once; more wait here."""
        check_address(base_url, model)
        self._base_url = base_url.rstrip("/") + "/"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._revision = revision
        self._context_tokens = context_tokens
        self._running = running
        self._silence_s = silence_s
        self._extras = extras or ServerExtras()
        self._understood = self._extras
        self._client: httpx.AsyncClient | None = None
        self._facts: EngineFacts | None = None
        self._calls: dict[str, _Call] = {}
        self._adapters: HeldAdapters[None] = HeldAdapters(0)
        self._loading = asyncio.Lock()
        self._places = asyncio.Semaphore(running)

    @property
    def facts(self) -> EngineFacts:
        if self._facts is None:
            raise EngineDied("the engine was not started")
        return self._facts

    async def start(self) -> None:
        """Raises `ConfigurationError` for a server that does not serve the model, `GeneratorUnavailable` for one that is away."""
        await self._end()
        self._adapters = HeldAdapters(self._extras.held)
        self._client = httpx.AsyncClient(
            base_url=self._base_url,
            headers=self._headers,
            timeout=httpx.Timeout(self._silence_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=self._running, keepalive_expiry=KEPT_S
            ),
        )
        try:
            mine = self._own(await self._served())
        except BaseException:
            await self._end()
            raise
        if self._extras.salt is None:
            self._understood = replace(self._extras, salt=mine.get("owned_by") == "vllm")
        self._facts = self._facts_of(mine)

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        body = body_of(request, self._model, self.facts.context_tokens, self._understood)
        if request.request_id in self._calls:
            raise RequestRefused(f"request id {request.request_id}: it is under way already")
        # A server that is told of no adapters may know some all the same.
        adapter = request.adapter if self._extras.slots else None
        adapters = self._adapters
        adapters.use(adapter)
        call = _Call()
        call.task = asyncio.ensure_future(self._ask(request, body, call))
        call.task.add_done_callback(lambda _: call.arrived.put_nowait(None))
        self._calls[request.request_id] = call
        try:
            while (piece := await call.arrived.get()) is not None:
                yield piece
            if call.ended is not None:
                yield call.ended
            elif call.task.cancelled():
                raise EngineDied("the engine was closed")
            else:
                call.task.result()  # raises what the request ended with
        finally:
            del self._calls[request.request_id]
            call.task.cancel()
            await asyncio.gather(call.task, return_exceptions=True)
            adapters.release(adapter)
            if call.forgotten and adapter is not None:
                with suppress(RequestRefused):  # the last one of those that use it does it
                    adapters.forget(adapter)

    async def abort(self, request_id: str) -> None:
        if (call := self._calls.get(request_id)) is not None and call.ended is None and not call.task.done():
            call.ended = Piece("", finish="abort", completion_tokens=call.tokens)
            call.task.cancel()

    async def load(self, adapter: AdapterFiles) -> None:
        """The server reads the folder itself, under the same path."""
        await asyncio.shield(asyncio.ensure_future(self._load(adapter)))

    async def _load(self, adapter: AdapterFiles) -> None:
        async with self._loading:
            if adapter.name in self._adapters:
                return
            self._check(adapter)
            if (surplus := self._adapters.surplus()) is not None:
                await self._unload(surplus)
            said = {"lora_name": adapter.name, "lora_path": str(adapter.folder)}
            status, body = await self._tell("load_lora_adapter", said)
            # Whoever was here before us loaded it: a name stands for one content.
            if status >= 400 and "already been loaded" not in message_of(body):
                raise self._no_adapter(adapter, status, body)
            self._adapters.keep(adapter.name, None)

    async def unload(self, name: str) -> None:
        """vLLM forgets the name at once, and lets go of the weights when it needs their place. Raises `RequestRefused` while it is in use."""
        async with self._loading:
            await self._unload(name)

    async def forget(self) -> bool:
        """Nothing is kept here."""
        return True

    async def close(self) -> None:
        await self._end()

    async def _end(self) -> None:
        client, self._client = self._client, None
        self._facts = None
        calls = [call.task for call in self._calls.values()]
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        if client is not None:
            await client.aclose()

    def _check(self, adapter: AdapterFiles) -> None:
        """Raises `AdapterRefused` for one that the server need not be asked about."""
        if not self._extras.slots:
            raise AdapterRefused(
                f"{adapter.folder}: this server is told of no adapters (ServerExtras.slots is 0); it serves those that it was started with"
            )
        if adapter.rank > self._extras.max_rank:
            raise AdapterRefused(
                f"{adapter.folder}: rank {adapter.rank}; the server takes at most {self._extras.max_rank}"
            )

    async def _unload(self, name: str) -> None:
        if name not in self._adapters:
            return
        self._adapters.forget(name)
        status, body = await self._tell("unload_lora_adapter", {"lora_name": name})
        if status >= 400 and status != 404:
            raise refusal(status, body, None)

    def _no_adapter(self, adapter: AdapterFiles, status: int, body: dict[str, Any]) -> Exception:
        """vLLM answers 500 for files that it cannot read."""
        if status != 500 and isinstance(error := refusal(status, body, None), GeneratorUnavailable):
            return error
        return AdapterRefused(
            f"{adapter.folder}: the server refuses it: {message_of(body) or f'HTTP {status}'}"
        )

    # -- the server -----------------------------------------------------------------------------------------------------

    async def _ask(self, request: CompletionRequest, body: bytes, call: "_Call") -> None:
        """Puts every piece but the last where it is waited for, and leaves that one in `call.ended`."""
        reading = Reading()
        headers = {"Content-Type": "application/json"}
        try:
            async with (
                self._places,
                self._opened.stream("POST", path_of(request), content=body, headers=headers) as response,
            ):
                if response.status_code >= 400:
                    # An adapter that it does not know: it was started anew, and forgot what it had loaded.
                    call.forgotten = response.status_code == 404
                    told = parsed(await response.aread())
                    raise refusal(response.status_code, told, request.adapter, self.facts.context_tokens)
                lines = response.aiter_lines()
                async for event in events(lines):
                    if (piece := reading.take(event)) is not None:
                        call.tokens += max(1, len(piece.token_ids))
                        call.arrived.put_nowait(piece)
                call.ended = reading.end()
                await _read_to_the_end(lines)
        except httpx.RequestError as error:
            raise GeneratorUnavailable(f"model server: {type(error).__name__}") from error

    async def _served(self) -> list[dict[str, Any]]:
        """The models that the server names."""
        status, body = await self._exchange("GET", "models")
        if status in (401, 403):
            raise ConfigurationError(f"PARLEY_OPENAI_KEY: the server refused it (HTTP {status})")
        models = body.get("data")
        if status == 404 or (status < 400 and not isinstance(models, list)):
            raise ConfigurationError(
                f"PARLEY_OPENAI_URL: no OpenAI-compatible server answers at {self._base_url}models (HTTP {status}); "
                "the address usually ends in /v1"
            )
        if status >= 400 or not isinstance(models, list):
            raise refusal(status, body, None)
        return [each for each in models if isinstance(each, dict)]

    def _own(self, served: list[dict[str, Any]]) -> dict[str, Any]:
        """What the server says of our model."""
        mine = next((each for each in served if each.get("id") == self._model), None)
        if mine is None:
            names = ", ".join(str(each.get("id")) for each in served[:NAMED]) or "none"
            raise ConfigurationError(
                f"PARLEY_OPENAI_MODEL: the server does not serve {self._model!r}; it serves: {names}"
            )
        return mine

    def _facts_of(self, mine: dict[str, Any]) -> EngineFacts:
        told = mine.get("max_model_len")  # vLLM's
        return EngineFacts(
            model=f"{self._model}@{self._revision}" if self._revision else self._model,
            context_tokens=self._context_tokens
            or (told if isinstance(told, int) else ASSUMED_CONTEXT_TOKENS),
            running=self._running,
            slots=self._extras.slots,
            held=self._extras.held,
            max_rank=self._extras.max_rank,
        )

    async def _tell(self, path: str, said: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Raises `ConfigurationError` where the server has no such door."""
        status, body = await self._exchange("POST", path, said)
        if status == 404 and body == {"detail": "Not Found"}:
            raise ConfigurationError(
                f"PARLEY_OPENAI_URL: the server has no {path}; it is to be vLLM, started with VLLM_ALLOW_RUNTIME_LORA_UPDATING=1"
            )
        return status, body

    async def _exchange(
        self, method: str, path: str, said: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        try:
            response = await self._opened.request(method, path, json=said)
        except httpx.RequestError as error:
            raise GeneratorUnavailable(f"model server: {type(error).__name__}") from error
        return response.status_code, parsed(response.content)

    @property
    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            raise EngineDied("the engine is closed")
        return self._client


async def _read_to_the_end(lines: AsyncIterator[str]) -> None:
    """A connection can be used again only where its response was read to the end. Nothing is lost with one that cannot."""
    with suppress(TimeoutError, httpx.RequestError):
        async with asyncio.timeout(END_S):
            async for _ in lines:
                pass


class _Call:
    """One completion under way: its task, and what of it has come."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Piece | None] = asyncio.Queue()
        self.ended: Piece | None = None
        self.tokens = 0
        self.forgotten = False
        self.task: asyncio.Future[None]
