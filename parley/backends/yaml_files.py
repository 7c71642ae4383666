"""YAML files to contracts, with errors that say file, line, field and what is allowed.

The YAML is the plain part of it: the types of JSON's (YAML 1.2's core schema), no anchors and aliases, no deep nesting. So a date
is a text until a contract wants a date, `no` is a language, and no small file becomes a large value.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from parley.backends.text_files import read, shown
from schemas.base import Contract

C = TypeVar("C", bound=Contract)
T = TypeVar("T")

Location = tuple[str | int, ...]

MAX_DEPTH = 32


class PlainLoader(yaml.SafeLoader):
    """Refuses, besides, a key that is written twice: YAML would silently keep the last one."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # its stub has no types
        if self.check_event(yaml.AliasEvent):
            raise _refused("aliases are not allowed", mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refused(f"nested more than {MAX_DEPTH} levels deep", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise _refused(
                "cannot be read as the kind of value that it looks like", node.start_mark
            ) from error

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _refused("fields with their values are needed here", node.start_mark)
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a field's name must be plain text", key.start_mark)
            if key.value in found:
                raise _refused(f"{key.value}: written twice", key.start_mark)
            found[key.value] = self.construct_object(value, deep=True)
        return found


PlainLoader.yaml_implicit_resolvers = {}  # none of the base class's; those below instead
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
):
    PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}",
        re.compile(rf"^(?:{_pattern})$"),
        [*_first, *([""] if _kind == "null" else [])],
    )


def _refused(message: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=mark)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML text that remembers on which line each field stands. `first_line` is 1 for a file of its own."""

    path: str
    data: Any
    node: yaml.Node | None
    first_line: int = 1

    def line(self, location: Location) -> int:
        """The line of the innermost part of the location that is in the text."""
        node, line = self.node, self.first_line
        for part in location:
            found = _child(node, part)
            if found is None:
                break
            node, mark = found
            line = self.first_line + mark
        return line

    def problem(self, location: Location, message: str) -> str:
        """One line for people: file, line, field and what is wrong with it."""
        field = ".".join(str(part) for part in location) or "file"
        return f"{self.path}:{self.line(location)}: {field}: {message}"


@dataclass(frozen=True, slots=True)
class Checked(Generic[T]):
    """What a document holds, with the document itself: later checks name its lines too."""

    value: T
    document: Document


def parse(path: str, text: str, problems: list[str], first_line: int = 1) -> Document | None:
    """Notes what is not YAML as a problem and returns None then."""
    loader = PlainLoader(text)
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
        return Document(path, data, node, first_line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = first_line + (mark.line if mark is not None else 0)
        problems.append(f"{path}:{line}: {error.problem or 'not YAML'}")
    except (yaml.YAMLError, ValueError) as error:
        problems.append(f"{path}:{first_line}: not YAML ({type(error).__name__})")
    finally:
        loader.dispose()
    return None


def parse_file(path: Path, root: Path, problems: list[str]) -> Document | None:
    text = read(path, root, problems)
    return parse(shown(path, root), text, problems) if text is not None else None


def check(kind: type[C], document: Document, problems: list[str]) -> Checked[C] | None:
    """The contract that the document keeps, or None with each breach noted."""
    try:
        return Checked(kind.model_validate(document.data if document.data is not None else {}), document)
    except ValidationError as error:
        _note(error, document, (), list(kind.model_fields), problems)
    return None


def check_part(kind: TypeAdapter[T], document: Document, location: Location, problems: list[str]) -> T | None:
    """The same for a part of a document."""
    part = document.data
    for step in location:
        part = part[step]
    try:
        return kind.validate_python(part)
    except ValidationError as error:
        _note(error, document, location, [], problems)
    return None


def _note(
    error: ValidationError, document: Document, at: Location, fields: list[str], problems: list[str]
) -> None:
    for problem in error.errors(include_url=False, include_input=False):
        location = (*at, *(part for part in problem["loc"] if part != "[key]"))
        problems.append(
            document.problem(location, _plain(problem["type"], problem["msg"], fields, len(location)))
        )


def _plain(kind: str, message: str, fields: list[str], depth: int) -> str:
    if kind == "extra_forbidden":
        allowed = ", ".join(fields) if depth == 1 else "see the tenant folder's documentation"
        return f"unknown field; allowed: {allowed}"
    if kind == "missing":
        return "missing"
    if kind in ("model_type", "dict_type"):
        return "must be fields with their values"
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
