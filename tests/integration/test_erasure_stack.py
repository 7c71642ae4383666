"""The same erasure in the distributed form: Kafka's segments, PostgreSQL's files and dumps, Weaviate's, every process's log and metrics.

Also how soon processes that run notice that a key is gone.
"""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import sleep, time
from urllib.request import urlopen

import psycopg
import pytest

from infra.dev import postgres
from infra.dev.ground import ROOT
from infra.dev.stack import DATABASES, GATEWAY, Stack
from parley.errors import KeyErased
from parley.ports.bus import Record
from parley.ports.keys import KEY_HELD_S
from parley.runtime.erasing import SETTLE_S
from schemas.base import CustomerId
from tests.servers import NewStack
from tests.support.traces import (
    after_the_erasure,
    before_the_erasure,
    check_commands,
    erase,
    files,
    found_in,
    opened_texts,
    spellings,
    talks_on,
)
from tests.support.witness import ERASED, KEPT, TENANT, Witness, records_of


@pytest.fixture(scope="module")
def stack(new_stack: NewStack) -> Stack:
    settings = {
        "PARLEY_DEMO": "false",
        "PARLEY_LOG_LEVEL": "DEBUG",
        "PARLEY_MESSAGES_PER_MINUTE": "10000",
    }
    return new_stack(tenants=[ROOT / "tenants" / "mobile"], extra=settings)


@pytest.fixture(scope="module")
def witness(stack: Stack) -> Witness:
    return Witness(stack.environment(), stack.url)


def everywhere(stack: Stack) -> Iterator[Path]:
    """Every file of every server and process: segments, tables, write-ahead logs, indexes, logs, homes."""
    return files(stack.state, stack.postgres.data_dir)


def tables(stack: Stack) -> list[Path]:
    """PostgreSQL's tables and indexes as they lie on disk now."""
    with psycopg.connect(stack.postgres.url().replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    return [path for path in files(stack.postgres.data_dir) if "base" in path.parts]


def server(stack: Stack, program: str, *arguments: str) -> bytes:
    folder = postgres.binaries()
    assert folder is not None  # the stack runs on it
    done = subprocess.run([str(folder / program), *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def url_of(stack: Stack, database: str) -> str:
    return stack.postgres.url(database).replace("+psycopg", "")


def metrics(stack: Stack) -> str:
    ports = [stack.ports.gateway, *stack.ports.workers.values()]
    return "".join(urlopen(f"http://127.0.0.1:{port}/metrics").read().decode() for port in ports)


@pytest.mark.timeout(600)
def test_who_is_erased_is_gone_from_everything_and_the_other_one_talks_on(
    stack: Stack, witness: Witness, tmp_path: Path
) -> None:
    gone, kept = witness.converse(ERASED), witness.converse(KEPT)
    key, everything = before_the_erasure(witness, gone)
    assert found_in([key], tables(stack)), "the key is in its table"
    assert found_in(spellings(ERASED) + spellings(KEPT), everywhere(stack)) == set(), "all text is sealed"
    dumps = {name: server(stack, "pg_dump", "--dbname", url_of(stack, name)) for name in DATABASES}
    assert key.hex().encode() in dumps["parley_keys"]
    erase(witness, gone)
    after_the_erasure(witness, gone, everything)
    check_commands(witness, gone, tmp_path)
    told = metrics(stack)
    assert not any(word in told for word in (*ERASED.markers, *KEPT.markers, gone.customer_id))
    assert found_in(spellings(ERASED), everywhere(stack)) == set()
    assert found_in([key, key.hex().encode()], tables(stack)) == set(), "no table has the key's bytes"
    outside = found_in([key, key.hex().encode()], everywhere(stack))
    left = {Path(name).parent.name for name, _ in outside}
    print(f"the key's bytes are left in {left or 'no file'}")
    assert left <= {"pg_wal"}, "docs/privacy.md says what is left"
    for name in ("parley_keys", "parley"):
        restored(stack, witness, gone.customer_id, name, dumps[name])
    talks_on(kept)


def restored(stack: Stack, witness: Witness, customer: CustomerId, name: str, dump: bytes) -> None:
    """A dump from before the erasure in place of one of the two databases, and what brings it up to date."""
    copy = f"{name}_restored"
    stack.postgres.create_database(copy)
    subprocess.run(
        [str(postgres.binaries() or "") + "/psql", "--quiet", "--dbname", url_of(stack, copy)],
        input=dump,
        capture_output=True,
        check=True,
    )
    variable = "PARLEY_KEYS_URL" if name == "parley_keys" else "PARLEY_DATABASE_URL"
    theirs = Witness.__new__(Witness)
    theirs.environment = {**witness.environment, variable: stack.postgres.url(copy)}
    assert held(theirs, customer) == (name == "parley_keys", name == "parley"), "restored as it was"
    assert theirs.parley("db", "upgrade").returncode == 0
    assert held(theirs, customer) == (False, False)


def held(witness: Witness, customer: CustomerId) -> tuple[bool, bool]:
    """Whether the customer's words can be read, and whether there are rows."""
    with witness.opened() as opened:
        texts = "".join(opened_texts(records_of(opened.bus, customer), opened.keys).values())
        rows = opened.store.held(TENANT, customer)
        return ERASED.markers[0] in texts, any(rows.values())


@pytest.mark.timeout(300)
def test_running_processes_notice_within_seconds_that_a_key_is_gone(stack: Stack, witness: Witness) -> None:
    """The key alone is erased, as by a command elsewhere that was interrupted, while the customer keeps writing."""
    customer = witness.begin(KEPT)
    customer.say("hello", "m-0")
    customer.customer_id = witness.parley_json("privacy", "find", customer.conversation_id)["customer_id"]
    with witness.opened() as opened:
        sleeping = [customer.write(f"again {number}", f"w-{number}").status_code for number in range(3)]
        assert sleeping == [202] * 3
        opened.keys.erase(TENANT, customer.customer_id)
        erased_at = time()
        statuses: list[int] = []
        while not statuses or statuses[-1] != 410:
            assert time() < erased_at + 3 * SETTLE_S, statuses
            statuses.append(customer.write("still there?", f"x-{len(statuses)}").status_code)
            sleep(0.1)
        noticed_s = time() - erased_at
        with pytest.raises(KeyErased):
            opened.keys.get(TENANT, customer.customer_id)
        sleep(max(0.0, erased_at + SETTLE_S + 2.0 - time()))
        written = sealed_after(records_of(opened.bus, customer.customer_id), erased_at)
    print(
        f"the gateway noticed after {noticed_s:.1f} s; the last text was sealed after {max(written, default=0):.1f} s"
    )
    assert set(statuses) <= {202, 410} and noticed_s < KEY_HELD_S + 2.0
    assert max(written, default=0.0) < SETTLE_S, "a worker still seals"
    assert stack.alive(GATEWAY)


def sealed_after(records: Sequence[Record], moment: float) -> list[float]:
    """Seconds after the moment at which records with texts were written."""
    sealed = [record for record in records if b"siv1:" in (record.value or b"")]
    return [late for record in sealed if (late := record.timestamp_ms / 1000 - moment) > 0]
