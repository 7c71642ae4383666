"""Fitted models in files of arrays: each whole or not at all, and read without running anything that stands in them."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

Model = TypeVar("Model")


def save(file: Path, arrays: "Mapping[str, NDArray[Any]]") -> None:
    """Write it whole or not at all. Raises OSError."""
    import numpy as np

    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as out:
        np.savez(out, **arrays)  # type: ignore[arg-type]  # its stub takes the arrays for its option
    part.replace(file)


def load(file: Path, made_of: "Callable[[Mapping[str, NDArray[Any]]], Model]") -> Model | None:
    """What is made of the file's arrays. None where there is no such file, or where it is damaged: `made_of` may raise ValueError or KeyError.

    After a power cut a file can be there and empty.
    """
    import numpy as np

    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as held:
            return made_of(held)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        log.warning("%s is damaged and made again: %s", file, type(error).__name__)
        return None
