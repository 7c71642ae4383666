"""What the groups keep in the file, as functions on an open transaction: members, owners of partitions, offsets.

Seconds are the machine's monotonic clock, which all processes of one machine share; after a restart of the machine it
begins anew, so a member seen in the future is gone as well.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping

from parley.backends.local_log import Member, Standing, share
from parley.backends.sqlite_bus.storage import Topic
from parley.errors import Superseded
from parley.ports.bus import TopicPartition

Numbers = Mapping[TopicPartition, int]


def bump(db: sqlite3.Connection, group: str) -> None:
    """Tell every process that members of the group may stand otherwise now."""
    db.execute(
        "INSERT INTO groups VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET version = version + 1", (group,)
    )


def versions(db: sqlite3.Connection) -> dict[str, int]:
    return dict(db.execute("SELECT name, version FROM groups"))


def join(db: sqlite3.Connection, member: Member, process: str, now_s: float) -> None:
    db.execute(
        "INSERT OR IGNORE INTO members (member_id, group_name, process, topics, session_timeout_s, seen_s)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (member.member_id, member.group, process, json.dumps(member.topics), member.session_timeout_s, now_s),
    )
    bump(db, member.group)


def remove(db: sqlite3.Connection, member_id: str, group: str) -> None:
    """Take a member out, whether it leaves or is expelled; what it owned is free."""
    gone = db.execute("DELETE FROM members WHERE member_id = ?", (member_id,)).rowcount
    if gone:
        db.execute("DELETE FROM owners WHERE group_name = ? AND member_id = ?", (group, member_id))
        bump(db, group)


def standing(db: sqlite3.Connection, member: Member, topics: Mapping[str, Topic]) -> Standing | None:
    rows = db.execute(
        "SELECT member_id, topics FROM members WHERE group_name = ? ORDER BY joined", (member.group,)
    ).fetchall()
    if member.member_id not in [member_id for member_id, _ in rows]:
        return None
    members = [(member_id, json.loads(names)) for member_id, names in rows]
    wanted = {name: topics[name].partitions for name in member.topics}
    names = {number: topics[name].partition(number) for name in wanted for number in topics[name].numbers()}
    stored = db.execute("SELECT number, member_id FROM owners WHERE group_name = ?", (member.group,))
    owners = {names[number]: owner for number, owner in stored if number in names}
    should = share(member.member_id, members, wanted)
    return Standing(
        should=should,
        free=frozenset(partition for partition in should if partition not in owners),
        held=frozenset(partition for partition, owner in owners.items() if owner == member.member_id),
    )


def take(db: sqlite3.Connection, member: Member, partitions: Numbers) -> list[TopicPartition]:
    if db.execute("SELECT 1 FROM members WHERE member_id = ?", (member.member_id,)).fetchone() is None:
        return []
    db.executemany(
        "INSERT OR IGNORE INTO owners VALUES (?, ?, ?)",
        [(member.group, number, member.member_id) for number in partitions.values()],
    )
    mine = _owned(db, member)
    return [partition for partition, number in partitions.items() if number in mine]


def release(db: sqlite3.Connection, member: Member, numbers: Iterable[int]) -> None:
    db.executemany(
        "DELETE FROM owners WHERE group_name = ? AND number = ? AND member_id = ?",
        [(member.group, number, member.member_id) for number in numbers],
    )
    bump(db, member.group)


def commit(
    db: sqlite3.Connection, member: Member, offsets: Mapping[TopicPartition, int], numbers: Numbers
) -> None:
    """Raises `Superseded` before anything is written."""
    mine = _owned(db, member)
    for partition in offsets:
        if numbers[partition] not in mine:
            raise Superseded(
                f"group {member.group} has another owner for {partition.topic}/{partition.partition}"
            )
    db.executemany(
        "INSERT INTO offsets VALUES (?, ?, ?)"
        " ON CONFLICT (group_name, number) DO UPDATE SET next_offset = excluded.next_offset",
        [(member.group, numbers[partition], offset) for partition, offset in offsets.items()],
    )


def _owned(db: sqlite3.Connection, member: Member) -> set[int]:
    rows = db.execute(
        "SELECT number FROM owners WHERE group_name = ? AND member_id = ?", (member.group, member.member_id)
    )
    return {number for (number,) in rows}


def note_seen(db: sqlite3.Connection, members: Iterable[Member], now_s: float) -> None:
    db.executemany(
        "UPDATE members SET seen_s = ? WHERE member_id = ?",
        [(now_s if member.polling else member.seen_s, member.member_id) for member in members],
    )


def overdue(db: sqlite3.Connection, process: str, now_s: float) -> list[tuple[str, str]]:
    """(member, group) of other processes' members whose session has run out."""
    return db.execute(
        "SELECT member_id, group_name FROM members"
        " WHERE process != ? AND (seen_s + session_timeout_s < ? OR seen_s > ? + 1.0)",
        (process, now_s, now_s),
    ).fetchall()


def of_process(db: sqlite3.Connection, process: str) -> list[tuple[str, str]]:
    return db.execute("SELECT member_id, group_name FROM members WHERE process = ?", (process,)).fetchall()


def other_processes(db: sqlite3.Connection, process: str) -> list[str]:
    return [
        name for (name,) in db.execute("SELECT DISTINCT process FROM members WHERE process != ?", (process,))
    ]
