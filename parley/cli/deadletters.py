"""`parley dlq`: what could not be dealt with, why, and a second chance for it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from parley.cli.common import JsonOption, platform, print_json, table
from parley.codec import Erased, decode_headers
from parley.errors import ConfigurationError, InvalidEvent
from parley.ids import derived_id
from parley.ports.bus import Record, TopicPartition
from parley.runtime.deadletters import DeadLetter, exhume, original
from parley.runtime.exports import read_records
from parley.runtime.publishing import publish
from schemas.base import AnyEvent, Event, EventId, MessageId
from schemas.conversation_events import MessageReceived
from schemas.topics import TOPICS, dead_letter_topic
from workers.wiring import Platform

app = typer.Typer(help="Dead letters: records that could not be dealt with.", no_args_is_help=True)

TopicOption = Annotated[
    str | None, typer.Option(help="Only letters of this topic, such as conversation.events.")
]
Where = Annotated[
    str, typer.Argument(help="TOPIC/PARTITION/OFFSET of the record, as `parley dlq list` prints it.")
]


@app.command("list")
def list_letters(topic: TopicOption = None, as_json: JsonOption = False) -> None:
    """All dead letters with their reasons."""
    with platform() as opened:
        found = list(_letters(opened, topic))
    if as_json:
        print_json([_described(letter) for letter in found])
    elif not found:
        typer.echo("no dead letters")
    else:
        rows = [(_place(letter), _type(letter), letter.at, letter.worker, letter.reason) for letter in found]
        table(rows, ("record", "type", "buried at", "worker", "reason"))


@app.command("show")
def show(where: Where, as_json: JsonOption = False) -> None:
    """One dead letter with its headers; its text only where it can be opened."""
    with platform() as opened:
        letter = _find(opened, where)
        readable = _readable(opened, letter)
    described = {**_described(letter), "headers": _headers(letter.record), "body": readable}
    if as_json:
        print_json(described)
    else:
        typer.echo(json.dumps(described, ensure_ascii=False, indent=2))


@app.command("retry")
def retry(where: Where) -> None:
    """Send a dead letter's event in again, as a new event caused by the old one. Sent twice, it still counts once."""
    with platform() as opened:
        event_id = send_again(opened, where)
    typer.echo(f"sent again as event {event_id}")


def send_again(opened: Platform, where: str) -> EventId:
    """Returns the new event's id. Raises `InvalidEvent` where there is nothing that could be sent."""
    letter = _find(opened, where)
    if letter.cut_from is not None:
        raise InvalidEvent(f"{where} cannot be sent again: {_cut(letter)}")
    try:
        event = opened.codec.decode(original(letter))
    except InvalidEvent as error:
        raise InvalidEvent(f"{where} still cannot be read: {error}") from error
    if isinstance(event, Erased):
        raise InvalidEvent(f"{where}: the customer's key was erased; there is nothing left to retry")
    origin = TopicPartition(letter.topic, letter.partition), letter.offset
    given_up = origin in opened.store.skips(letter.worker, letter.topic)
    renewed = _renewed(event, opened.clock.now(), settled=given_up)
    producer = opened.bus.producer()
    try:
        publish(producer, [opened.codec.encode(renewed)])
    finally:
        producer.close()
    return renewed.envelope.event_id


def _renewed(event: AnyEvent, at: datetime, *, settled: bool) -> AnyEvent:
    """The event as of now, so that it has its whole time, under the one id that all retries of it share.

    A message that was given up has been settled; it comes in again as a message of its own, which is settled once too.
    """
    event_id = derived_id(event.envelope.event_id, "retry")
    changes = {"event_id": event_id, "cause_id": event.envelope.event_id, "occurred_at": at}
    body = event.body
    if settled and isinstance(body, MessageReceived):
        body = body.model_copy(update={"message_id": MessageId(event_id)})
    return Event(event.envelope.model_copy(update=changes), body)


def _letters(opened: Platform, topic: str | None) -> Iterator[DeadLetter]:
    topics = [
        dead_letter_topic(each.name) for each in TOPICS if each.dead_letters and topic in (None, each.name)
    ]
    if not topics:
        allowed = ", ".join(each.name for each in TOPICS if each.dead_letters)
        raise ConfigurationError(f"--topic: {topic!r} has no dead letters; allowed: {allowed}")
    return (exhume(record) for record in read_records(opened.bus, topics))


def _find(opened: Platform, where: str) -> DeadLetter:
    for letter in _letters(opened, None):
        if _place(letter) == where:
            return letter
    raise ConfigurationError(f"no dead letter of {where}; `parley dlq list` shows them all")


def _readable(opened: Platform, letter: DeadLetter) -> object:
    """The event's body, or why there is none to be seen."""
    if letter.cut_from is not None:
        return f"cannot be read: {_cut(letter)}"
    try:
        event = opened.codec.decode(original(letter))
    except InvalidEvent as error:
        return f"cannot be read: {error}"
    return "erased" if isinstance(event, Erased) else json.loads(event.body.model_dump_json())


def _cut(letter: DeadLetter) -> str:
    return f"it had {letter.cut_from} bytes, too many for a dead letter, and only its beginning was kept"


def _described(letter: DeadLetter) -> dict[str, object]:
    return {
        "record": _place(letter),
        "type": _type(letter),
        "reason": letter.reason,
        "worker": letter.worker,
        "at": letter.at,
        "bytes": len(letter.record.value or b""),
    }


def _place(letter: DeadLetter) -> str:
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def _type(letter: DeadLetter) -> str:
    try:
        return decode_headers(original(letter).headers).type
    except InvalidEvent:
        return "?"


def _headers(record: Record) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in record.headers}
