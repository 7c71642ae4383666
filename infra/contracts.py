"""Publishing the contracts: JSON Schemas of released versions, the AsyncAPI document; `python -m infra.contracts` writes them.

A released schema is never edited. Writing refuses to replace one by a schema that would break readers or writers of the
old one: that change is a new version, i.e. a new body class with `version = n + 1`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from parley import __version__
from schemas.base import Body, Contract, Envelope
from schemas.questions import QuestionFile
from schemas.tenant import ArticleFront, IntentFile, TenantFile
from schemas.topics import TOPICS, Topic

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "schemas" / "released"
ASYNCAPI = ROOT / "docs" / "asyncapi.yaml"

TENANT_FILES: dict[type[Contract], int] = {TenantFile: 5, ArticleFront: 2, IntentFile: 1, QuestionFile: 1}
"""The files of a tenant's folder, with the version of each contract. One that only has more than before reads older files."""

WORDS_ONLY = frozenset({"title", "description", "examples"})
"""Keywords that say nothing about which documents are valid."""


def published() -> dict[str, dict[str, Any]]:
    """Every contract's JSON Schema by file name."""
    found: dict[str, dict[str, Any]] = {"Envelope.v1.json": Envelope.model_json_schema()}
    for topic in TOPICS:
        for body in topic.events:
            found[file_name(body)] = schema_of(body)
    for model, version in TENANT_FILES.items():
        name = model.__name__ if version == 1 else f"{model.__name__}.v{version}"
        found[f"{name}.json"] = model.model_json_schema()
    return found


def file_name(body: type[Body]) -> str:
    return f"{body.event_type()}.v{body.version}.json"


def schema_of(body: type[Body]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body.model_json_schema()}


def meaning(schema: Any) -> Any:
    """A schema without the words that are there for people."""
    if isinstance(schema, dict):
        return {
            key: ({name: meaning(each) for name, each in value.items()} if key in NAMED else meaning(value))
            for key, value in schema.items()
            if key in NAMED or key not in WORDS_ONLY
        }
    return [meaning(each) for each in schema] if isinstance(schema, list) else schema


NAMED = frozenset({"properties", "$defs"})
"""Keywords whose value maps names that we chose, so that a field may well be called `title`."""


def breaks(released: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """How `now` differs in meaning from what was released; empty when old and new readers and writers still agree."""
    return list(_differences(meaning(released), meaning(now), ""))


def _differences(before: Any, after: Any, where: str) -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        found = [f"{where}/{key}: removed" for key in before.keys() - after.keys()]
        found += [f"{where}/{key}: added" for key in after.keys() - before.keys()]
        for key in sorted(before.keys() & after.keys()):
            found += _differences(before[key], after[key], f"{where}/{key}")
        return sorted(found)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for at, (b, a) in enumerate(zip(before, after, strict=True))
            for line in _differences(b, a, f"{where}/{at}")
        ]
    return [] if before == after else [f"{where}: was {json.dumps(before)[:80]}, is {json.dumps(after)[:80]}"]


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of every topic and event."""
    messages = {
        body.event_type(): {
            "name": body.event_type(),
            "title": body.event_type(),
            "summary": (body.__doc__ or "").strip().split("\n")[0],
            "contentType": "application/json",
            "headers": {"$ref": "#/components/schemas/Envelope"},
            "payload": {"$ref": f"#/components/schemas/{body.event_type()}"},
        }
        for topic in TOPICS
        for body in topic.events
    }
    schemas: dict[str, Any] = {"Envelope": _flat("Envelope", Envelope.model_json_schema())}
    for topic in TOPICS:
        for body in topic.events:
            schemas[body.event_type()] = _flat(body.event_type(), body.model_json_schema())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parley",
            "version": __version__,
            "description": "Topics and events. The envelope travels in record headers, the body is the record's value. "
            "Fields marked `x-sealed` are sealed with the customer's key (AES-SIV) in the log.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {"messages": messages, "schemas": schemas},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    kept = "for ever" if topic.retention_ms is None else f"{topic.retention_ms / 86_400_000:g} days"
    shape = "compacted" if topic.compacted else f"kept {kept}"
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.key.replace('_', ' ')}; {topic.partitions} partitions; {shape}.",
        "messages": {
            body.event_type(): {"$ref": f"#/components/messages/{body.event_type()}"} for body in topic.events
        },
        "bindings": {"kafka": {"partitions": topic.partitions, "bindingVersion": "0.5.0"}},
    }


def _operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for topic in TOPICS:
        channel = {"$ref": f"#/channels/{topic.name}"}
        for action, who in (("send", topic.written_by), ("receive", topic.read_by)):
            for party in who:
                name = f"{party} {action}s {topic.name}".replace(" ", "_").replace("(", "").replace(")", "")
                found[name.replace(".", "_")] = {"action": action, "channel": channel, "title": f"{party}"}
    return found


def _flat(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its references pointing into its own place in the document."""
    text = json.dumps(schema).replace('"#/$defs/', f'"#/components/schemas/{name}/$defs/')
    flat: dict[str, Any] = json.loads(text)
    return flat


def asyncapi_text() -> str:
    head = "# Generated from schemas/ by `python -m infra.contracts`; do not edit.\n"
    document = json.loads(json.dumps(asyncapi()))  # no shared parts, which YAML would write as anchors
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def main() -> int:
    """Write what is missing or changed in words only; refuse an incompatible change. Returns the exit status."""
    RELEASED.mkdir(exist_ok=True)
    refused = 0
    for name, schema in published().items():
        path = RELEASED / name
        broken = breaks(json.loads(path.read_text()), schema) if path.exists() else []
        if broken:
            refused += 1
            print(f"{name} is released and would change; make a new version instead:", *broken, sep="\n  ")
            continue
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    ASYNCAPI.parent.mkdir(exist_ok=True)
    ASYNCAPI.write_text(asyncapi_text())
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
