"""YAML files to contracts, with errors that say file, line, field and what is allowed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from schemas.base import Contract

C = TypeVar("C", bound=Contract)


class UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice: YAML would silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value}: written twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML text that remembers on which line each field stands. `first_line` is 1 for a file of its own."""

    path: str
    data: Any
    node: yaml.Node | None
    first_line: int = 1

    def line(self, location: tuple[str | int, ...]) -> int:
        """The line of the innermost part of the location that is in the text."""
        node, line = self.node, self.first_line
        for part in location:
            found = _child(node, part)
            if found is None:
                break
            node, mark = found
            line = self.first_line + mark
        return line


def parse(path: str, text: str, problems: list[str], first_line: int = 1) -> Document | None:
    """Notes what is not YAML as a problem and returns None then."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return Document(path, yaml.load(text, Loader=UniqueKeyLoader), node, first_line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = first_line + (mark.line if mark is not None else 0)
        problems.append(f"{path}:{line}: {error.problem or 'not YAML'}")
    except (yaml.YAMLError, ValueError) as error:
        problems.append(f"{path}:{first_line}: not YAML ({type(error).__name__})")
    return None


def check(kind: type[C], document: Document, problems: list[str]) -> C | None:
    """The contract that the document keeps, or None with each breach noted as `file:line: field: message`."""
    data = document.data if document.data is not None else {}
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            location = tuple(part for part in problem["loc"] if part != "[key]")
            field = ".".join(str(part) for part in location) or "file"
            message = _plain(problem["type"], problem["msg"], kind, location)
            problems.append(f"{document.path}:{document.line(location)}: {field}: {message}")
    return None


def read(path: Path, root: Path, problems: list[str]) -> str | None:
    """A file's text, or None with the reason noted."""
    name = str(path.relative_to(root.parent))
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(f"{name}:1: file: missing")
    except UnicodeDecodeError:
        problems.append(f"{name}:1: file: not UTF-8")
    except OSError as error:
        problems.append(f"{name}:1: file: {error.strerror}")
    return None


def _plain(kind: str, message: str, model: type[Contract], location: tuple[str | int, ...]) -> str:
    if kind == "extra_forbidden":
        fields = (
            ", ".join(model.model_fields) if len(location) == 1 else "see the tenant folder's documentation"
        )
        return f"unknown field; allowed: {fields}"
    if kind == "missing":
        return "missing"
    return message.removeprefix("Value error, ")


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, int] | None:
    """The node below, with the zero-based line on which it is named."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line
    return None
