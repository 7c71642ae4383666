"""Hugging Face model folders: found by path or by id in the local cache, their `config.json`, and what their safetensors files hold.

Only headers are read, so a folder of any size takes milliseconds.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.domain.precisions import Tensor
from parley.errors import ConfigurationError

LONGEST_HEADER = 100 << 20
"""The format's own limit, in bytes."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`tensors` is empty where the folder holds no safetensors files (a config alone)."""

    name: str
    folder: Path
    config: dict[str, Any]
    tensors: tuple[Tensor, ...]


def open_checkpoint(model: str, *, download: bool = False) -> Checkpoint:
    """A folder, or an id in the local Hugging Face cache; `download` fetches what the cache lacks. Raises `ConfigurationError`."""
    folder = find(model, download=download)
    return Checkpoint(model, folder, read_config(folder), read_tensors(folder))


def find(model: str, *, download: bool = False) -> Path:
    """The model's local folder. Raises `ConfigurationError`."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise ConfigurationError(f"MODEL: {model} is a file; a folder with config.json is needed, or an id")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise ConfigurationError(
            f"MODEL: there is no folder {model}; ids need huggingface_hub, which the extra `vllm` brings"
        ) from error
    try:
        return Path(snapshot_download(model, local_files_only=not download))
    except HFValidationError as error:
        raise ConfigurationError(
            f"MODEL: there is no folder {model}, and it is no Hugging Face id"
        ) from error
    except LocalEntryNotFoundError as error:
        how = "cannot be reached" if download else "is not asked without --download"
        raise ConfigurationError(
            f"MODEL: there is no folder {model}, and no such id in the local cache; the hub {how}"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise ConfigurationError(f"MODEL: {model} cannot be downloaded ({type(error).__name__})") from error


def read_config(folder: Path) -> dict[str, Any]:
    """Raises `ConfigurationError`."""
    config = _object(folder / "config.json")
    if "model_type" not in config:
        raise ConfigurationError(f"{folder / 'config.json'}: model_type: missing")
    return config


def read_tensors(folder: Path) -> tuple[Tensor, ...]:
    """Of `model.safetensors.index.json`'s files, else of all safetensors files. Raises `ConfigurationError` for a file that is missing or
    damaged.
    """
    index = folder / "model.safetensors.index.json"
    if index.exists():
        names = _object(index).get("weight_map")
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            raise ConfigurationError(f"{index}: weight_map: must be an object of file names")
        files = [_inside(folder, name) for name in sorted(set(names.values()))]
    else:
        files = sorted(folder.glob("*.safetensors"))
    return tuple(tensor for file in files for tensor in read_header(file))


def _inside(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise ConfigurationError(f"{folder}: the index names {name!r}, which is no file of this folder")
    return folder / name


def read_header(file: Path) -> list[Tensor]:
    """What one safetensors file holds. Raises `ConfigurationError` where it is missing, or is none."""
    try:
        with file.open("rb") as opened:
            start = opened.read(8)
            size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= size <= LONGEST_HEADER:
                raise ConfigurationError(f"{file}: no safetensors file (its header has {size} bytes)")
            header = json.loads(opened.read(size))
            held = file.stat().st_size - 8 - size
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: no safetensors file (its header is not JSON)") from error
    return _tensors(file, header, held)


def _tensors(file: Path, header: Any, held: int) -> list[Tensor]:
    try:
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        found = [
            Tensor(name, str(entry["dtype"]), tuple(map(int, entry["shape"])))
            for name, entry in entries.items()
        ]
        last = max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{file}: no safetensors file (an entry of its header is malformed)"
        ) from error
    if last > held:
        raise ConfigurationError(f"{file}: is cut off: its tensors end at byte {last:,}, it holds {held:,}")
    return found


def _object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file}: must be an object")
    return found
