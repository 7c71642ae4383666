"""The producer on Kafka: idempotent, acknowledged by all replicas in sync, one connection for all threads.

Until the broker was reached and a topic's partitions are known, records wait here in the order of their sends; a thread
hands them on. After that `send` hands them to kafka-python at once.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from parley.backends.kafka_bus.connecting import REQUEST_TIMEOUT_S, AdminLink, open_client, translate
from parley.backends.outgoing import Outstanding, Spread, check_record, failed
from parley.errors import BusUnavailable, ParleyError
from parley.ports.bus import MAX_RECORD_BYTES, Headers, Position

log = logging.getLogger(__name__)

BATCH_BYTES = 128 * 1024
MAX_BLOCK_MS = 200
RETRY_S = 0.1
CLOSE_FLUSH_S = 3.0
FORCE_S = 2.0


@dataclass(eq=False, slots=True)
class _Send:
    until_s: float
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int | None
    timestamp_ms: int | None
    future: Future[Position]


class KafkaBusProducer:
    def __init__(
        self, brokers: Sequence[str], link: AdminLink, linger_s: float, delivery_timeout_s: float
    ) -> None:
        request_timeout_s = min(REQUEST_TIMEOUT_S, max(delivery_timeout_s - linger_s, 0.1))
        self._settings: dict[str, Any] = {
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": int(linger_s * 1000),
            "delivery_timeout_ms": int(delivery_timeout_s * 1000),
            "request_timeout_ms": int(request_timeout_s * 1000),
            "batch_size": BATCH_BYTES,
            "max_request_size": 2 * MAX_RECORD_BYTES,
            "max_block_ms": MAX_BLOCK_MS,
            "metrics_enabled": False,
        }
        self._brokers = brokers
        self._link = link
        self._delivery_timeout_s = delivery_timeout_s
        self._spread = Spread()
        self._outstanding = Outstanding()
        self._changed = Condition()
        self._waiting: deque[_Send] = deque()
        self._counts: dict[str, int] = {}
        self._kafka: KafkaProducer | None = None
        self._thread: Thread | None = None
        self._closed = False

    # -- from any thread ----------------------------------------------------------------------------------------------

    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Future[Position]:
        size = check_record(key, value, headers)
        try:
            if self._closed:
                raise BusUnavailable("the producer is closed")
            future = self._outstanding.open(size)
        except BusUnavailable as error:
            return failed(error)
        until_s = time.monotonic() + self._delivery_timeout_s
        send = _Send(until_s, topic, key, value, headers, partition, timestamp_ms, future)
        count = self._counts.get(topic)
        if count is None or not self._hand_on(send, count):
            self._wait_for_topic(send)
        return future

    def flush(self, timeout_s: float = 30.0) -> None:
        self._outstanding.wait(timeout_s)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._outstanding.wait(CLOSE_FLUSH_S)
        except BusUnavailable:
            log.warning("records were not acknowledged when the producer was closed; their futures say which")
        with self._changed:
            self._give_up(list(self._waiting), BusUnavailable("the producer was closed"))
            self._waiting.clear()
            kafka, self._kafka = self._kafka, None
            self._changed.notify()
        if kafka is not None:
            _close(kafka)

    # -- to Kafka -----------------------------------------------------------------------------------------------------

    def _hand_on(self, send: _Send, partitions: int) -> bool:
        """Give a record to kafka-python. False when it does not know the topic's partitions just now."""
        kafka = self._kafka
        if kafka is None:
            if not self._closed:
                return False  # given up a moment ago; another one is made
            send.future.set_exception(BusUnavailable("the producer was closed"))
            return True
        try:
            number = self._spread.choose(send.topic, partitions, send.key, send.partition)
        except ValueError as error:
            send.future.set_exception(error)
            return True
        try:
            sent = kafka.send(
                send.topic,
                key=send.key,
                value=send.value,
                headers=list(send.headers),
                partition=number,
                timestamp_ms=send.timestamp_ms,
            )
        except (
            KafkaTimeoutError,
            ValueError,
        ):  # its metadata lacks the topic: after a leader was lost, for instance
            return False
        except KafkaError as error:
            self._fail(kafka, send.future, error)
            return True
        sent.add_callback(partial(_succeed, send.future))
        sent.add_errback(partial(self._fail, kafka, send.future))
        return True

    def _fail(self, kafka: KafkaProducer, future: Future[Position], error: Exception) -> None:
        """In kafka-python's thread, mostly. After a record that was given up, an idempotent client has a gap in its sequence: it may never
        send to that partition again, or to none at all. So a client whose record failed is not used any more.
        """
        with self._changed:
            if self._kafka is kafka and not self._closed:
                self._kafka = None
                self._counts.clear()  # what is sent from now on waits for the next client
                Thread(target=_close, args=(kafka,), name="kafka-producer-close", daemon=True).start()
        if not future.cancelled():
            future.set_exception(translate(error))

    def _wait_for_topic(self, send: _Send) -> None:
        with self._changed:
            count = self._counts.get(send.topic)
            if count is not None and not self._waits(send.topic) and self._hand_on(send, count):
                return
            self._counts.pop(send.topic, None)  # what is sent from now on queues up behind this one
            self._waiting.append(send)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="kafka-producer", daemon=True)
                self._thread.start()

    def _waits(self, topic: str) -> bool:
        return any(send.topic == topic for send in self._waiting)

    # -- the thread that finds the broker and its topics --------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._expire()
            with self._changed:
                topics = {send.topic for send in self._waiting}
                if not topics:
                    self._thread = None
                    return
            try:
                self._connect()
                for topic in topics:
                    self._release(topic)
            except BusUnavailable as error:
                log.debug("records wait for the broker: %s", error)
                with self._changed:
                    self._changed.wait(RETRY_S)
            except ParleyError as error:
                self._refuse(topics, error)

    def _connect(self) -> None:
        if self._kafka is not None:
            return
        kafka = open_client(KafkaProducer, self._brokers, **self._settings)
        with self._changed:
            if not self._closed:
                self._kafka = kafka
                return
        _close(kafka)

    def _release(self, topic: str) -> None:
        """Hand on what waits for a topic, in order, and let later sends pass by. Raises `BusUnavailable`."""
        try:
            count = self._link.partition_counts([topic])[topic]
            if self._kafka is not None:
                self._kafka.partitions_for(topic)
        except KafkaError as error:
            raise translate(error) from error
        except BusUnavailable:
            raise
        except ParleyError as error:
            self._refuse({topic}, error)
            return
        with self._changed:
            for send in [send for send in self._waiting if send.topic == topic]:
                if not self._hand_on(send, count):
                    return
                self._waiting.remove(send)
            self._counts[topic] = count

    def _refuse(self, topics: set[str], error: ParleyError) -> None:
        with self._changed:
            refused = [send for send in self._waiting if send.topic in topics]
            for send in refused:
                self._waiting.remove(send)
        self._give_up(refused, error)

    def _expire(self) -> None:
        now_s = time.monotonic()
        with self._changed:
            late = [send for send in self._waiting if send.until_s <= now_s]
            for send in late:
                self._waiting.remove(send)
        self._give_up(
            late, BusUnavailable(f"no broker took the record within {self._delivery_timeout_s:g} s")
        )

    def _give_up(self, sends: Sequence[_Send], error: ParleyError) -> None:
        for send in sends:
            send.future.set_exception(error)


def _succeed(future: Future[Position], metadata: Any) -> None:
    if not future.cancelled():
        future.set_result(Position(metadata.topic, metadata.partition, metadata.offset))


def _close(kafka: KafkaProducer) -> None:
    try:
        kafka.close(timeout=0.1)
    except KafkaTimeoutError:
        # Records are left: its own `close` gives up here and leaves the threads running. Fail the records, then close.
        kafka._sender.force_close()
        kafka._sender.join(FORCE_S)
        kafka.close(timeout=FORCE_S)
