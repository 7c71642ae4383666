"""What a deployment says of calls (`PARLEY_CALLS_…`)."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from parley.errors import ConfigurationError


class CallSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PARLEY_CALLS_", frozen=True)
    #: Files that are put here, or into a folder of a tenant's name in it, are imported; without it nothing is watched.
    folder: Path | None = None
    #: Whose calls the files are that lie in no tenant's folder.
    tenant: str = "bank"
    #: How long files lie in `done` and `refused`, where their texts stand as they came; 0 keeps them for ever.
    keep_days: Annotated[float, Field(ge=0, le=3650, allow_inf_nan=False)] = 7.0

    @classmethod
    def load(cls) -> Self:
        """Raises `ConfigurationError`."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = f"PARLEY_CALLS_{str(first['loc'][0]).upper()}"
            raise ConfigurationError(f"{name}: {first['msg']}") from error

    def watched(self) -> Path:
        """Raises `ConfigurationError`."""
        if self.folder is None or not self.folder.is_dir():
            raise ConfigurationError(
                f"PARLEY_CALLS_FOLDER: {str(self.folder)!r} is no folder; allowed: one that is there, to put transcripts into"
            )
        return self.folder
