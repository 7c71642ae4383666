"""A folder of which every file is imported as a finished call, or several. A file of which every call was taken is moved to `done`, any other to
`refused`, with the reasons beside it; what else a file has and cannot be read is told beside it, too. One that is still being written is left
until it has not changed for a while.

A process that ends between the log and the move finds the file again: the same call is known, and nothing is doubled. No file keeps the others
back: one that cannot be moved is tried again later. Names of files are not logged, for they may be names of customers.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from threading import Event as Flag
from time import monotonic

from connectors.calls.book import CallBook, Taken
from connectors.calls.formats import read
from connectors.calls.keeping import forget_old
from connectors.calls.pacing import OnTheirWay, Pacer
from connectors.calls.taking import Refused, signatures, take_each
from connectors.calls.transcript import TranscriptRefused, whole
from connectors.calls.vcon.trusted import trusted
from connectors.kit.channel import Doorway
from parley.errors import ConfigurationError, TransientError, UnknownTenant
from schemas.base import TenantId

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
AGAIN_AFTER_S = 60.0
"""After which a file is tried again that could not be moved."""
TIDY_EVERY_S = 3_600.0
DONE, REFUSED = "done", "refused"
WHY = ".why.txt"
NOTES = ".notes.txt"
MOST_NAME_BYTES = 255
"""Of a file's name, on every file system there is."""

Seen = tuple[int, int]
"""Size in bytes, and when it changed last (nanoseconds)."""


class FolderWatch:
    """Implements `connectors.kit.discovery.Runs`. Files directly in the folder are `tenant`'s; without `keep_days` what was moved is kept."""

    def __init__(
        self,
        name: str,
        opened: Doorway,
        folder: Path,
        tenant: str,
        *,
        keep_days: float = 0.0,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self.name = name
        self.ready = Flag()
        self._opened = opened
        self._folder = folder
        self._tenant = TenantId(tenant)
        self._keep_s = keep_days * 86_400
        self._tidied_at = -TIDY_EVERY_S
        self._every_s = every_s
        self._books: dict[TenantId, CallBook] = {}
        self._pacers: dict[TenantId, Pacer] = {}
        self._seen: dict[Path, Seen] = {}
        self._not_before: dict[Path, float] = {}

    def run(self, stop: Flag) -> None:
        """Until `stop`. A file for which the log or the database is away stays, and is tried again."""
        self.ready.set()
        try:
            while not stop.is_set():
                self.look(stop)
                self.tidy()
                stop.wait(self._every_s)
        finally:
            for book in self._books.values():
                book.close()

    def look(self, stop: Flag) -> None:
        """Once: import each file that has not changed since it was last looked at."""
        seen: dict[Path, Seen] = {}
        for path, tenant in self._files():
            if stop.is_set():
                break
            try:
                found = path.stat()
                seen[path] = (found.st_size, found.st_mtime_ns)
                if self._seen.get(path) == seen[path] and monotonic() >= self._not_before.get(path, 0.0):
                    self._import(path, tenant)
            except FileNotFoundError:  # another process was faster
                continue
            except OSError as error:
                self._not_before[path] = monotonic() + AGAIN_AFTER_S
                log.error("%s: %s stays where it is: %s", self.name, _anonymous(path), error.strerror)
        self._seen = seen
        self._not_before = {path: at for path, at in self._not_before.items() if path in seen}

    def tidy(self) -> None:
        """Delete what was moved so long ago; once an hour."""
        if not self._keep_s or monotonic() - self._tidied_at < TIDY_EVERY_S:
            return
        self._tidied_at = monotonic()
        before = self._opened.clock.now().timestamp() - self._keep_s
        deleted = sum(forget_old(self._folder / each, before) for each in (DONE, REFUSED))
        if deleted:
            log.info(
                "%s: %d files are deleted, %g days after their import",
                self.name,
                deleted,
                self._keep_s / 86_400,
            )

    def _files(self) -> Iterator[tuple[Path, TenantId]]:
        """By name. Hidden files are being copied, or none of ours; what is no plain file is not followed."""
        files, folders = self._within(self._folder)
        ours = (DONE, REFUSED)
        yield from ((path, self._tenant) for path in files if path.name not in ours)
        for folder in folders:
            if folder.name not in ours:
                yield from ((path, TenantId(folder.name)) for path in self._within(folder)[0])

    def _within(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Its files and its folders."""
        try:
            with os.scandir(folder) as entries:
                there = sorted(
                    (each for each in entries if not each.name.startswith(".")), key=lambda each: each.name
                )
                return (
                    [Path(each.path) for each in there if each.is_file(follow_symlinks=False)],
                    [Path(each.path) for each in there if each.is_dir(follow_symlinks=False)],
                )
        except OSError as error:
            log.error("%s: a folder cannot be read: %s", self.name, error.strerror)
            return [], []

    def _import(self, path: Path, tenant: TenantId) -> None:
        """Raises `OSError` where the file cannot be moved, or is gone."""
        try:
            calls = read(_bytes(path), trust=trusted(self._opened.settings, tenant))
            taken = take_each(self._pacer(tenant), calls)
        except ConfigurationError as error:
            self._not_before[path] = monotonic() + AGAIN_AFTER_S
            log.error("%s: %s waits: %s", self.name, _anonymous(path), error)
        except TransientError as error:
            log.warning("%s: a file waits: %s", self.name, error)
        except (TranscriptRefused, UnknownTenant) as error:
            self._refuse(path, [str(error)])
        except FileNotFoundError:
            raise
        except Exception as error:  # whatever it is, the other files are not to wait for it
            kind = type(error).__name__
            log.error("%s: %s cannot be taken: %s", self.name, _anonymous(path), kind)
            self._refuse(
                path, [f"cannot be taken ({kind}): a fault of the platform's, or a file that nobody foresaw"]
            )
        else:
            self._settle(path, taken)

    def _settle(self, path: Path, taken: list[Taken | Refused]) -> None:
        numbered = list(enumerate(taken, 1))
        reasons = [f"call {number}: {each.reason}" for number, each in numbered if isinstance(each, Refused)]
        calls = ((number, each) for number, each in numbered if isinstance(each, Taken))
        notes = [f"call {number}: {note}" for number, each in calls for note in each.notes]
        log.info(
            "%s: %d calls of a file taken, %d refused; signatures: %s",
            self.name,
            len(taken) - len(reasons),
            len(reasons),
            signatures(taken),
        )
        if reasons:
            self._refuse(path, [*reasons, *notes])
        else:
            moved = self._move(path, DONE)
            if notes:
                log.warning(
                    "%s: %s has more than was read; what, lies beside it", self.name, _anonymous(moved)
                )
                self._write(moved, NOTES, notes)

    def _pacer(self, tenant: TenantId) -> Pacer:
        if tenant not in self._books:
            self._books[tenant] = CallBook(self._opened, tenant)
            self._pacers[tenant] = Pacer(self._books[tenant], OnTheirWay(self._opened.store))
        return self._pacers[tenant]

    def _refuse(self, path: Path, reasons: Iterable[str]) -> None:
        """Raises `OSError`."""
        moved = self._move(path, REFUSED)
        log.warning("%s: %s is refused; the reason lies beside it", self.name, _anonymous(moved))
        self._write(moved, WHY, reasons)

    def _write(self, moved: Path, end: str, lines: Iterable[str]) -> None:
        try:
            _free(moved.parent, moved.name, end).write_text("\n".join([*lines, ""]), encoding="utf-8")
        except OSError as error:
            log.error("%s: the reason cannot be written: %s", self.name, error.strerror)

    def _move(self, path: Path, where: str) -> Path:
        """Beside the others of its fate, under a name that is still free. Raises `OSError`."""
        folder = self._folder / where
        folder.mkdir(exist_ok=True)
        target = _free(folder, path.stem, path.suffix)
        os.replace(path, target)
        return target


def _bytes(path: Path) -> bytes:
    """Raises `TranscriptRefused`, `FileNotFoundError`."""
    try:
        with path.open("rb") as file:
            return whole(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TranscriptRefused(f"cannot be read ({error.strerror})") from error


def _free(folder: Path, stem: str, suffix: str) -> Path:
    """A path in the folder that nothing has yet."""
    ends = (suffix if number == 1 else f"-{number}{suffix}" for number in count(1))
    return next(path for end in ends if not (path := folder / _short(stem, end)).exists())


def _short(stem: str, end: str) -> str:
    """A name with as much of the stem as a file system takes."""
    room = max(0, MOST_NAME_BYTES - len(os.fsencode(end)))
    return os.fsencode(stem)[:room].decode(errors="ignore") + end


def _anonymous(path: Path) -> str:
    """A file as it may be logged: the same name by the same few letters."""
    letters = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]
    try:
        return f"a file of {path.stat().st_size:,} bytes ({letters})"
    except OSError:
        return f"a file ({letters})"
