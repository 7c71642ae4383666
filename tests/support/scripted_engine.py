"""An engine that writes what a test says, when a test says so, and keeps count of what the worker asks of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from threading import Event as Flag

from parley.errors import AdapterRefused, EngineDied, UnknownAdapter
from parley.ports.engine import AdapterFiles, CompletionRequest, EngineFacts, Piece

SAYS = ("It costs €4", ".50 a month", " [1]. ", "Nothing else.")
LOOK_EVERY_S = 0.002

Say = Callable[[CompletionRequest], tuple[str, ...]]


class ScriptedEngine:
    """Implements `parley.ports.engine.Engine`. `broken` holds what was done to it that no engine may be asked for."""

    def __init__(self, say: Say = lambda request: SAYS, *, slots: int = 0, running: int = 64) -> None:
        self.say = say
        self.slots = slots
        self.running = running
        #: While it is clear, completions of messages (no probes) wait after their first piece.
        self.go_on = Flag()
        self.go_on.set()
        self.asked: list[CompletionRequest] = []
        self.loads: list[str] = []
        self.broken: list[str] = []
        #: Names of adapters that cannot be loaded, with the reason.
        self.refuses: dict[str, str] = {}
        self.starts = 0
        self.forgotten = 0
        self.most_at_once = 0
        self._dead = True
        self._held: set[str] = set()
        self._loading: set[str] = set()
        self._under_way: dict[str, str | None] = {}
        self._aborted: set[str] = set()

    @property
    def facts(self) -> EngineFacts:
        held = 4 * self.slots
        rank = 8 if self.slots else 0
        return EngineFacts("scripted@1", 4096, self.running, self.slots, held, rank, resumes=True)

    async def start(self) -> None:
        self.starts += 1
        self._held.clear()
        self._under_way.clear()
        self._dead = False

    def die(self) -> None:
        """From any thread: all that is under way is lost."""
        self._dead = True

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        self._begin(request)
        try:
            pieces, begun = self.say(request), len(request.written)
            for number, text in list(enumerate(pieces))[begun:]:
                await self._wait(request, held=number > begun and request.prompt_token_ids is None)
                if request.request_id in self._aborted:
                    yield Piece("", finish="abort", prompt_tokens=9, completion_tokens=number)
                    return
                last = number == len(pieces) - 1
                yield Piece(
                    text,
                    (number,),
                    finish="stop" if last else None,
                    prompt_tokens=9,
                    completion_tokens=number + 1,
                )
        finally:
            self._under_way.pop(request.request_id, None)

    def _begin(self, request: CompletionRequest) -> None:
        if self._dead:
            raise EngineDied("dead")
        if any(request.request_id == each.request_id for each in self.asked):
            self.broken.append(f"{request.request_id} was asked twice")
        if self.slots and request.adapter is not None and request.adapter not in self._held:
            raise UnknownAdapter(f"{request.adapter} is not loaded")
        self.asked.append(request)
        self._under_way[request.request_id] = request.adapter
        self.most_at_once = max(self.most_at_once, len(self._under_way))
        self._look()

    async def _wait(self, request: CompletionRequest, *, held: bool) -> None:
        await asyncio.sleep(0)
        while not self._dead and held and not self.go_on.is_set() and request.request_id not in self._aborted:
            await asyncio.sleep(LOOK_EVERY_S)
        if self._dead:
            raise EngineDied("dead")

    async def abort(self, request_id: str) -> None:
        self._aborted.add(request_id)

    async def load(self, adapter: AdapterFiles) -> None:
        if self._dead:
            raise EngineDied("dead")
        if adapter.name in self.refuses:
            raise AdapterRefused(f"{adapter.name}: {self.refuses[adapter.name]}")
        if self._loading:
            self.broken.append("two loads at once")
        self._loading.add(adapter.name)
        self._look()
        await asyncio.sleep(LOOK_EVERY_S)
        self._loading.discard(adapter.name)
        self._held.add(adapter.name)
        self.loads.append(adapter.name)

    async def unload(self, name: str) -> None:
        if name in self._under_way.values():
            self.broken.append(f"{name} was unloaded while it was decoding")
        self._held.discard(name)

    async def forget(self) -> bool:
        self.forgotten += 1
        return True

    async def close(self) -> None:
        self._dead = True

    def _look(self) -> None:
        """The invariant of slots."""
        active = {name for name in self._under_way.values() if name is not None} | self._loading
        if self.slots and len(active) > self.slots:
            self.broken.append(f"{len(active)} adapters on {self.slots} slots")
