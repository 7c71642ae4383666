"""`probes.json`: what an adapter's folder brings so that a serving engine can show that it decodes with this adapter."""

from collections.abc import Sequence

from pydantic import ValidationError

from parley.domain.adapters import PROBES
from parley.errors import AdapterRefused
from schemas.adapters import Probe, ProbeFile


def probes_in(content: bytes) -> tuple[Probe, ...]:
    """Raises `AdapterRefused` naming the field that is wrong."""
    try:
        return ProbeFile.model_validate_json(content).probes
    except ValidationError as error:
        raise _refusal(error) from error


def probe_of(**fields: Sequence[float]) -> Probe:
    """Of a `Probe`'s fields. Raises `AdapterRefused` naming the one that is wrong."""
    try:
        return Probe.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> AdapterRefused:
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, problem["loc"])) or "content"
    return AdapterRefused(f"{PROBES}: {where}: {problem['msg']}")
