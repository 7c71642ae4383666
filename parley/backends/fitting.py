"""Fitting in a process of its own: what a fit takes (SciPy, and its matrices) is more than all that the platform keeps, and nothing needs it
afterwards.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

M = TypeVar("M")


def apart(fit: Callable[..., None], *arguments: object) -> bool:
    """Call `fit`, a module's function that leaves its result in a file, with arguments that can be pickled.

    False where that does not work out (a folder that cannot be written, a system without room for a process). Raises what `fit` raises else.
    """
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(fit, *arguments).result()
    except (OSError, BrokenProcessPool) as error:
        log.warning("the intent model could not be kept (%s); the next start fits it again", error)
        return False
    return True


def kept_or_fitted(
    file: Path | None,
    load: Callable[[Path], M | None],
    fit_into: Callable[..., None],
    fit: Callable[..., M],
    *arguments: object,
) -> M:
    """The model that `file` holds; else one fitted on the arguments, apart and into the file where that works out."""
    if file is None:
        return fit(*arguments)
    kept = load(file)
    if kept is None and apart(fit_into, *arguments, file):
        kept = load(file)
    return kept if kept is not None else fit(*arguments)
