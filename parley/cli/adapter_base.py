"""Which model `parley adapters publish` checks an adapter against: the one that a server with these settings runs, unless another is named."""

import os
from dataclasses import dataclass
from pathlib import Path

from parley import engine_settings as settings_of
from parley.domain.base_model import UNTOLD, BaseModel, TrainedOn, same_revision
from parley.engine_settings import EngineSettings, engine_settings
from parley.errors import ConfigurationError

VARIABLE = "PARLEY_ENGINE_MODEL"


@dataclass(frozen=True, slots=True)
class Served:
    """A base model, and what named it."""

    base: BaseModel
    named_by: str

    def __str__(self) -> str:
        return f"{self.base} ({self.named_by})"


def served_base(where: str | None, revision: str | None) -> Served:
    """`where`: a folder or an id, `revision`: of an id. Raises `ConfigurationError` for a revision that no worker would know the model by."""
    from parley.backends.base_folder import find_base

    settings = engine_settings()
    named_by = _setting() if where is None else "--base"
    where = where or settings.model
    theirs = _is_the_settings(where, settings)
    own = settings.revision if theirs or not os.environ.get(VARIABLE) else ""
    base = find_base(where, own or None, offline=settings.offline)
    if revision is None or same_revision(revision, base.revision):
        return Served(base, named_by)
    if own or theirs or Path(where).expanduser().is_dir():
        raise ConfigurationError(
            f"--revision: is {revision!r}, but workers know the model as {base} and would refuse the adapter; allowed: {base.revision}, or none. "
            "What else workers shall call it, PARLEY_ENGINE_REVISION says; the revision that the adapter was trained on goes to --trained-on NAME@REVISION"
        )
    return Served(find_base(where, revision, offline=settings.offline), named_by)


def source_of(told: str | None) -> TrainedOn | None:
    """What `--trained-on` names: a folder with a model, or NAME, or NAME@REVISION. Raises `ConfigurationError`."""
    from parley.backends.base_folder import find_base

    if told is None:
        return None
    if Path(told).expanduser().is_dir():
        found = find_base(told)
        return TrainedOn(found.name, found.revision, found.shapes)
    name, _, revision = told.partition("@")
    if not name:
        raise ConfigurationError(
            f"--trained-on: is {told!r}; allowed: NAME, NAME@REVISION, or a model's folder"
        )
    return TrainedOn(name, "" if revision in UNTOLD else revision)


def _setting() -> str:
    """What names the model where no option does. Raises `ConfigurationError` where nothing does."""
    if os.environ.get(VARIABLE):
        return VARIABLE
    if not settings_of.STARTER.is_dir():
        raise ConfigurationError(
            f"--base: is needed, as {VARIABLE} is not set and there is no models/starter; allowed: the model that it is served on"
        )
    return f"models/starter, as {VARIABLE} is not set"


def _is_the_settings(where: str, settings: EngineSettings) -> bool:
    """Whether it is the model that the settings name to workers."""
    if not os.environ.get(VARIABLE):
        return False
    folder = Path(where).expanduser()
    return where == settings.model or (
        settings.folder is not None and folder.resolve() == settings.folder.resolve()
    )
