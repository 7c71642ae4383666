"""Files with secrets that more people than their owner can get at: said when a process starts, by name and mode, never with anything of what is in them."""

import logging
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from parley.settings import Settings

log = logging.getLogger(__name__)

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def warn_of_open_files(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """The platform's own secret, and what settings named `PARLEY_…_FILE` stand for: such hold secrets, whichever part of the platform reads them.
    One that is not there is for its reader to say.
    """
    for name, path in _files(settings, environ):
        try:
            found = path.expanduser().stat()
        except (OSError, RuntimeError):  # a `~` of nobody's
            continue
        mode = stat.S_IMODE(found.st_mode)
        if os.name == "posix" and stat.S_ISREG(found.st_mode) and mode & OTHERS:
            log.warning(
                "%s: %s holds secrets, and others than its owner can get at it (mode %04o); allowed: its owner alone, as after chmod 600",
                name,
                path,
                mode,
            )


def _files(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if not settings.secret:
        yield "PARLEY_HOME", settings.home / "secret"
    for name, value in sorted(environ.items()):
        if name.startswith("PARLEY_") and name.endswith("_FILE") and value:
            yield name, Path(value)
