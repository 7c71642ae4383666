"""Hugging Face model folders: found by path or by id in the local cache, their `config.json`, and what their safetensors files hold.

Only headers are read, so a folder of any size takes milliseconds.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.backends.json_files import read_object
from parley.domain.precisions import TENSOR_BYTES, Tensor
from parley.domain.tensor_header import PREFIX_BYTES, header_length, tensors_of
from parley.errors import AdapterRefused, ConfigurationError

LONGEST_HEADER = 100_000_000
"""Bytes; the format's own (https://github.com/huggingface/safetensors, `MAX_HEADER_SIZE`)."""


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
    config = read_object(folder / "config.json")
    if "model_type" not in config:
        raise ConfigurationError(f"{folder / 'config.json'}: model_type: missing")
    return config


def read_tensors(folder: Path) -> tuple[Tensor, ...]:
    """Of `model.safetensors.index.json`'s files, else of all safetensors files. Raises `ConfigurationError` for a file that is missing or
    damaged.
    """
    index = folder / "model.safetensors.index.json"
    if index.exists():
        names = read_object(index).get("weight_map")
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
    """What one safetensors file holds. Raises `ConfigurationError` where it is missing, is none, or is not whole."""
    try:
        with file.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            length = header_length(str(file), opened.read(PREFIX_BYTES), size, LONGEST_HEADER)
            header = opened.read(length)
        found = tensors_of(str(file), header, size - PREFIX_BYTES - length, TENSOR_BYTES)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except AdapterRefused as error:  # the format's rules are the same, but nobody offered an adapter
        raise ConfigurationError(str(error)) from error
    return [Tensor(name, each.dtype, each.shape) for name, each in found.items()]
