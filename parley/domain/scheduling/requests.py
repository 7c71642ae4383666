"""What waits, and what a step decides about it. Times are seconds of one monotonic clock, whichever it is."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["busy", "deadline"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request that waits to be given to the engine. `id` is unique among those that wait or are in flight."""

    id: str
    tenant: str
    #: The name of an adapter (`tenant@digest`); None is the base model, which needs no slot.
    adapter: str | None
    #: 0 a person waits, 1 a human agent's draft, 2 batch work.
    priority: int
    arrived: float
    deadline: float
    #: An estimate will do.
    prompt_tokens: int
    #: The most that the output can have from here on.
    max_tokens: int
    #: How often it was suspended. Of equally old ones those that were begun go first.
    suspensions: int = 0


@dataclass(frozen=True, slots=True)
class Admit:
    """Give it to the engine. It is in flight until `finished` is told."""

    id: str


@dataclass(frozen=True, slots=True)
class Load:
    """Load the adapter and decode with it once, all under one lock; then tell `loaded` or `load_failed`.

    It may be one that the engine still holds, whose slot went to another: then this is only cheaper.
    """

    adapter: str


@dataclass(frozen=True, slots=True)
class Unload:
    """Take the adapter out of the engine, under the same lock; then tell `unloaded`."""

    adapter: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """`deadline`: it has passed. `busy`: it would pass before an answer that began now were complete."""

    id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Suspend:
    """Take it out of the engine, with what it has written so far; tell `finished`, then `add` what is left of it, as old as it was."""

    id: str


Action = Admit | Load | Unload | Refuse | Suspend
