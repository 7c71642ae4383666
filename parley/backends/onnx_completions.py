"""Completions under way in `parley.backends.onnx_engine`: who runs, what the next pass computes, and what comes of it.

A `Batch` belongs to the event loop. A `Planned` pass is computed in a thread and touches only the decoder and the completions' own dice.
"""

import asyncio
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from parley.backends.chat_tokenizer import TextStream
from parley.backends.onnx_decoder import OnnxDecoder
from parley.domain.stopping import Stopping
from parley.errors import RequestRefused
from parley.ports.engine import CompletionRequest, Finish, Piece

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

READ_AT_ONCE = 128
"""Tokens of a prompt that one pass reads: so long do the others wait for their next token."""


class Died(NamedTuple):
    """Instead of a piece: the engine ended first."""

    reason: str
    error: Exception | None = None


class Written(NamedTuple):
    token: int
    logprob: float


class Completion:
    """One request on its way: first its prompt is read, then it is written, a token a pass."""

    def __init__(
        self, request: CompletionRequest, prompt: list[int], context_tokens: int, stream: TextStream
    ) -> None:
        import numpy as np

        self.request = request
        self.prompt = prompt
        self.arrived: asyncio.Queue[Piece | Died] = asyncio.Queue()
        self.row: int | None = None
        #: Tokens of the prompt that were read.
        self.read = 0
        self.last: int | None = None
        self.over = False
        self._most = min(request.max_tokens, context_tokens - len(prompt))
        self._written = 0
        self._stream = stream
        self._stopping = Stopping(request.stop)
        self._dice = np.random.default_rng(request.seed)

    @property
    def unread(self) -> list[int]:
        """The next part of the prompt; empty once it is read."""
        return self.prompt[self.read : self.read + READ_AT_ONCE]

    def choose(self, logits: "NDArray[float32]") -> Written:
        """The likeliest token, or one by its probability at the request's temperature (Gumbel's trick: the largest of logits with noise)."""
        import numpy as np

        if self.request.temperature > 0:
            noisy = logits / self.request.temperature + self._dice.gumbel(size=logits.shape)
            token = int(noisy.argmax())
        else:
            token = int(logits.argmax())
        if not self.request.logprobs:
            return Written(token, 0.0)
        highest = logits.max()
        return Written(token, float(logits[token] - highest - np.log(np.exp(logits - highest).sum())))

    def take(self, written: Written, end_tokens: frozenset[int]) -> None:
        """Make the piece of a token that was written."""
        self.last = written.token
        self._written += 1
        ended = written.token in end_tokens and not self.request.ignore_eos
        text = "" if ended else self._stopping.take(self._stream.take(written.token))
        finish: Finish | None = None
        if ended or self._stopping.stopped:
            finish = "stop"
        elif self._written >= self._most:
            finish = "length"
        logprobs = (written.logprob,) if self.request.logprobs else ()
        self._put(text, (written.token,), logprobs, finish)

    def abort(self) -> None:
        self._put("", (), (), "abort")

    def _put(
        self, text: str, tokens: tuple[int, ...], logprobs: tuple[float, ...], finish: Finish | None
    ) -> None:
        if finish is None:
            self.arrived.put_nowait(Piece(text, tokens, logprobs))
            return
        self.over = True
        text += self._stopping.finish()
        self.arrived.put_nowait(Piece(text, tokens, logprobs, finish, len(self.prompt), self._written))


@dataclass
class Planned:
    """One pass: part of a prompt, and a token for each completion that is being written."""

    decoder: OnnxDecoder
    reading: Completion | None
    writing: dict[str | None, list[Completion]]
    #: Completions whose row may be used again before anything else happens.
    cleared: list[int] = field(default_factory=list)

    def compute(self) -> list[tuple[Completion, Written]]:
        for row in self.cleared:
            self.decoder.clear(row)
        return [*self._write(), *self._read()]

    def _write(self) -> Iterable[tuple[Completion, Written]]:
        for adapter, completions in self.writing.items():
            logits = self.decoder.write({_row(each): _last(each) for each in completions}, adapter)
            for completion, each in zip(completions, logits, strict=True):
                yield completion, completion.choose(each)

    def _read(self) -> Iterable[tuple[Completion, Written]]:
        if (completion := self.reading) is None:
            return
        part = completion.unread
        logits = self.decoder.read(_row(completion), part, completion.request.adapter)
        completion.read += len(part)
        if not completion.unread:
            yield completion, completion.choose(logits)


class Batch:
    """The completions that run, each in a row of the decoder, and those that wait for one."""

    def __init__(self, decoder: OnnxDecoder, rows: int) -> None:
        self._decoder = decoder
        self._free = list(range(rows))
        self._cleared: list[int] = []
        self._known: dict[str, Completion] = {}
        self._waiting: list[tuple[int, int, Completion]] = []
        self._running: list[Completion] = []
        self._number = count()
        self._wake = asyncio.Event()

    def add(self, completion: Completion) -> None:
        request = completion.request
        if request.request_id in self._known:
            raise RequestRefused(f"request id {request.request_id}: it is under way already")
        self._known[request.request_id] = completion
        heapq.heappush(self._waiting, (request.priority, next(self._number), completion))
        self._wake.set()

    def abort_by_id(self, request_id: str) -> None:
        if (completion := self._known.get(request_id)) is not None:
            self.abort(completion)

    def abort(self, completion: Completion) -> None:
        """Its row is free again once the pass that may be using it is over."""
        if not completion.over:
            completion.abort()
        if self._known.get(completion.request.request_id) is completion:
            del self._known[completion.request.request_id]

    async def wanted(self) -> None:
        """Returns when there is something to compute."""
        while not self._sift():
            self._wake.clear()
            await self._wake.wait()

    def plan(self) -> Planned:
        writing: dict[str | None, list[Completion]] = {}
        for completion in self._running:
            if not completion.unread:
                writing.setdefault(completion.request.adapter, []).append(completion)
        reading = next((each for each in self._running if each.unread), None)
        cleared, self._cleared = self._cleared, []
        return Planned(self._decoder, reading, writing, cleared)

    def deliver(self, planned: Planned, written: Iterable[tuple[Completion, Written]]) -> None:
        """What was aborted while the pass was computed gets nothing more."""
        for completion, each in written:
            if not completion.over:
                completion.take(each, planned.decoder.end_tokens)

    def die(self, died: Died) -> None:
        for completion in list(self._known.values()):
            if not completion.over:
                completion.over = True
                completion.arrived.put_nowait(died)
        self._known.clear()

    def _sift(self) -> bool:
        """Let go of what is over, and give its rows to those that waited; whether anything runs."""
        for completion in [each for each in self._running if each.over]:
            self._running.remove(completion)
            heapq.heappush(self._free, _row(completion))
        while self._free and self._waiting:
            _, _, completion = heapq.heappop(self._waiting)
            if not completion.over:
                completion.row = heapq.heappop(self._free)
                self._cleared.append(completion.row)
                self._running.append(completion)
        return bool(self._running)


def _row(completion: Completion) -> int:
    assert completion.row is not None, "only what runs is computed"
    return completion.row


def _last(completion: Completion) -> int:
    assert completion.last is not None, "what is written was read to its end, and then has a last token"
    return completion.last
