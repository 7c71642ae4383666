"""From scores to probabilities that can be believed: what is said with 0.7 is right in seven of ten cases.

One number does it, the sharpness, by which scores are multiplied before the softmax: chosen on texts that the scores were not fitted on
(C. Guo et al., "On Calibration of Modern Neural Networks", 2017, call its inverse the temperature).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SHARPNESSES = tuple(1.25**power for power in range(-4, 26))


def squash(scores: "Floats", sharpness: float, level: float | None = None) -> "Floats":
    """(texts, intents): rows that add up to 1; with a `level` each intent has a probability of its own, 0.5 where it scores that."""
    import numpy as np

    if level is not None:
        # exp of 80 is the most that float32 can hold, about
        one = np.float32(1)
        found: Floats = one / (one + np.exp(np.clip(-sharpness * (scores - level), -80, 80)))
        return found
    shifted = np.exp(sharpness * (scores - scores.max(axis=1, keepdims=True)))
    found = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def sharpness_of(scores: "Floats", targets: "Floats", level: float | None = None) -> float:
    """The sharpness under which what was said (`targets`, 0 or 1) is least surprising. Both are (texts, intents).

    As if there had been one more text with an intent drawn by lot: a few texts that all come out right do not make sure.
    """
    import numpy as np

    def surprise(sharpness: float) -> float:
        likely = np.clip(squash(scores, sharpness, level), 1e-7, 1 - 1e-7)
        if level is None:
            by_lot = -np.log(likely).mean() / len(scores)
            return float(-np.log((likely * targets).sum(axis=1).clip(1e-7)).mean() + by_lot)
        return float(-(targets * np.log(likely) + (1 - targets) * np.log(1 - likely)).mean())

    return min(SHARPNESSES, key=surprise)
