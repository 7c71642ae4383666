"""The engine port: a language model that completes prompts, many at once, each by the base model or by one LoRA adapter.

Everything is called from one event loop, and nothing blocks it for long. One contract suite (`tests/contract/test_engine_*.py`) holds
every backend to this:

- The pieces of a completion add up to its text; the last one, and only that, has `finish`. Greedy completions are the model's own.
- `abort` ends a completion, waiting or running, as soon as the engine's next step: its last piece says `abort`. A generator that is
  closed early is aborted too. Aborting what is over or unknown does nothing.
- A refused request leaves the engine as it was. `EngineDied` means that every completion under way is lost; `start` makes the
  engine anew, without adapters.
- An adapter's name stands for one immutable content for as long as the engine lives. `load` returns once the engine can decode with it.
- **Slots are the caller's care**: distinct adapters with a completion under way, plus one being loaded, may never exceed
  `facts.slots`; what was loaded beyond that stays with the engine (`facts.held` of them) without a slot.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from parley.domain.prompting import ChatMessage as ChatMessage

Finish = Literal["stop", "length", "abort"]


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """`request_id` is unique for the life of the engine. The prompt is `messages`, by the model's chat template, unless
    `prompt_token_ids` are given.
    """

    request_id: str
    messages: tuple[ChatMessage, ...] = ()
    prompt_token_ids: tuple[int, ...] | None = None
    #: Of the whole completion, `written` among them.
    max_tokens: int = 400
    #: Where `facts.resumes`: tokens of this completion from an earlier request that was aborted; it goes on after them. Not with `stop`.
    written: tuple[int, ...] = ()
    #: The name of a loaded adapter; None is the base model.
    adapter: str | None = None
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int | None = None
    #: Requests share cached prompt beginnings only with those of the same salt: one a tenant.
    cache_salt: str = ""
    #: Lower goes first, where the engine itself has to choose.
    priority: int = 0
    #: Whether pieces tell the log-probability of each token.
    logprobs: bool = False
    #: Never end before `max_tokens`: for measuring.
    ignore_eos: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What was written since the piece before. An engine that does not tell token ids leaves them empty."""

    text: str
    token_ids: tuple[int, ...] = ()
    #: Natural logarithms, one a token, where they were asked for.
    logprobs: tuple[float, ...] = ()
    finish: Finish | None = None
    #: Of the whole completion, `written` among it, in the last piece.
    prompt_tokens: int = 0
    completion_tokens: int = 0
    #: In the first piece: so many tokens at the end of `CompletionRequest.written`, half a character, are written anew from here on.
    rewritten: int = 0


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """One version of a tenant's LoRA adapter in a local folder that never changes (`adapter_config.json`, `adapter_model.safetensors`).

    `name` is `tenant@digest`; two versions, and two contents, never share one.
    """

    name: str
    folder: Path
    rank: int


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What a started engine is. `slots` 0: it loads no adapters itself (a server may know adapters by name all the same)."""

    #: Name and revision, as every answer carries them: `name@revision`.
    model: str
    #: Tokens that prompt and completion may have together.
    context_tokens: int
    #: Completions that the engine runs at once.
    running: int
    #: Adapters that can decode at once.
    slots: int = 0
    #: Adapters that the engine keeps, those in slots among them; at least slots + 1.
    held: int = 0
    max_rank: int = 0
    #: Whether an aborted completion can go on later at little cost (`CompletionRequest.written`).
    resumes: bool = False


class Engine(Protocol):
    """Raises `EngineDied`, `RequestRefused` (`PromptTooLong`, `UnknownAdapter`) and `GeneratorUnavailable` (a server that is away)."""

    @property
    def facts(self) -> EngineFacts:
        """Known once `start` has returned."""

    async def start(self) -> None:
        """Load the model. Raises `ConfigurationError` for a model that cannot run here, saying what would fit."""

    def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]: ...

    async def abort(self, request_id: str) -> None: ...

    async def load(self, adapter: AdapterFiles) -> None:
        """Returns at once for a name that is held; whoever stops waiting for it does not stop it. Raises `AdapterRefused` for files that cannot be loaded; the engine lives on."""

    async def unload(self, name: str) -> None:
        """Nothing may be under way with it. Its files may go afterwards. Nothing happens for a name that is not held."""

    async def forget(self) -> bool:
        """Let go of what is kept of prompts that are over; False where that is not possible just now. Called again and again, since texts must
        not stay.
        """

    async def close(self) -> None:
        """Idempotent; what is under way ends as `EngineDied`."""
