"""What a deployment says of calls (`PARLEY_CALLS_…`)."""

from pathlib import Path
from typing import Self

from pydantic_settings import BaseSettings, SettingsConfigDict

from parley.errors import ConfigurationError


class CallSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PARLEY_CALLS_", frozen=True)
    #: Files that are put here, or into a folder of a tenant's name in it, are imported; without it nothing is watched.
    folder: Path | None = None
    #: Whose calls the files are that lie in no tenant's folder.
    tenant: str = "bank"

    @classmethod
    def load(cls) -> Self:
        return cls()

    def watched(self) -> Path:
        """Raises `ConfigurationError`."""
        if self.folder is None or not self.folder.is_dir():
            raise ConfigurationError(
                f"PARLEY_CALLS_FOLDER: {str(self.folder)!r} is no folder; allowed: one that is there, to put transcripts into"
            )
        return self.folder
