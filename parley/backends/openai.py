"""The generator behind any OpenAI-compatible server: streaming chat completions over HTTP, with cancellation.

The server gets the tenant's instructions, its examples, the history, and the passages numbered as sources; it is asked to
name the sources it used as `[1]`, which are taken out of the text again and become citations.

The requests run in an event loop with a thread of its own, and only there: a request that is cancelled or late can be ended at any
point (connecting, waiting for the first word), which closes its connection, so that the server stops writing too.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import CancelledError
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import httpx

from parley.errors import ConfigurationError, GeneratorUnavailable, RequestRefused
from parley.ports.models import Completion, Prompt
from schemas.parts import Usage

SOURCE_MARK = re.compile(r"\s?\[(\d{1,2})\]")
OPEN_MARK = re.compile(r"\s?\[\d{0,2}$|\s$")
"""The end of a piece that might become a mark with the next one: held back until it is clear."""

NO_ANSWER = "NO_ANSWER"
RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
"""A server that is silent for so long may be asked again, if there is time left."""
LOOK_EVERY_S = 0.1
"""How soon a cancellation is seen while the server is silent."""
CLOSE_S = 5.0

RULES = {
    "en": f"Answer only from the sources. Keep every number, rate and date exactly as written there. After each sentence name "
    f"its source as [1]. Do not begin with yes or no. If the sources do not answer, write {NO_ANSWER} and nothing else.",
    "zh": f"只根据资料回答；数字、利率和日期必须与资料完全一致；每句话后用 [1] 的形式注明资料编号；"
    f"不要以“是”或“不是”开头。资料中没有答案时，只写 {NO_ANSWER}。",
}


class OpenAIGenerator:
    """Implements `parley.ports.models.Generator`; thread-safe."""

    def __init__(
        self, base_url: str, model: str, key: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        if not model:
            raise ConfigurationError(
                "PARLEY_OPENAI_MODEL: name the model that the server at PARLEY_OPENAI_URL serves"
            )
        self._model = model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers=headers,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=512, max_keepalive_connections=64),
            transport=transport,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="openai", daemon=True)
        self._thread.start()

    def generate(
        self,
        prompt: Prompt,
        *,
        on_text: Callable[[str], None],
        cancelled: Callable[[], bool],
        timeout_s: float,
    ) -> Completion | None:
        messages = messages_of(prompt)
        model = prompt.adapter or prompt.model or self._model
        body = {
            "model": model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": prompt.max_tokens,
            "temperature": 0.0,
            "seed": prompt.seed,
        }
        answer = Answer(on_text)
        with closing(self._events(body, cancelled, monotonic() + timeout_s)) as arriving:
            for event in arriving:
                answer.take(event)
        if cancelled():
            return None
        text = answer.finish()
        if not text:
            return None
        return Completion(
            text=text,
            cited=tuple(
                prompt.passages[n - 1].chunk_id for n in answer.marks if 1 <= n <= len(prompt.passages)
            ),
            model=model,
            adapter=prompt.adapter,
            prompt_hash=hashlib.sha256(json.dumps(messages, ensure_ascii=False).encode()).hexdigest(),
            usage=answer.usage,
            finish_reason="length" if answer.finish_reason == "length" else "stop",
        )

    def close(self) -> None:
        """Ends what is still under way. Idempotent."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        self._loop.close()

    def _events(
        self, body: dict[str, Any], cancelled: Callable[[], bool], until: float
    ) -> Generator[dict[str, Any], None, None]:
        """The server's events as they come; when cancelled, no more of them. Closing it ends the request."""
        arrived: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        call = asyncio.run_coroutine_threadsafe(self._ask(body, arrived.put), self._loop)
        call.add_done_callback(lambda _: arrived.put(None))
        try:
            while not cancelled():
                left_s = until - monotonic()
                if left_s <= 0:
                    raise GeneratorUnavailable("the model server ran past the deadline")
                try:
                    event = arrived.get(timeout=min(left_s, LOOK_EVERY_S))
                except Empty:
                    continue
                if event is None:
                    return call.result()
                yield event
        except CancelledError as error:
            raise GeneratorUnavailable("the generator was closed") from error
        finally:
            call.cancel()

    # -- in the event loop --------------------------------------------------------------------------------------------

    async def _ask(self, body: dict[str, Any], put: Callable[[dict[str, Any]], None]) -> None:
        """Raises `GeneratorUnavailable`, `RequestRefused`."""
        try:
            async with self._client.stream("POST", "chat/completions", json=body) as response:
                check(response)
                async for event in events(response):
                    put(event)
        except httpx.RequestError as error:
            raise GeneratorUnavailable(f"model server: {type(error).__name__}") from error

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()


def check(response: httpx.Response) -> None:
    """Raises `GeneratorUnavailable` for a status that may pass, `RequestRefused` for one that will not."""
    if response.status_code in RETRY_STATUS:
        raise GeneratorUnavailable(f"model server: HTTP {response.status_code}")
    if response.status_code >= 400:
        raise RequestRefused(f"model server: HTTP {response.status_code}")


class Answer:
    """Collects a stream: passes text on without the source marks, and remembers those."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._held = ""
        self._parts: list[str] = []
        self.marks: list[int] = []
        self.usage = Usage()
        self.finish_reason = "stop"

    def take(self, event: dict[str, Any]) -> None:
        if usage := event.get("usage"):
            self.usage = Usage(
                prompt_tokens=usage.get("prompt_tokens") or 0,
                completion_tokens=usage.get("completion_tokens") or 0,
            )
        for choice in event.get("choices") or ():
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            piece = (choice.get("delta") or {}).get("content")
            if piece:
                self._held += piece
                if not self._may_deny():
                    self._release(OPEN_MARK.search(self._held))

    def finish(self) -> str:
        """The whole text; what says that there is no answer was never passed on."""
        if not self._parts and self._held.strip().startswith(NO_ANSWER):
            return ""
        self._release(None)
        return "".join(self._parts).strip()

    def _may_deny(self) -> bool:
        """Could what is held still turn out to say that there is no answer?"""
        begun = self._held.strip()
        return not self._parts and (NO_ANSWER.startswith(begun) or begun.startswith(NO_ANSWER))

    def _release(self, unclear: re.Match[str] | None) -> None:
        end = unclear.start() if unclear is not None else len(self._held)
        ready, self._held = self._held[:end], self._held[end:]
        text = SOURCE_MARK.sub(self._note, ready)
        if text:
            self._parts.append(text)
            self._on_text(text)

    def _note(self, match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in self.marks:
            self.marks.append(number)
        return ""


async def events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The server-sent events of a completion. Raises `GeneratorUnavailable` for what is not one."""
    async for line in response.aiter_lines():
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        try:
            event = json.loads(data)
        except ValueError as error:
            raise GeneratorUnavailable("model server: an event that is not JSON") from error
        if isinstance(event, dict):
            if "error" in event:
                raise GeneratorUnavailable("model server: an error in the stream")
            yield event


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """System, examples, history, and the question below its numbered sources."""
    rules = RULES.get(prompt.language, RULES["en"])
    messages = [{"role": "system", "content": f"{prompt.system}\n\n{rules}"}]
    for question, answer in prompt.examples:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    for turn in prompt.history:
        messages.append({"role": "user" if turn.speaker == "customer" else "assistant", "content": turn.text})
    sources = "\n\n".join(
        f"[{number}] {' › '.join((passage.title, *passage.path))}\n{passage.text}"
        for number, passage in enumerate(prompt.passages, start=1)
    )
    messages.append({"role": "user", "content": f"<sources>\n{sources}\n</sources>\n\n{prompt.question}"})
    return messages
