"""Whether work grows in step with its text, measured as a ratio, since a machine's own speed is nobody's fault."""

import time
from collections.abc import Callable

SHORT, LONG = 500, 4_000
IN_STEP = LONG / SHORT
SQUARED = IN_STEP * IN_STEP


def growth(run: Callable[[str], object], piece: str) -> float:
    """How many times as long `LONG` characters of a repeated piece take as `SHORT` ones: about `IN_STEP`, or `SQUARED` where the
    work grows with the square.
    """
    # Whole pieces: half of one may be what some rule looks for, and be there in one text alone.
    short, long = (piece * max(1, length // len(piece)) for length in (SHORT, LONG))
    return _fastest(run, long, 3) / _fastest(run, short, 7)


def _fastest(run: Callable[[str], object], text: str, times: int) -> float:
    def once() -> float:
        began = time.process_time()
        run(text)
        return time.process_time() - began

    return max(1e-5, min(once() for _ in range(times)))
