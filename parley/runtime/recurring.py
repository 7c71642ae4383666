"""Work that is done again and again in a thread of its own, beside whatever the process is for."""

from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Self


class Recurring:
    """From entering it until leaving it: `work` after `first_after_s`, and then every `every_s`. An error that `work` raises ends it."""

    def __init__(self, name: str, work: Callable[[], None], *, first_after_s: float, every_s: float) -> None:
        self._work = work
        self._first_after_s = first_after_s
        self._every_s = every_s
        self._stop = Flag()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        wait_s = self._first_after_s
        while not self._stop.wait(wait_s):
            wait_s = self._every_s
            self._work()
