"""What can be said of a model's folder before an engine tries it: whether its files are whole."""

from dataclasses import replace

from parley.backends.checkpoint_files import Checkpoint, open_checkpoint
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError


def checkpoint_of(settings: EngineSettings) -> Checkpoint | None:
    """The model's folder, without tensors where its weights are made up; None for an id on the hub.

    Raises `ConfigurationError` naming the file that is missing or not whole.
    """
    if settings.folder is None:
        _refuse_paths(settings.model)
        return None
    try:
        found = open_checkpoint(str(settings.folder))
    except ConfigurationError as error:
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {error}") from error
    if not found.config.get("architectures"):
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: {found.folder / 'config.json'} names no architectures"
        )
    if settings.load_format == "dummy":
        return replace(found, tensors=())
    if not found.tensors:
        raise ConfigurationError(f"PARLEY_ENGINE_MODEL: {found.folder} has no *.safetensors files")
    return found


def _refuse_paths(model: str) -> None:
    """An id has one slash at most; what looks like a path and is none should not be asked of the hub."""
    if model.startswith(("/", ".", "~")) or model.count("/") > 1:
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: {model} is no folder; give one, or an id like name/model"
        )
