"""JSON files that belong to a model: one object each."""

import json
from pathlib import Path
from typing import Any

from parley.errors import ConfigurationError


def read_object(file: Path) -> dict[str, Any]:
    """Raises `ConfigurationError` naming the file where it is missing, or holds anything but a JSON object."""
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file}: must be an object")
    return found
