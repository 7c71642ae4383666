"""The contracts against their published form: examples, released schemas, the AsyncAPI document."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra import contracts
from schemas.base import Body, Envelope
from schemas.topics import BODY_OF, TOPIC_OF, TOPICS
from schemas.work import AnswerRequested, GenerationRequested

EXAMPLES = Path(contracts.ROOT, "schemas", "examples")
FILES = sorted(EXAMPLES.glob("*/v*/*.json"))


@pytest.mark.parametrize("kind", BODY_OF.values(), ids=lambda kind: str(kind.__name__))
def test_every_event_has_two_examples(kind: type[Body]) -> None:
    assert len(list((EXAMPLES / kind.event_type() / f"v{kind.version}").glob("*.json"))) >= 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_example_keeps_its_contract(path: Path) -> None:
    example = json.loads(path.read_text())
    envelope = Envelope.model_validate(example["envelope"])
    kind = BODY_OF[envelope.type]
    assert (path.parts[-3], path.parts[-2]) == (envelope.type, f"v{envelope.version}")
    body = kind.model_validate(example["body"])
    assert kind.model_validate_json(body.model_dump_json()) == body
    with pytest.raises(ValidationError):
        kind.model_validate({**example["body"], "surprise": 1})


def test_no_example_is_left_of_an_event_that_is_gone() -> None:
    assert {path.parts[-3] for path in FILES} == set(BODY_OF)


def test_every_event_belongs_to_one_topic() -> None:
    listed = [body.event_type() for topic in TOPICS for body in topic.events]
    assert len(listed) == len(set(listed)) == len(TOPIC_OF)


@pytest.mark.parametrize("name", contracts.published().keys())
def test_a_released_schema_is_never_changed(name: str) -> None:
    path = contracts.RELEASED / name
    assert path.exists(), f"{name} is not released yet: run python -m infra.contracts"
    assert contracts.breaks(json.loads(path.read_text()), contracts.published()[name]) == []


def test_no_released_schema_is_taken_back() -> None:
    versions = {path.name.split(".")[0] for path in contracts.RELEASED.glob("*.json")}
    assert versions <= {name.split(".")[0] for name in contracts.published()}


def test_the_asyncapi_document_is_the_code() -> None:
    assert contracts.ASYNCAPI.read_text() == contracts.asyncapi_text(), "run python -m infra.contracts"


SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "T",
    "properties": {"title": {"type": "string", "description": "old words"}, "kind": {"enum": ["a", "b"]}},
    "required": ["title"],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("properties", "new"), {"type": "string"}),
        (("properties", "title", "type"), "integer"),
        (("properties", "kind", "enum"), ["a"]),
        (("properties", "kind", "enum"), ["a", "c"]),
        (("required",), ["title", "kind"]),
        (("additionalProperties",), False),
    ],
)
def test_every_change_of_meaning_is_refused(path: tuple[str, ...], value: object) -> None:
    changed = json.loads(json.dumps(SCHEMA))
    place = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert contracts.breaks(SCHEMA, changed) != []


def test_a_field_that_is_called_title_may_not_be_removed() -> None:
    changed = {**SCHEMA, "properties": {"kind": SCHEMA["properties"]["kind"]}}
    assert contracts.breaks(SCHEMA, changed) == ["/properties/title: removed"]


def test_a_change_of_words_is_allowed() -> None:
    changed = json.loads(json.dumps(SCHEMA))
    changed["title"] = "Another"
    changed["properties"]["title"]["description"] = "better words"
    assert contracts.breaks(SCHEMA, changed) == []


def test_an_answer_and_its_generation_ask_for_the_same_things() -> None:
    assert set(AnswerRequested.model_fields) | {"passages"} == set(GenerationRequested.model_fields)
