"""A tenant's `calls/`: the list of its example calls, and the files that they stand in. What a call says is not read here."""

from pathlib import Path

from parley.backends.yaml_files import check, parse_file
from parley.errors import TenantInvalid
from schemas.example_calls import ExampleCall, ExampleCalls

FOLDER = "calls"
INDEX = "index.yaml"
ENDING = ".vcon.json"


def load(folder: Path) -> tuple[ExampleCall, ...]:
    """The examples of a tenant's folder, none where it has no `calls/`. Raises `TenantInvalid` with one line a problem."""
    index = folder / FOLDER / INDEX
    if not index.is_file():
        return ()
    problems: list[str] = []
    document = parse_file(index, folder, problems)
    checked = check(ExampleCalls, document, problems) if document is not None else None
    if document is None or checked is None:
        raise TenantInvalid(tuple(problems))
    for at, call in enumerate(checked.value.calls):
        if not path_of(folder, call.name).is_file():
            problems.append(
                document.problem(("calls", at, "name"), f"there is no {FOLDER}/{call.name}{ENDING}")
            )
    if problems:
        raise TenantInvalid(tuple(problems))
    return checked.value.calls


def path_of(folder: Path, name: str) -> Path:
    """The file of an example, whose name is one of those that `load` gave."""
    return folder / FOLDER / f"{name}{ENDING}"
