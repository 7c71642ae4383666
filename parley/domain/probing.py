"""Reading `probes.json`: what an adapter's folder brings so that a serving engine can show that it decodes with this adapter."""

from pydantic import ValidationError

from parley.domain.adapters import PROBES
from parley.errors import AdapterRefused
from schemas.adapters import Probe, ProbeFile


def probes_in(content: bytes) -> tuple[Probe, ...]:
    """Raises `AdapterRefused` naming the field that is wrong."""
    try:
        return ProbeFile.model_validate_json(content).probes
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "content"
        raise AdapterRefused(f"{PROBES}: {where}: {problem['msg']}") from error
