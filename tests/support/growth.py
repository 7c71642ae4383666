"""Whether work grows in step with its text, measured as a ratio, since a machine's own speed is nobody's fault."""

import time
from collections.abc import Callable

SHORT, LONG = 500, 4_000
IN_STEP = LONG / SHORT
SQUARED = IN_STEP * IN_STEP
NOTICED_S = 0.1


def growth(run: Callable[[str], object], piece: str, *, tail: str = "", scale: int = 1) -> float:
    """How many times as long `LONG` characters of a repeated piece take as `SHORT` ones: about `IN_STEP`, or `SQUARED` where the
    work grows with the square. Both are `scale` times as long, and end in `tail`.
    """
    short, long = (repeated(piece, scale * length) + tail for length in (SHORT, LONG))
    return _fastest(run, long, 3) / _fastest(run, short, 7)


def repeated(piece: str, length: int) -> str:
    """Whole pieces: half of one may be what some rule looks for, and be there in one text alone."""
    return piece * max(1, length // len(piece))


def out_of_step(run: Callable[[str], object], piece: str, tail: str, scale: int) -> bool:
    """Whether the work for a repeated piece grows out of step with it. What is done at once is not measured twice."""
    at_once = _fastest(run, repeated(piece, scale * LONG) + tail, 1) < NOTICED_S
    return not at_once and growth(run, piece, tail=tail, scale=scale) > SQUARED / 2


def _fastest(run: Callable[[str], object], text: str, times: int) -> float:
    def once() -> float:
        began = time.process_time()
        run(text)
        return time.process_time() - began

    return max(1e-5, min(once() for _ in range(times)))
