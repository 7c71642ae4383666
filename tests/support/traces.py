"""Looking for what a customer said in everything that a platform has written down, and what is checked of an erasure in both forms."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from parley.codec import Codec, Erased
from parley.errors import InvalidEvent, KeyErased
from parley.ports.bus import Record
from parley.ports.keys import KeyStore
from parley.runtime.deadletters import exhume, original
from schemas.base import CustomerId, EventId, TenantId
from tests.support.witness import ERASED, KEPT, TENANT, Customer, Witness, Words, records_of

TOPICS = {
    "conversation.events",
    "work.understand",
    "work.answer",
    "inference.requests",
    "chat.outbound",
    "chat.deltas",
    "feedback.events",
    "conversation.events.dlq",
}


def before_the_erasure(witness: Witness, gone: Customer) -> tuple[bytes, list[Record]]:
    """All markers can be read: else finding none later would prove nothing. The customer's key, and all records."""
    with witness.opened() as opened:
        records = records_of(opened.bus, gone.customer_id)
        texts = opened_texts(records, opened.keys)
        assert {topic for topic in TOPICS if not texts.get(topic)} == set()
        spoilt = [sealed_text(record, opened.keys) for record in records if record.topic.endswith(".dlq")]
        everything = "".join([*texts.values(), *spoilt])
        assert [word for word in ERASED.markers if word not in everything] == []
        assert all(ERASED.markers[0] in texts[topic] for topic in ("conversation.events", "chat.outbound"))
        key = opened.keys.get(TENANT, gone.customer_id)
    exported = witness.parley("privacy", "export", gone.customer_id, "-t", TENANT).stdout
    # What no reader can read is exported as it is.
    assert [word for word in ERASED.markers if word not in exported] == ["glimmerquop"]
    assert not any(word in exported for word in KEPT.markers)
    return key, records


def erase(witness: Witness, gone: Customer) -> None:
    erased = witness.parley_json("privacy", "erase", gone.customer_id, "-t", TENANT, "--yes")
    assert erased["left"] is None
    assert {"history", "states", "conversations", "feedback", "claims"} <= erased["rows"].keys()
    assert gone.write("and now?", "late").status_code == 410, "at once: the erasure has waited for the caches"
    assert gone.read().status_code == 410


def after_the_erasure(witness: Witness, gone: Customer, before: list[Record]) -> None:
    with witness.opened() as opened:
        records = records_of(opened.bus, gone.customer_id)
        assert len(records) == len(before), "nothing was written since, and the log still has the envelopes"
        after = "".join(opened_texts(records, opened.keys).values())
        assert not any(word in after for word in ERASED.markers)
        for record in records:
            if record.topic.endswith(".dlq"):
                with pytest.raises(KeyErased):
                    sealed_text(record, opened.keys)
        assert not any(opened.store.held(TENANT, gone.customer_id).values())


def check_commands(witness: Witness, gone: Customer, folder: Path) -> None:
    """What the commands show of an erased customer."""
    for command in ("export", "erase"):
        known = witness.parley(
            "privacy", command, gone.customer_id, "-t", TENANT, *(["--yes"] if command == "erase" else [])
        )
        if command == "export":
            assert known.returncode == 2 and "was erased on" in known.stderr
        else:
            assert known.returncode == 0
    listed = witness.parley_json("privacy", "list")
    assert [each["customer_id"] for each in listed] == [gone.customer_id]
    (folder / "erasures.json").write_text(json.dumps(listed))
    audit = witness.parley("privacy", "audit", "--json").stdout
    assert gone.customer_id in audit and not any(word in audit for word in ERASED.markers)
    letters = witness.parley("dlq", "list", "--json").stdout
    assert not any(word in letters for word in ERASED.markers)
    mine = [each for each in json.loads(letters) if "dialogue worker down" in each["reason"]]
    shown = [witness.parley_json("dlq", "show", each["record"])["body"] for each in mine]
    assert "erased" in shown
    stream = folder / "stream.jsonl"
    assert witness.parley("events", "export", "-o", str(stream)).returncode == 0
    text = stream.read_text(encoding="utf-8")
    assert '"erased":true' in text and not any(word in text for word in ERASED.markers)
    assert all(word in text for word in KEPT.markers if word not in ("mimsyborogove", "vorpalwhiff"))
    assert witness.parley_json("replay", str(stream))["differences"] == []
    stream.unlink()


def talks_on(kept: Customer) -> None:
    before = "".join(each["text"] for each in kept.history())
    assert all(word in before for word in KEPT.markers[:4])
    assert kept.say("What does roaming cost?", f"m-{monotonic()}")["text"]


def opened_texts(records: Iterable[Record], keys: KeyStore) -> dict[str, str]:
    """By topic, all that can be opened of these records. What is erased and what no reader can read is empty."""
    codec = Codec(keys)
    found: dict[str, str] = {}
    for record in records:
        read = original(exhume(record)) if record.topic.endswith(".dlq") else record
        try:
            event = codec.decode(read)
        except InvalidEvent:
            continue
        text = "" if isinstance(event, Erased) else event.body.model_dump_json()
        found[record.topic] = found.get(record.topic, "") + text
    return found


def sealed_text(record: Record, keys: KeyStore) -> str:
    """The text of a record that is unreadable for another reason than its key. Raises `KeyErased`."""
    letter = original(exhume(record))
    headers = {name: value.decode() for name, value in letter.headers}
    sealer = Codec(keys).sealer_of(
        TenantId(headers["tenant"]),
        CustomerId(headers["customer_id"]),
        EventId(headers["event_id"]),
    )
    return sealer.unseal(json.loads(letter.value or b"{}")["text"], "text")


def files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.resolve().rglob("*") if path.is_file() and not path.is_symlink())


def found_in(needles: Iterable[bytes], paths: Iterable[Path]) -> set[tuple[str, bytes]]:
    """Which of the needles stand in which files, looked for in the raw bytes."""
    wanted = list(needles)
    found: set[tuple[str, bytes]] = set()
    for path in paths:
        content = b"".join(_written(path))
        found.update((str(path), needle) for needle in wanted if needle in content)
    return found


def _written(path: Path) -> Iterator[bytes]:
    """What was written of a file, without its holes: Kafka makes every index of ten megabytes before anything is in it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # a server threw it away meanwhile
    with os.fdopen(descriptor, "rb") as file:
        end = 0
        while True:
            try:
                begin = os.lseek(descriptor, end, os.SEEK_DATA)
                end = os.lseek(descriptor, begin, os.SEEK_HOLE)
            except OSError:
                return  # nothing more
            file.seek(begin)
            yield file.read(end - begin)


def spellings(words: Words) -> list[bytes]:
    """The markers as bytes: UTF-8, JSON's escapes, UTF-16."""
    return [
        form
        for marker in words.markers
        for form in {marker.encode(), json.dumps(marker)[1:-1].encode(), marker.encode("utf-16-le")}
    ]
