"""A folder of which every file is imported as a finished call, or several. What was taken is moved to `done`, what cannot be read to `refused` with the
reason beside it. A file that is still being written is left until it has not changed for a while.

A process that ends between the log and the move finds the file again: the same call is known, and nothing is doubled.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

from connectors.calls.book import CallBook, CallRefused
from connectors.calls.formats import read
from connectors.calls.pacing import Pacer
from connectors.calls.transcript import MOST_BYTES, TranscriptRefused
from connectors.kit.channel import Doorway
from parley.errors import RecordTooLarge, TransientError, UnknownTenant
from parley.runtime.faults import describe
from schemas.base import TenantId

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
DONE, REFUSED = "done", "refused"

Seen = tuple[int, int]
"""Size in bytes, and when it changed last (nanoseconds)."""


class FolderWatch:
    """Implements `connectors.kit.discovery.Runs`. Files directly in the folder are `tenant`'s."""

    def __init__(
        self, name: str, opened: Doorway, folder: Path, tenant: str, *, every_s: float = LOOK_EVERY_S
    ) -> None:
        self.name = name
        self.ready = Flag()
        self._opened = opened
        self._folder = folder
        self._tenant = TenantId(tenant)
        self._every_s = every_s
        self._books: dict[TenantId, CallBook] = {}
        self._pacers: dict[TenantId, Pacer] = {}
        self._seen: dict[Path, Seen] = {}

    def run(self, stop: Flag) -> None:
        """Until `stop`. A file for which the log or the database is away stays, and is tried again."""
        self.ready.set()
        try:
            while not stop.is_set():
                try:
                    self.look(stop)
                except OSError as error:
                    log.error("%s: %s cannot be read: %s", self.name, self._folder, describe(error))
                stop.wait(self._every_s)
        finally:
            for book in self._books.values():
                book.close()

    def look(self, stop: Flag) -> None:
        """Once: import each file that has not changed since it was last looked at."""
        seen: dict[Path, Seen] = {}
        for path, tenant in self._files():
            if stop.is_set():
                return
            try:
                found = path.stat()
                seen[path] = (found.st_size, found.st_mtime_ns)
                if self._seen.get(path) == seen[path]:
                    self._import(path, tenant)
            except FileNotFoundError:  # another process was faster
                continue
        self._seen = seen

    def _files(self) -> Iterator[tuple[Path, TenantId]]:
        """By name. Hidden files are being copied, or none of ours; what is no plain file is not followed."""
        for path in sorted(self._folder.iterdir()):
            if path.name in (DONE, REFUSED) or path.name.startswith("."):
                continue
            if path.is_file() and not path.is_symlink():
                yield path, self._tenant
            elif path.is_dir() and not path.is_symlink():
                inside = (each for each in sorted(path.iterdir()) if not each.name.startswith("."))
                yield from (
                    (each, TenantId(path.name)) for each in inside if each.is_file() and not each.is_symlink()
                )

    def _import(self, path: Path, tenant: TenantId) -> None:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise TranscriptRefused(f"more than {MOST_BYTES:,} bytes; allowed: a transcript")
            calls = read(path.read_bytes())
            pacer = self._pacer(tenant)
            taken = [pacer.take(each) for each in calls]
        except (TranscriptRefused, CallRefused, UnknownTenant, RecordTooLarge) as error:
            self._refuse(path, str(error))
        except TransientError as error:
            log.warning("%s: a file waits: %s", self.name, error)
        else:
            self._move(path, DONE)
            log.info("%s: %d calls of tenant %s taken", self.name, len(taken), tenant)

    def _pacer(self, tenant: TenantId) -> Pacer:
        if tenant not in self._books:
            self._books[tenant] = CallBook(self._opened, tenant)
            self._pacers[tenant] = Pacer(self._books[tenant], self._opened.store)
        return self._pacers[tenant]

    def _refuse(self, path: Path, reason: str) -> None:
        moved = self._move(path, REFUSED)
        moved.with_name(f"{moved.name}.why.txt").write_text(f"{reason}\n", encoding="utf-8")
        log.warning(
            "%s: a file of %d bytes is refused; the reason lies beside it", self.name, moved.stat().st_size
        )

    def _move(self, path: Path, where: str) -> Path:
        """Beside the others of its fate, under a name that is still free."""
        folder = self._folder / where
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        os.replace(path, target)
        return target
