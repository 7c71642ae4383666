"""Opening kafka-python's clients, and what its errors mean to us.

Nothing of kafka-python leaves this package: every call is made under `translated`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from selectors import DefaultSelector, SelectorKey
from socket import socket
from threading import Lock
from typing import Any, TypeVar

from kafka import KafkaAdminClient, errors
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from parley.errors import (
    BusUnavailable,
    ConfigurationError,
    ParleyError,
    RecordTooLarge,
    Superseded,
    UnknownTopic,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_TIMEOUT_S = 3.0
REQUEST_TIMEOUT_S = 10.0

#: Seconds instead of the library's half a minute, so that a broker that is back is found at once.
RECONNECTING = {"reconnect_backoff_ms": 50, "reconnect_backoff_max_ms": 1_000, "retry_backoff_ms": 50}

_DIRECT = "direct"


class _DirectSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python has no annotations
    """A plain connection that closes its socket when it fails: kafka-python forgets it, one at every try of an outage.

    Naming a proxy's scheme is how kafka-python lets a socket class be chosen.
    """

    SCHEMES = (_DIRECT,)

    async def sock_connect(
        self, net: Any, sock: socket, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise


class _Selector(DefaultSelector):
    """The system's own, without a message for each miss: kafka-python looks a socket up before each wait, and the standard library's
    `KeyError` for one that is not there describes it, with two system calls for its addresses.
    """

    def get_key(self, fileobj: Any) -> SelectorKey:
        number = fileobj.fileno()
        # One that is closed is known by itself alone.
        return super().get_key(fileobj if number < 0 else number)


_UNKNOWN_TOPIC = (errors.UnknownTopicOrPartitionError, errors.InvalidTopicError)
_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_SUPERSEDED = (
    errors.CommitFailedError,
    errors.IllegalGenerationError,
    errors.UnknownMemberIdError,
    errors.RebalanceInProgressError,
    errors.FencedInstanceIdError,
)
_CONFIGURATION = (
    errors.AuthorizationError,
    errors.KafkaConfigurationError,
    errors.IllegalArgumentError,
    errors.InconsistentGroupProtocolError,
    errors.InvalidConfigurationError,
    errors.InvalidGroupIdError,
    errors.InvalidPartitionsError,
    errors.InvalidReplicationFactorError,
    errors.InvalidSessionTimeoutError,
    errors.PolicyViolationError,
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedVersionError,
)


def translate(error: Exception) -> ParleyError:
    """Our error for one of kafka-python's; what is not known to be final may pass (`BusUnavailable`)."""
    name, words = type(error).__name__, str(error)
    text = f"Kafka: {words if words.startswith(name) else f'{name}: {words}'}"
    if isinstance(error, _UNKNOWN_TOPIC):
        return UnknownTopic(text)
    if isinstance(error, _TOO_LARGE):
        return RecordTooLarge(text)
    if isinstance(error, _SUPERSEDED):
        return Superseded(text)
    if isinstance(error, _CONFIGURATION):
        return ConfigurationError(text)
    return BusUnavailable(text)


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except errors.KafkaError as error:
        raise translate(error) from error


def unknown_topic(name: str) -> UnknownTopic:
    return UnknownTopic(f"topic {name} does not exist on the bus (parley topics apply creates it)")


def open_client(make: Callable[..., T], brokers: Sequence[str], **settings: Any) -> T:
    """A connected client. Raises `BusUnavailable` when no broker answers within `CONNECT_TIMEOUT_S`."""
    made: list[KafkaNetClient] = []

    def client(**config: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**config))
        return made[-1]

    try:
        return make(
            bootstrap_servers=list(brokers),
            bootstrap_timeout_ms=int(CONNECT_TIMEOUT_S * 1000),
            kafka_client=client,
            proxy_url=f"{_DIRECT}://",
            selector=_Selector,
            **RECONNECTING,
            **settings,
        )
    except errors.KafkaError as error:
        for each in made:  # a constructor that fails leaves its network thread running
            each.close()
        raise translate(error) from error


class AdminLink:
    """A connection for questions about the cluster, opened at the first one and again after an error. Thread-safe."""

    def __init__(self, brokers: Sequence[str]) -> None:
        self._brokers = brokers
        self._lock = Lock()
        self._client: KafkaAdminClient | None = None

    def ask(self, question: Callable[[KafkaAdminClient], T]) -> T:
        """Raises what `translate` makes of an error."""
        with self._lock:
            if self._client is not None:
                try:
                    return question(self._client)
                except errors.KafkaError as error:
                    self._drop()  # its connection, or what it knows of coordinators and controller, may be out of date
                    if not error.retriable:
                        raise translate(error) from error
            self._client = open_client(
                KafkaAdminClient, self._brokers, request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000)
            )
            try:
                return question(self._client)
            except errors.KafkaError as error:
                self._drop()
                raise translate(error) from error

    def partition_counts(self, topics: Sequence[str]) -> dict[str, int]:
        """Raises `UnknownTopic` for the first that does not exist, `BusUnavailable`."""
        described = self.ask(lambda admin: admin.describe_topics(list(topics)))
        counts = {}
        for topic in described:
            error = errors.for_code(topic["error_code"])
            if issubclass(error, _UNKNOWN_TOPIC):
                raise unknown_topic(topic["name"])
            if error is not errors.NoError:
                raise translate(error(topic["name"]))
            counts[topic["name"]] = len(topic["partitions"])
        return counts

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
