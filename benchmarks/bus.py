"""The bus by itself, one JSON line a backend: produce and consume records a second, and latency from send to poll.

Reached for here: Kafka's latency below 3 ms (p50). SQLite's is bounded below by the disk's `fsync`.
"""

from statistics import median
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from time import perf_counter, perf_counter_ns

from benchmarks.reporting import percentile, report
from benchmarks.servers import servers
from parley.backends.bus import open_bus
from parley.ports.bus import Bus, Headers, TopicSpec

RUNS = 3
RECORDS = 20_000
PINGS = 500
VALUE = b"v" * 1_000
HEADERS: Headers = tuple((f"header_{number}", b"0" * 36) for number in range(8))


def main() -> None:
    with servers(postgres=False) as (kafka_url, _), TemporaryDirectory(prefix="parley-bench-") as folder:
        for backend in ("memory", "sqlite", "kafka"):
            runs = []
            for number in range(RUNS):
                url = {"memory": "memory:", "sqlite": f"sqlite:///{folder}/{number}.db", "kafka": kafka_url}[
                    backend
                ]
                runs.append(measure(open_bus(url), f"bench-{number}"))
            report("bus", backend=backend, **{name: median(run[name] for run in runs) for name in runs[0]})


def measure(bus: Bus, topic: str) -> dict[str, float]:
    admin = bus.admin()
    admin.apply([TopicSpec(topic, 12, None), TopicSpec(f"{topic}-ping", 12, None)])
    admin.close()
    try:
        return {**throughput(bus, topic), **latency(bus, f"{topic}-ping")}
    finally:
        bus.close()


def throughput(bus: Bus, topic: str) -> dict[str, float]:
    producer = bus.producer()
    producer.send(topic, key=b"warm", value=VALUE).result(30)
    began = perf_counter()
    for number in range(RECORDS):
        producer.send(topic, key=b"%d" % (number % 500), value=VALUE, headers=HEADERS)
    producer.flush()
    produced = perf_counter() - began
    producer.close()
    reader = bus.reader([topic], start="earliest")
    began = perf_counter()
    left = RECORDS + 1
    while left:
        left -= len(reader.poll(5.0, 500))
    consumed = perf_counter() - began
    reader.close()
    return {"produced_per_s": round(RECORDS / produced), "consumed_per_s": round(RECORDS / consumed)}


def latency(bus: Bus, topic: str) -> dict[str, float]:
    """Milliseconds from `send` to the record in the hands of a polling thread, one record at a time."""
    seen_ns: list[int] = []
    together = Barrier(2)
    reader = bus.reader([topic])

    def read() -> None:
        for _ in range(PINGS):
            while not reader.poll(5.0):
                pass
            seen_ns.append(perf_counter_ns())
            together.wait()

    thread = Thread(target=read)
    thread.start()
    producer = bus.producer()
    sent_ns = []
    for number in range(PINGS):
        sent_ns.append(perf_counter_ns())
        producer.send(topic, key=b"%d" % number, value=VALUE, headers=HEADERS).result(30)
        together.wait()
    thread.join()
    producer.close()
    reader.close()
    # The first ones pay for connections.
    taken = [(seen - sent) / 1e6 for sent, seen in zip(sent_ns, seen_ns, strict=True)][20:]
    return {"p50_ms": round(percentile(taken, 0.50), 3), "p99_ms": round(percentile(taken, 0.99), 3)}


if __name__ == "__main__":
    main()
