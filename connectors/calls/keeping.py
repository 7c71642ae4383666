"""How long files lie in the folder after their import. They hold what the platform masks and seals: no erasure reaches them but by their age."""

import logging
import os
from pathlib import Path

from parley.runtime.faults import describe

log = logging.getLogger(__name__)


def forget_old(folder: Path, before_s: float) -> int:
    """Delete the files of a folder that were moved into it before this time (Unix seconds); returns how many."""
    deleted = 0
    try:
        with os.scandir(folder) as entries:
            old = [
                each.path
                for each in entries
                # Moving a file changes this time, and leaves that of its content as it was.
                if each.is_file(follow_symlinks=False)
                and each.stat(follow_symlinks=False).st_ctime < before_s
            ]
    except FileNotFoundError:
        return 0
    for path in old:
        try:
            os.unlink(path)
            deleted += 1
        except FileNotFoundError:  # another process was faster
            continue
        except OSError as error:
            log.error("calls: a file of %s is not deleted: %s", folder.name, describe(error))
    return deleted
