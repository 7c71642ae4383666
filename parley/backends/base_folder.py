"""Base models as they lie on this machine: a folder with `config.json`, or a model's id in Hugging Face's cache."""

import hashlib
from pathlib import Path

from parley.backends.json_files import read_object
from parley.domain.base_model import BaseModel, commit_of, name_of, shapes_of
from parley.errors import ConfigurationError

CONFIG = "config.json"
EXPORT_FILE = "parley.json"
"""Beside a model that `parley models export-onnx` wrote: which model it was."""
ALLOWED = f"allowed: a folder with a model's {CONFIG}, or the id (owner/name) of a model on Hugging Face"
FINGERPRINT_DIGITS = 16
SAMPLE_BYTES = 1024 * 1024


def find_base(where: str, revision: str | None = None, *, offline: bool = False) -> BaseModel:
    """`where`: a folder, or an id, whose `config.json` is fetched where the cache has none, but never `offline`. Raises `ConfigurationError`.

    Without a `revision` it is the commit that the cache holds, and for any other folder a fingerprint of its weights. A model that was
    exported for ONNX Runtime is the one that it was exported from.
    """
    folder = Path(where).expanduser()
    if not folder.is_dir():
        folder = find_cached(where, revision) if offline else _fetched(where, revision)
        revision = commit_of(str(folder.resolve())) or revision  # a branch's name moves on
    shapes = shapes_of(_config(folder))
    exported = read_object(folder / EXPORT_FILE) if (folder / EXPORT_FILE).is_file() else {}
    name = exported.get("model") or name_of(str(folder.resolve()))
    return BaseModel(str(name), revision or str(exported.get("revision") or revision_of(folder)), shapes)


def find_cached(model_id: str, revision: str | None = None) -> Path:
    """The folder of an id in Hugging Face's cache; the hub is not asked. Raises `ConfigurationError` for an id that was never fetched."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(model_id, revision=revision, local_files_only=True))
    except Exception as error:  # of the library's own making, or of Python's where it is not installed
        at = f" at revision {revision!r}" if revision else ""
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: {model_id!r} is no folder here and no id in the local Hugging Face cache{at}, and PARLEY_ENGINE_OFFLINE keeps "
            "the hub from being asked; allowed: a folder, or an id that was downloaded before"
        ) from error


def revision_of(folder: Path) -> str:
    """The commit of a copy in the hub's cache; else a fingerprint of the files. Raises `ConfigurationError`."""
    return commit_of(str(folder.resolve())) or fingerprint(folder)


def fingerprint(folder: Path) -> str:
    """A revision for a folder that has none: SHA-256 over config.json and, of each weights file, name, size, first and last MiB.

    The whole of 140 GB would take minutes at each start; weights that were trained differ in every MiB.
    """
    digest = hashlib.sha256()
    try:
        digest.update((folder / CONFIG).read_bytes())
        for file in sorted(folder.glob("*.safetensors")):
            size = file.stat().st_size
            digest.update(f"\n{file.name} {size}\n".encode())
            with file.open("rb") as opened:
                digest.update(opened.read(SAMPLE_BYTES))
                opened.seek(max(0, size - SAMPLE_BYTES))
                digest.update(opened.read(SAMPLE_BYTES))
    except OSError as error:
        raise ConfigurationError(f"base model {folder}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()[:FINGERPRINT_DIGITS]


def _config(folder: Path) -> dict[str, object]:
    if not (folder / CONFIG).is_file():
        raise ConfigurationError(f"base model {folder}: has no {CONFIG}; {ALLOWED}")
    return read_object(folder / CONFIG)


def _fetched(model_id: str, revision: str | None) -> Path:
    """Its folder in the cache. The library raises a dozen kinds of errors, of the network among them."""
    try:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(model_id, CONFIG, revision=revision)).parent
    except Exception as error:
        raise ConfigurationError(
            f"base model {model_id!r}: is no folder here, and was not found on Hugging Face ({type(error).__name__}); {ALLOWED}"
        ) from error
