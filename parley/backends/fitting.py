"""Fitting in a process of its own: what a fit takes (SciPy, and its matrices) is more than all that the platform keeps, and nothing needs it
afterwards.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

log = logging.getLogger(__name__)


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
