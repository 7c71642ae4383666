"""The bus port, one suite on every backend: groups, rebalances, listeners, commits, sessions."""

import signal
import subprocess
import sys
import textwrap
from threading import get_ident

import pytest

from parley.errors import Superseded
from parley.ports.bus import Bus, Consumer, Record, Start, TopicPartition
from tests.support.buses import (
    Backend,
    Told,
    new_name,
    partitions_of,
    poll_until,
    read,
    send_all,
    send_one,
    settle,
)


def member(
    backend: Backend,
    group: str,
    topic: str,
    *,
    told: Told | None = None,
    start: Start = "earliest",
    session_s: float = 10.0,
    bus: Bus | None = None,
) -> Consumer:
    consumer = (bus or backend.bus).consumer(
        group, [topic], listener=told, start=start, session_timeout_s=session_s
    )
    return backend.closing(consumer)


def fill(backend: Backend, topic: str, partitions: int, each: int) -> None:
    producer = backend.producer()
    for number in range(partitions):
        send_all(producer, topic, [b"%d:%d" % (number, n) for n in range(each)], partition=number)


def next_offsets(records: list[Record]) -> dict[TopicPartition, int]:
    return {record.topic_partition: record.offset + 1 for record in records}


# -- positions --------------------------------------------------------------------------------------------------------


def test_what_was_committed_is_not_delivered_again_and_what_was_not_is(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    fill(backend, topic, 2, 10)
    first = member(backend, group, topic)
    records = read(first, 20)
    done = {TopicPartition(topic, 0): 4, TopicPartition(topic, 1): 10}

    first.commit(done)
    assert {p: first.committed(p) for p in done} == done
    first.close()

    second = member(backend, group, topic)
    again = read(second, 6)
    assert len(records) == 20
    assert [record.value for record in again] == [b"0:%d" % n for n in range(4, 10)]


def test_without_a_commit_a_group_begins_where_it_was_told(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    fill(backend, topic, 2, 3)
    late = member(backend, new_name("late"), topic, start="latest")
    settle(late, partitions=partitions_of(topic, 2))
    early = member(backend, new_name("early"), topic, start="earliest")

    send_all(backend.producer(), topic, [b"new"], partition=1)

    assert [record.value for record in read(late, 1)] == [b"new"]
    assert len(read(early, 7)) == 7
    assert early.committed(TopicPartition(topic, 0)) is None


def test_a_committed_offset_wins_over_the_start(backend: Backend) -> None:
    topic, group = backend.topic(partitions=1), new_name("group")
    fill(backend, topic, 1, 5)
    first = member(backend, group, topic)
    read(first, 5)
    first.commit({TopicPartition(topic, 0): 2})
    first.close()

    second = member(backend, group, topic, start="latest")

    assert [record.value for record in read(second, 3)] == [b"0:2", b"0:3", b"0:4"]


def test_two_groups_do_not_touch_each_other(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    fill(backend, topic, 2, 5)
    one, two = member(backend, new_name("one"), topic), member(backend, new_name("two"), topic)

    one.commit(next_offsets(read(one, 10)))

    assert len(read(two, 10)) == 10
    assert two.committed(TopicPartition(topic, 0)) is None


def test_seek_in_a_group(backend: Backend) -> None:
    topic, told = backend.topic(partitions=1), Told()
    fill(backend, topic, 1, 5)
    consumer = member(backend, new_name("group"), topic, told=told)
    read(consumer, 5)
    only = TopicPartition(topic, 0)

    consumer.seek(only, 3)

    assert consumer.position(only) == 3
    assert [record.value for record in read(consumer, 2)] == [b"0:3", b"0:4"]


def test_the_listener_may_ask_and_seek_when_it_is_told(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    fill(backend, topic, 2, 5)
    seen: dict[TopicPartition, tuple[int, int | None]] = {}

    class Seeker(Told):
        def assigned(self, partitions: object) -> None:
            for partition in consumer.assignment():
                (first,) = consumer.beginning_offsets([partition]).values()
                seen[partition] = (first, consumer.committed(partition))
                consumer.seek(partition, 4)

    consumer = member(backend, new_name("group"), topic, told=Seeker())

    values = sorted(record.value or b"" for record in read(consumer, 2))

    assert values == [b"0:4", b"1:4"]
    assert seen == dict.fromkeys(partitions_of(topic, 2), (0, None))


# -- sharing ----------------------------------------------------------------------------------------------------------


def test_members_share_the_partitions_and_one_takes_over_when_the_other_leaves(backend: Backend) -> None:
    topic, group = backend.topic(partitions=6), new_name("group")
    everything = partitions_of(topic, 6)
    told = Told(), Told()
    first = member(backend, group, topic, told=told[0])
    settle(first, partitions=everything)
    assert told[0].owned() == everything

    second = member(backend, group, topic, told=told[1])
    settle(first, second, partitions=everything)
    assert first.assignment() & second.assignment() == frozenset()
    assert len(first.assignment()) == len(second.assignment()) == 3
    assert (told[0].owned(), told[1].owned()) == (first.assignment(), second.assignment())

    second.close()
    settle(first, partitions=everything)
    assert (told[0].owned(), told[1].owned()) == (everything, frozenset())
    assert not told[0].was_told("lost")
    assert not told[1].was_told("lost")


def test_members_of_different_processes_share(backend: Backend) -> None:
    topic, group = backend.topic(partitions=4), new_name("group")
    first = member(backend, group, topic)
    second = member(backend, group, topic, bus=backend.another())

    settle(first, second, partitions=partitions_of(topic, 4))

    fill(backend, topic, 4, 3)
    records: list[Record] = []
    poll_until(lambda: len(records) >= 12, first, second, into=records)
    assert sorted(r.value or b"" for r in records) == sorted(
        b"%d:%d" % (p, n) for p in range(4) for n in range(3)
    )


def test_more_members_than_partitions(backend: Backend) -> None:
    topic, group = backend.topic(partitions=1), new_name("group")
    members = [member(backend, group, topic) for _ in range(2)]
    settle(*members, partitions=partitions_of(topic, 1))

    idle = next(each for each in members if not each.assignment())
    busy = next(each for each in members if each.assignment())
    busy.close()
    settle(idle, partitions=partitions_of(topic, 1))


def test_nothing_is_lost_or_doubled_over_a_rebalance_in_good_order(backend: Backend) -> None:
    topic, group = backend.topic(partitions=4), new_name("group")
    fill(backend, topic, 4, 50)
    handled: list[Record] = []

    def commit_first(_: object) -> None:
        mine = [record for record in handled if record.topic_partition in first.assignment()]
        first.commit(next_offsets(mine))

    first = member(backend, group, topic, told=Told(commit_first))
    poll_until(lambda: len(handled) >= 60, first, into=handled)
    second = member(backend, group, topic)
    poll_until(lambda: len(handled) >= 200, first, second, into=handled)
    poll_until(lambda: len(second.assignment()) == 2, first, second, into=handled)

    wanted = sorted(b"%d:%d" % (p, n) for p in range(4) for n in range(50))
    assert sorted(record.value or b"" for record in handled) == wanted


def test_the_listener_is_called_in_the_polling_thread_before_records_come(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    fill(backend, topic, 2, 2)
    told = Told()
    consumer = member(backend, new_name("group"), topic, told=told)
    assert told.calls == []

    records = consumer.poll(0.0)
    while not records:
        records = consumer.poll(0.5)
        assert consumer.assignment() == told.owned()

    consumer.close()
    assert told.threads == {get_ident()}
    assert told.owned() == frozenset()


def test_close_revokes_and_may_be_repeated(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    fill(backend, topic, 2, 3)

    def commit(_: object) -> None:
        consumer.commit({TopicPartition(topic, 0): 3, TopicPartition(topic, 1): 2})

    told = Told(commit)
    consumer = member(backend, group, topic, told=told)
    read(consumer, 6)
    consumer.close()
    consumer.close()

    assert told.calls == [("assigned", partitions_of(topic, 2)), ("revoked", partitions_of(topic, 2))]
    assert [r.value for r in read(member(backend, group, topic), 1)] == [b"1:2"]


def test_a_pause_does_not_outlive_the_ownership(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    everything = partitions_of(topic, 2)
    first = member(backend, group, topic)
    settle(first, partitions=everything)
    first.pause(everything)
    second = member(backend, group, topic)
    settle(first, second, partitions=everything)
    second.close()
    settle(first, partitions=everything)

    fill(backend, topic, 2, 1)
    first.resume(first.paused())

    assert len(read(first, 2)) == 2


# -- commits that must fail -------------------------------------------------------------------------------------------


def test_a_commit_for_what_is_not_owned_is_refused(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    first, second = member(backend, group, topic), member(backend, group, topic)
    settle(first, second, partitions=partitions_of(topic, 2))
    (theirs,) = second.assignment()

    with pytest.raises(Superseded):
        first.commit({theirs: 1})

    assert second.committed(theirs) is None
    first.commit({})


def test_a_member_that_stalls_past_its_session_loses_to_the_other(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    everything = partitions_of(topic, 2)
    fill(backend, topic, 2, 5)
    told = Told()
    stalled = member(backend, group, topic, told=told, session_s=backend.session_s)
    read(stalled, 10)
    other = member(backend, group, topic, session_s=backend.session_s)
    poll_until(
        lambda: len(other.assignment()) + len(stalled.assignment()) == 2 and bool(other.assignment()),
        stalled,
        other,
    )
    mine = stalled.assignment()
    assert mine

    records: list[Record] = []
    poll_until(lambda: other.assignment() == everything, other, into=records)
    poll_until(lambda: {r.topic_partition for r in records} >= mine, other, into=records)
    with pytest.raises(Superseded):
        stalled.commit(dict.fromkeys(mine, 1))
    assert not told.was_told("lost")

    poll_until(lambda: told.was_told("lost"), stalled, other)
    assert [partitions for kind, partitions in told.calls if kind == "lost"] == [mine]
    settle(stalled, other, partitions=everything)
    other.commit(dict.fromkeys(other.assignment(), 3))


def test_a_member_alone_that_stalls_is_told_and_begins_again(backend: Backend) -> None:
    topic, group = backend.topic(partitions=1), new_name("group")
    fill(backend, topic, 1, 3)
    told = Told()
    consumer = member(backend, group, topic, told=told, session_s=backend.session_s)
    read(consumer, 3)
    admin = backend.closing(backend.bus.admin())

    poll_until(lambda: admin.members(group) == 0)
    with pytest.raises(Superseded):
        consumer.commit({TopicPartition(topic, 0): 3})

    assert len(read(consumer, 3)) == 3  # uncommitted, so delivered again
    assert [kind for kind, _ in told.calls] == ["assigned", "lost", "assigned"]
    consumer.commit({TopicPartition(topic, 0): 3})


def test_a_long_poll_is_no_stall(backend: Backend) -> None:
    topic, group = backend.topic(partitions=1), new_name("group")
    told = Told()
    consumer = member(backend, group, topic, told=told, session_s=backend.session_s)
    settle(consumer, partitions=partitions_of(topic, 1))

    assert consumer.poll(backend.session_s * 2.5) == []

    consumer.commit({TopicPartition(topic, 0): 0})
    assert [kind for kind, _ in told.calls] == ["assigned"]


DOOMED = """
    import sys
    from parley.backends.bus import open_bus

    url, group, topic, session_s = sys.argv[1:]
    consumer = open_bus(url).consumer(group, [topic], session_timeout_s=float(session_s))
    told = False
    while True:
        consumer.poll(0.1)
        if consumer.assignment() and not told:
            print("member", flush=True)
            told = True
"""


@pytest.mark.parametrize("backend", ["sqlite", "kafka"], indirect=True)
def test_the_partitions_of_a_process_that_was_killed_are_taken_over(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    everything = partitions_of(topic, 2)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DOOMED), backend.url, group, topic, str(backend.session_s)],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"member\n"
        survivor = member(backend, group, topic, session_s=backend.session_s)
        poll_until(lambda: len(survivor.assignment()) == 1, survivor)

        process.send_signal(signal.SIGKILL)
        process.wait(10)

        settle(survivor, partitions=everything)
        fill(backend, topic, 2, 1)
        assert len(read(survivor, 2)) == 2
    finally:
        process.kill()
        process.communicate()


# -- what admins see --------------------------------------------------------------------------------------------------


def test_lag_and_members(backend: Backend) -> None:
    topic, group = backend.topic(partitions=2), new_name("group")
    admin = backend.closing(backend.bus.admin())
    assert (admin.lag(group), admin.members(group)) == ({}, 0)
    fill(backend, topic, 2, 10)
    first = member(backend, group, topic)
    read(first, 20)
    assert admin.members(group) == 1
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)

    first.commit({zero: 10, one: 4})
    assert admin.lag(group) == {zero: 0, one: 6}
    send_one(backend.producer(), topic, key=None)
    assert sum(admin.lag(group).values()) == 7

    second = member(backend, group, topic)
    settle(first, second, partitions=partitions_of(topic, 2))
    assert admin.members(group) == 2
    first.close()
    second.close()
    poll_until(lambda: admin.members(group) == 0)
    assert admin.lag(group)[one] >= 6
