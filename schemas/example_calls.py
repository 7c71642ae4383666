"""`calls/index.yaml` of a tenant's folder: recorded calls that the demo plays. No part of a version, and nobody's real words."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.base import Contract
from schemas.tenant import Localized


class ExampleCall(Contract):
    """A call in `calls/NAME.vcon.json`, and what the demo calls it in each of its languages."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    title: Localized


class ExampleCalls(Contract):
    """In the order in which they are shown."""

    calls: Annotated[tuple[ExampleCall, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [call.name for call in self.calls]
        if len(set(names)) != len(names):
            raise ValueError("calls: a name stands there twice")
        return self
