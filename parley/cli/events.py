"""`parley events export|show|deliveries` and `parley replay`: streams out of the log, and decisions run again from them."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from parley.cli.common import JsonOption, counted, platform, print_json, table
from parley.codec import conversation_of
from parley.errors import ConfigurationError
from parley.ports.bus import Bus, Record
from parley.runtime import exports
from parley.runtime.recorded import Export, Written, load
from parley.runtime.replay import Difference, Report
from parley.runtime.replay import replay as run_replay
from schemas.base import ConversationId, rfc3339
from schemas.topics import TOPICS
from workers.assignment import AssignmentDecider
from workers.calls import CallDecider
from workers.dialogue import DialogueDecider
from workers.feedback import FeedbackDecider

app = typer.Typer(help="The event streams.", no_args_is_help=True)

DECIDERS = (DialogueDecider(), AssignmentDecider(), FeedbackDecider(), CallDecider())
CONVERSATION_TOPICS = ("conversation.events", "work.understand", "work.answer", "chat.outbound")
EXIT_DIFFERENT = 1

OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", dir_okay=False, help="File to write; default: standard output."),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(help="Whole conversations that had an event since then (UTC)."),
]


@app.command("export")
def export(
    conversation: Annotated[str | None, typer.Option(help="Only this conversation.")] = None,
    since: SinceOption = None,
    topic: Annotated[list[str] | None, typer.Option(help="Only these topics; repeatable.")] = None,
    out: OutOption = None,
) -> None:
    """Write events as JSON lines, texts readable (they are masked, but keep the file to yourself)."""
    topics = _topics(topic)
    selected = conversation is not None or since is not None
    with platform() as opened:
        now = opened.clock.now()
        about = exports.header(opened.bus, opened.store, DECIDERS, topics, now, selected=selected)
        records = _selected(opened.bus, topics, conversation, since)
        with _target(out) as target:
            count = exports.write(about, records, opened.codec, opened.configs.get, target)
    typer.echo(f"{count} records exported" + (f" to {out}" if out else ""), err=True)


@app.command("show")
def show(
    file: Annotated[
        Path | None,
        typer.Argument(help="An exported file; default: the log itself.", exists=True, dir_okay=False),
    ] = None,
    conversation: Annotated[str | None, typer.Option(help="Only this conversation.")] = None,
) -> None:
    """One line an event: when, where, what, and the most telling fields of it."""
    if file is not None:
        lines: Iterable[bytes] = file.read_bytes().splitlines()
    elif conversation is None:
        raise ConfigurationError("events show: name a FILE or a --conversation")
    else:
        with platform() as opened:
            records = _selected(opened.bus, CONVERSATION_TOPICS, conversation, None)
            lines = [exports.record_line(*read) for read in exports.readable(records, opened.codec)]
    shown = [json.loads(line) for line in lines if line.startswith(b'{"topic"')]
    for entry in sorted(shown, key=lambda each: each["headers"]["occurred_at"]):
        if conversation is None or entry["headers"]["conversation_id"] == conversation:
            _show(entry)


@app.command("deliveries")
def deliveries(
    conversation: Annotated[str, typer.Argument(help="A conversation's id.")], as_json: JsonOption = False
) -> None:
    """What became of everything sent into a conversation's channel: accepted, sent, delivered, unknown or failed, and why."""
    name = ConversationId(conversation)
    with platform() as opened:
        if opened.store.conversation(name) is None:
            raise ConfigurationError(
                f"CONVERSATION: there is no conversation {conversation!r}; allowed: the id of one that was not erased"
            )
        found = opened.store.deliveries(name)
    if as_json:
        print_json([{**asdict(each), "told_at": rfc3339(each.told_at)} for each in found])
    elif not found:
        typer.echo("no channel has reported anything")
    else:
        rows = [
            (rfc3339(each.told_at), each.outbound_id, each.channel, each.state, each.reason or "-")
            for each in found
        ]
        table(rows, ("at", "event", "channel", "state", "reason"))


def replay(
    file: Annotated[
        Path, typer.Argument(help="A file that `parley events export` wrote.", exists=True, dir_okay=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Run all decisions of a file again, without any server, and compare every byte that left. Exit 1 on a difference."""
    with file.open("rb") as lines:
        export = load(counted(lines, "lines read"), DECIDERS)
    report = run_replay(DECIDERS, export)
    if as_json:
        print_json(
            {
                "events": report.events,
                "compared": report.compared,
                "repeated": report.repeated,
                "skipped": report.passed_over,
                "not_decided": [
                    {"topic": name, "events": count, "reason": reason}
                    for (name, reason), count in sorted(export.left_out.items())
                ],
                "not_compared": report.uncaused,
                "differences": [difference.event_id for difference in report.differences],
            }
        )
    else:
        _tell(export, report)
    if report.differences:
        raise typer.Exit(EXIT_DIFFERENT)


def _tell(export: Export, report: Report) -> None:
    typer.echo(f"{report.events} events decided again, {report.compared} outputs compared", nl=False)
    typer.echo(f", {report.repeated} repeated, {report.passed_over} skipped")
    for (name, reason), count in sorted(export.left_out.items()):
        typer.echo(f"events of {name} not decided again: {count} ({reason})")
    if report.uncaused:
        typer.echo(f"outputs not compared, as their cause is not decided again: {report.uncaused}")
    for difference in report.differences[:1]:
        typer.echo(explain(difference))
    if len(report.differences) > 1:
        typer.echo(f"… and {len(report.differences) - 1} more")


def explain(difference: Difference) -> str:
    """The difference in context: which event, what caused it, and each field that differs."""
    if difference.expected is None or difference.actual is None:
        which = "was not recorded" if difference.expected is None else "is not decided any more"
        there = difference.actual or difference.expected
        assert there is not None  # one side always has it
        return f"\nevent {difference.event_id} {which} (cause: {difference.cause})\n  {_text(there)}"
    lines = [f"\nevent {difference.event_id} differs (cause: {difference.cause})"]
    before, after = _fields(difference.expected), _fields(difference.actual)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            lines += [f"  {name}:", f"    - {before.get(name)}", f"    + {after.get(name)}"]
    if len(lines) == 1:
        lines.append("  the same fields, written differently")
    return "\n".join(lines)


def _fields(record: Written) -> dict[str, object]:
    headers = {f"header {name}": value for name, value in record.headers.items()}
    return {"topic": record.topic, **headers, **json.loads(record.body)}


def _text(record: Written) -> str:
    return f"{record.topic}: {record.headers['type']} {record.body.decode()[:400]}"


def _topics(wanted: list[str] | None) -> tuple[str, ...]:
    known = tuple(topic.name for topic in TOPICS)
    for name in wanted or ():
        if name not in known:
            raise ConfigurationError(f"--topic: {name!r} is unknown; allowed: {', '.join(known)}")
    if wanted:
        return tuple(dict.fromkeys(wanted))
    return tuple(name for name in known if name not in ("chat.deltas", "inference.control"))


def _selected(
    bus: Bus, topics: Sequence[str], conversation: str | None, since: datetime | None
) -> Iterator[Record]:
    """The records of one conversation, or of all that had an event since then, or all."""
    touched = None if since is None else _touched(bus, topics, since)
    for record in counted(exports.read_records(bus, topics), "records read"):
        name = conversation_of(record)
        if conversation in (None, name) and (touched is None or name in touched):
            yield record


def _touched(bus: Bus, topics: Sequence[str], since: datetime) -> set[ConversationId]:
    """The conversations that had an event since then."""
    since_ms = int((since if since.tzinfo else since.replace(tzinfo=UTC)).timestamp() * 1000)
    recent = counted(exports.read_records(bus, topics, since_ms=since_ms), "recent records read")
    return {conversation_of(record) for record in recent if record.timestamp_ms >= since_ms}


def _target(out: Path | None) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdout.buffer) if out is None else exports.created(out)


def _show(entry: dict[str, object]) -> None:
    headers, body = entry["headers"], entry.get("body", {})
    assert isinstance(headers, dict) and isinstance(body, dict)  # the shape of an export's lines
    told = {name: value for name, value in body.items() if name in TELLING and value not in (None, [], {})}
    line = f"{headers['occurred_at']}  {entry['topic']!s:20} {headers['type']:22} "
    typer.echo(line + json.dumps(told, ensure_ascii=False))


TELLING = frozenset(
    [
        "text",
        "seq",
        "epoch",
        "kind",
        "owner",
        "reason",
        "outcome",
        "state",
        "settlements",
        "intents",
        "language",
        "message_id",
        "question",
        "purpose",
    ]
)
