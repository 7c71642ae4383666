"""The text files of a folder: which there are, and what each one holds. What cannot be read is one line: file, line, reason."""

import os
import re
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MAX_BYTES = 1_048_576
MAX_FILES = 10_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def shown(path: Path, root: Path) -> str:
    """The file's name for people, from the root folder's own name on."""
    name = "/".join((root.name, *path.relative_to(root).parts))
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def listed(root: Path, problems: list[str]) -> list[Path]:
    """All files below the folder, sorted; hidden ones are left out, and what no one would look into is told."""
    found = list(islice(_walked(root, problems), MAX_FILES + 1))
    if len(found) > MAX_FILES:
        problems.append(
            f"{root.name}:1: file: holds more than {MAX_FILES} files; the others were not looked at"
        )
    return sorted(found[:MAX_FILES])


def read(path: Path, root: Path, problems: list[str]) -> str | None:
    """A file's text, its byte order mark gone and its lines ended by LF alone; or None with the reason noted."""
    text = _read(path)
    if isinstance(text, str):
        return text
    line, reason = text
    problems.append(f"{shown(path, root)}:{line}: file: {reason}")
    return None


def _walked(root: Path, problems: list[str]) -> Iterator[Path]:
    def unread(error: OSError) -> None:
        problems.append(f"{shown(Path(error.filename), root)}:1: file: {_reason(error)}")

    for at, folders, files in os.walk(root, onerror=unread):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for linked in (Path(at, name) for name in folders if Path(at, name).is_symlink()):
            problems.append(f"{shown(linked, root)}:1: file: a link to a folder, which is not followed")
        yield from (Path(at, name) for name in files if not name.startswith("."))


def _read(path: Path) -> str | tuple[int, str]:
    """The text, or the line and the reason."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return 1, "no file that can be read"
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return 1, _reason(error)
    if len(data) > MAX_BYTES:
        return 1, f"larger than {MAX_BYTES // 1024} KiB"
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1, "not UTF-8"
    control = _CONTROL.search(text)
    if control is not None:
        return text.count(
            "\n", 0, control.start()
        ) + 1, f"holds a control character (U+{ord(control[0]):04X})"
    return text


def _reason(error: OSError) -> str:
    return "missing" if isinstance(error, FileNotFoundError) else (error.strerror or "cannot be read").lower()
