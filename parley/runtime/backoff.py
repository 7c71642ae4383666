"""How long to wait before the next try: doubling from a little to a bound, the same everywhere."""


class Backoff:
    """`next()` gives 0.1, 0.2, 0.4 … up to `most_s`; `reset()` begins again."""

    def __init__(self, first_s: float = 0.1, most_s: float = 2.0) -> None:
        self._first = first_s
        self._most = most_s
        self._wait = first_s

    def next(self) -> float:
        wait, self._wait = self._wait, min(self._most, self._wait * 2)
        return wait

    def reset(self) -> None:
        self._wait = self._first
