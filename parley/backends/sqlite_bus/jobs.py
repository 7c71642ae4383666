"""What the engine's thread is asked to do: write a record, or something else in a write transaction."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from parley.errors import ParleyError
from parley.ports.bus import Position, TopicPartition


@dataclass(eq=False, slots=True)
class Append:
    """A record to be written; its partition's number is known, its offset is not yet."""

    until_s: float
    partition: TopicPartition
    number: int
    row: tuple[int, bytes | None, bytes, bytes | None]
    future: Future[Position]


@dataclass(eq=False, slots=True)
class Call:
    """Something else. `durable`: must survive a power cut once it is answered."""

    until_s: float
    do: Callable[[sqlite3.Connection], Any]
    future: Future[Any]
    durable: bool
    group: str | None

    def answer(self, db: sqlite3.Connection) -> Any:
        """What it returns, or the error of ours that it raises before it has written anything."""
        try:
            return self.do(db)
        except ParleyError as error:
            return error


Job = Append | Call
