"""A tenant's `calls/`: the list of its example calls, and the files that they stand in. What a call says is not read here."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from parley.errors import ConfigurationError
from schemas.example_calls import ExampleCall, ExampleCalls

FOLDER = "calls"
INDEX = "index.yaml"
ENDING = ".vcon.json"


def load(folder: Path) -> tuple[ExampleCall, ...]:
    """The examples of a tenant's folder, none where it has no list. Raises `ConfigurationError` with file and field."""
    index = folder / FOLDER / INDEX
    if not index.is_file():
        return ()
    where = f"{folder.name}/{FOLDER}/{INDEX}"
    calls = _read(index, where)
    for at, call in enumerate(calls):
        if not path_of(folder, call.name).is_file():
            raise ConfigurationError(f"{where}: calls.{at}.name: there is no {FOLDER}/{call.name}{ENDING}")
    return calls


def path_of(folder: Path, name: str) -> Path:
    """The file of an example, whose name is one of those that `load` gave."""
    return folder / FOLDER / f"{name}{ENDING}"


def _read(index: Path, where: str) -> tuple[ExampleCall, ...]:
    try:
        return ExampleCalls.model_validate(yaml.safe_load(index.read_text("utf-8"))).calls
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{where}: is no YAML in UTF-8: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the document"
        raise ConfigurationError(f"{where}: {field}: {first['msg']}") from error
