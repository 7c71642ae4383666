"""The development servers themselves: what other tests rely on when they stop, kill and start them."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from infra.dev.chromium import Chromium
from infra.dev.ground import DevError, free_ports, wait_until
from infra.dev.kafka import KafkaServer
from infra.dev.layout import WORKERS, Ports, remembered_ports
from infra.dev.postgres import PostgresServer
from infra.dev.weaviate import WeaviateServer
from tests.servers import NewKafka


def make_topic(bootstrap: str, replicas: int = 1) -> str:
    name = f"servers-{uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": replicas}})
    wait_until(lambda: name in admin.list_topics(), 30.0, f"{name} was not listed")
    admin.close()
    return name


def send(bootstrap: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    producer.send(topic, value).get(timeout=30)
    producer.close()


def received(bootstrap: str, topic: str, expected: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    values = [record.value for _, record in zip(range(expected), consumer, strict=False)]
    consumer.close()
    return values


def test_a_broker_keeps_port_and_records_over_stop_and_kill(new_kafka: NewKafka) -> None:
    broker = new_kafka()
    bootstrap = broker.bootstrap
    topic = make_topic(bootstrap)
    send(bootstrap, topic, b"one")
    broker.restart()
    send(bootstrap, topic, b"two")
    broker.kill()
    assert not broker.alive()
    broker.start()
    assert received(bootstrap, topic, 2) == [b"one", b"two"]


def test_a_cleared_broker_knows_no_topic(clean_kafka: KafkaServer) -> None:
    make_topic(clean_kafka.bootstrap)
    clean_kafka.clear()
    admin = KafkaAdminClient(bootstrap_servers=clean_kafka.bootstrap)
    assert [name for name in admin.list_topics() if not name.startswith("__")] == []
    admin.close()


def test_a_cluster_of_three_goes_on_without_one(kafka_cluster: list[KafkaServer]) -> None:
    first, second, third = kafka_cluster
    everybody = ",".join(node.bootstrap for node in kafka_cluster)
    topic = make_topic(everybody, replicas=3)
    send(everybody, topic, b"all three")
    first.kill()
    others = f"{second.bootstrap},{third.bootstrap}"
    send(others, topic, b"two are enough")
    assert received(others, topic, 2) == [b"all three", b"two are enough"]
    first.start()
    assert first.alive()


def test_a_taken_port_is_named(kafka: KafkaServer, tmp_path: Path) -> None:
    twin = KafkaServer(tmp_path, kafka.port, free_ports(1)[0], dies_with_parent=True)
    with pytest.raises(DevError, match=f"cannot listen on 127.0.0.1:{kafka.port}: another program does"):
        twin.start()


def test_a_broker_that_dies_at_its_start_shows_its_log(tmp_path: Path) -> None:
    port, controller_port = free_ports(2)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "meta.properties").write_text("version=1\nnode.id=9\ncluster.id=of-another-broker\n")
    with pytest.raises(DevError, match=r"(?s)ended at its start; the end of .*server\.log.*node id 9"):
        KafkaServer(tmp_path, port, controller_port, dies_with_parent=True).start()


def test_a_killed_postgres_keeps_what_was_committed(postgres: PostgresServer, postgres_url: str) -> None:
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    postgres.kill()
    postgres.start()
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_weaviate_keeps_ports_and_collections_over_stop_and_kill(weaviate: WeaviateServer) -> None:
    schema, name = f"http://127.0.0.1:{weaviate.ports.http}/v1/schema", f"Kept{uuid4().hex}"
    httpx.post(schema, json={"class": name}).raise_for_status()
    weaviate.restart()
    weaviate.kill()
    assert not weaviate.alive()
    weaviate.start()
    assert httpx.get(f"{schema}/{name}").json()["class"] == name
    httpx.delete(f"{schema}/{name}").raise_for_status()


def test_each_database_is_the_tests_own(postgres: PostgresServer, store_url: str, keys_url: str) -> None:
    assert store_url != keys_url
    with psycopg.connect(store_url.replace("+psycopg", "")) as connection:
        tables = {
            row[0]
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }
    assert {"conversations", "history"} <= tables


def test_ports_are_remembered_and_those_of_an_earlier_form_are_not(tmp_path: Path) -> None:
    first = remembered_ports(tmp_path, 9000)
    assert first.gateway == 9000 and len({first.gateway, *first.servers()}) == 1 + len(first.servers())
    assert remembered_ports(tmp_path, None) == first
    (tmp_path / "ports.json").write_text(
        '{"gateway": 1, "kafka": 2, "controller": 3, "postgres": 4, "workers": {}}'
    )
    assert Ports.load(tmp_path / "ports.json") is None
    assert remembered_ports(tmp_path, None).kafka != 2


def test_a_worker_that_is_new_gets_a_port_beside_those_of_the_last_time(tmp_path: Path) -> None:
    before = remembered_ports(tmp_path, None)
    older = replace(before, workers={name: before.workers[name] for name in WORKERS[:-1]})
    older.save(tmp_path / "ports.json")
    found = remembered_ports(tmp_path, None)
    assert set(found.workers) == set(WORKERS) and len(set(found.servers())) == len(found.servers())
    assert replace(found, workers=older.workers) == older
    assert Ports.load(tmp_path / "ports.json") == found


def test_chromium_starts(chromium: Chromium, output_dir: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        window = playwright.chromium.launch(
            executable_path=str(chromium.executable), args=list(chromium.arguments)
        )
        page = window.new_page()
        page.set_content("<h1>Good day, 您好</h1>")
        page.screenshot(path=str(output_dir / "chromium.png"))
        assert page.inner_text("h1") == "Good day, 您好"
        window.close()


class TestAServerThatATestLeftStopped:
    """In this order: the second test finds what the first one left."""

    def test_is_stopped_here(self, kafka: KafkaServer, postgres: PostgresServer) -> None:
        kafka.stop()
        postgres.kill()
        assert not kafka.alive() and not postgres.alive()

    def test_runs_again_in_the_next(self, kafka: KafkaServer, postgres: PostgresServer) -> None:
        make_topic(kafka.bootstrap)
        assert postgres.ensure_database("postgres") == postgres.url()
