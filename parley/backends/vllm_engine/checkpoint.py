"""What can be said of a model's folder before an engine tries it: whether its files are whole, and what they need of a device."""

import json
from pathlib import Path
from struct import unpack

from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError

HEADER_LIMIT = 100_000_000
"""Bytes; the format's own (https://github.com/huggingface/safetensors, `MAX_HEADER_SIZE`)."""
ONLINE = {"fp8": 0.5, "int8": 0.5}
"""What quantising a 16-bit model while loading leaves of its weights."""


def weights_bytes(settings: EngineSettings) -> int | None:
    """Of the folder's weights; None for an id on the hub. Raises `ConfigurationError` naming the file that is not whole."""
    folder = settings.folder
    if settings.load_format == "dummy":
        return None
    if folder is None:
        _refuse_paths(settings.model)
        return None
    _read_config(folder)
    files = _weight_files(folder)
    if not files:
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {folder} has no *.safetensors files")
    return sum(map(_checked_size, files))


def check_memory(settings: EngineSettings, weights: int, device_bytes: int) -> None:
    """Raises `ConfigurationError` where the weights alone exceed what the devices may give, saying what would fit."""
    needed = weights * ONLINE.get(settings.quantization, 1.0)
    share = device_bytes * settings.gpu_memory_utilization
    if needed <= share * settings.tensor_parallel:
        return
    would = [f"PARLEY_ENGINE_TENSOR_PARALLEL={_devices(needed, share)} on as many devices"]
    if settings.quantization not in ONLINE and weights * ONLINE["fp8"] <= share * settings.tensor_parallel:
        would.append(f"PARLEY_ENGINE_QUANTIZATION=fp8 ({_gb(weights * ONLINE['fp8'])})")
    would.append(
        f"a model or checkpoint of at most {_gb(share * settings.tensor_parallel)}, less what its cache needs"
    )
    raise ConfigurationError(
        f"PARLEY_ENGINE_MODEL: the weights of {settings.name} take {_gb(needed)}; the engine may use "
        f"{settings.tensor_parallel} × {_gb(share)} ({settings.gpu_memory_utilization:.0%} of {_gb(device_bytes)}). "
        f"What would fit: {'; '.join(would)}"
    )


def _refuse_paths(model: str) -> None:
    """An id has one slash at most; what looks like a path and is none should not be asked of the hub."""
    if model.startswith(("/", ".", "~")) or model.count("/") > 1:
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: {model} is no folder; give one, or an id like name/model"
        )


def _read_config(folder: Path) -> None:
    path = folder / "config.json"
    config = _json_object(path)
    if not config.get("architectures"):
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {path} names no architectures")


def _json_object(path: Path) -> dict[str, object]:
    try:
        read = json.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {path} is not JSON ({error})") from error
    if not isinstance(read, dict):
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {path} is no JSON object")
    return read


def _weight_files(folder: Path) -> list[Path]:
    """Those of the index, where the weights are in parts: a folder may hold the same weights in another form beside them."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    parts = _json_object(index).get("weight_map")
    named = sorted(set(parts.values())) if isinstance(parts, dict) else []
    absent = [name for name in named if not (folder / str(name)).is_file()]
    if absent:
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: {folder} lacks {', '.join(map(str, absent))}, which its index names"
        )
    return [folder / str(name) for name in named]


def _checked_size(path: Path) -> int:
    """A safetensors file is 8 bytes of the header's length, the header, and what its tensors' offsets span."""
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(8)
        length = unpack("<Q", begin)[0] if len(begin) == 8 else HEADER_LIMIT + 1
        header = file.read(length) if length <= HEADER_LIMIT else b""
    try:
        tensors = json.loads(header)
        end = max(
            int(tensor["data_offsets"][1]) for name, tensor in tensors.items() if name != "__metadata__"
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {path} is no safetensors file") from error
    if size != 8 + length + end:
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: {path} has {size} bytes; its header speaks of {8 + length + end}"
        )
    return size


def _devices(needed: float, share: float) -> int:
    """The least power of two; attention heads are shared out evenly."""
    devices = 1
    while devices * share < needed:
        devices *= 2
    return devices


def _gb(number: float) -> str:
    return f"{number / 1e9:.1f} GB"
