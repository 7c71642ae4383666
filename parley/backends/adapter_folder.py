"""Adapters in local folders: read without trusting them, and never through pickle.

The rules are `parley.domain.adapters`'; here are the files. Links, folders within the folder and anything else than plain files are refused
before they are opened, so that a folder cannot lead elsewhere.
"""

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from parley.backends.finite_weights import check_finite
from parley.domain.adapter_config import MAX_RANK, AdapterConfig, read_config
from parley.domain.adapters import (
    CONFIG,
    MAX_BYTES,
    PROBES,
    WEIGHTS,
    AdapterFacts,
    check_names,
    check_weights,
    digest_of,
)
from parley.domain.base_model import BaseShapes
from parley.domain.probing import probes_in
from parley.domain.tensor_header import PREFIX_BYTES, header_length, tensors_of
from parley.errors import AdapterRefused, AdapterUnreadable

AT_ONCE = 1024 * 1024
"""Bytes that are copied at once."""


def read_folder(folder: Path, base: BaseShapes, *, max_rank: int = MAX_RANK) -> AdapterFacts:
    """Check everything that can be known without the engine; the weights are read twice, 1 MiB at a time. Raises `AdapterRefused`."""
    files = _files(folder)
    config = read_config(_content(folder / CONFIG), max_rank)
    _check_weights(folder / WEIGHTS, config, base)
    _as_the_engine(folder / WEIGHTS)
    if PROBES in files:
        probes_in(_content(folder / PROBES))
    return AdapterFacts(
        digest=_digest(folder, files),
        rank=config.rank,
        targets=config.targets,
        base_model=config.base_model,
        base_revision=config.base_revision,
        files=files,
    )


def digest_folder(folder: Path) -> str:
    """The digest of the folder's content. Raises `AdapterRefused` for a folder that holds anything but an adapter's files."""
    return _digest(folder, _files(folder))


def copy_folder(folder: Path, into: Path) -> None:
    """Copy an adapter's files, and nothing else, into a folder that is there. Raises `AdapterRefused`, and OSError for the target."""
    for name in _files(folder):
        with _opened(folder / name) as source, (into / name).open("xb") as copied:
            shutil.copyfileobj(source, copied, AT_ONCE)


def _files(folder: Path) -> dict[str, int]:
    """The folder's files with their sizes."""
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    except OSError as error:
        is_none = isinstance(error, NotADirectoryError)
        raise (AdapterRefused if is_none else AdapterUnreadable)(
            f"{folder}: cannot be read ({error.strerror}); allowed: an adapter's folder"
        ) from error
    check_names(found)
    for name, status in found.items():
        if stat.S_ISLNK(status.st_mode):
            raise AdapterRefused(f"{name}: is a symbolic link, which may lead anywhere; allowed: plain files")
        if not stat.S_ISREG(status.st_mode):
            raise AdapterRefused(f"{name}: is a folder or a device; allowed: plain files")
        if status.st_size > MAX_BYTES[name]:
            raise AdapterRefused(f"{name}: has {status.st_size} bytes; allowed: up to {MAX_BYTES[name]}")
    return {name: found[name].st_size for name in sorted(found)}


def _check_weights(file: Path, config: AdapterConfig, base: BaseShapes) -> None:
    """Their header, their shapes, and then every number."""
    with _opened(file) as opened:
        file_bytes = os.fstat(opened.fileno()).st_size
        length = header_length(WEIGHTS, opened.read(PREFIX_BYTES), file_bytes)
        begin = PREFIX_BYTES + length
        tensors = tensors_of(WEIGHTS, opened.read(length), file_bytes - begin)
        check_weights(config, tensors, base)
        check_finite(WEIGHTS, opened, tensors, begin)


def _as_the_engine(file: Path) -> None:
    """The engine reads the file with this library: what it would refuse there is refused here."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="np"):
            pass
    except (SafetensorError, OSError, ValueError) as error:
        raise AdapterRefused(
            f"{WEIGHTS}: is refused by the safetensors library ({type(error).__name__}); allowed: its format"
        ) from error


def _digest(folder: Path, names: Iterable[str]) -> str:
    return digest_of({name: _sha256(folder / name) for name in names})


def _sha256(file: Path) -> str:
    with _opened(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _content(file: Path) -> bytes:
    with _opened(file) as opened:
        return opened.read(MAX_BYTES[file.name] + 1)


@contextmanager
def _opened(file: Path) -> Iterator[BufferedReader]:
    """For reading; a link that came in the meantime is not followed."""
    try:
        opened = os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        raise (AdapterRefused if is_link else AdapterUnreadable)(
            f"{file.name}: cannot be read ({error.strerror}); allowed: plain files"
        ) from error
    with opened:
        yield opened
