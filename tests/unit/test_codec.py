"""Sealing, opening, and refusing: what the codec makes of records."""

import secrets

import pytest

from parley.codec import SEALED_PREFIX, Codec, Erased, Outgoing
from parley.domain.events import follow
from parley.domain.sharding import SHARDS_PER_TENANT, shard_of, shards
from parley.errors import InvalidEvent, KeyErased, NewerVersion
from parley.ports.bus import Record
from schemas.base import CustomerId, Event, MessageId, TenantId
from schemas.conversation_events import MessageReceived
from schemas.other_events import AdapterPublished, AdapterRetired, TenantImported
from schemas.work import GenerationRequested
from tests.support.stories import NINE, PASSAGE, event

RECEIVED = event(MessageReceived(message_id=MessageId("m"), text="Where is my 卡?", channel="web"))


class Keys:
    """A key store in a dictionary."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], bytes] = {}
        self.erased: set[str] = set()

    def create(self, tenant: TenantId, customer: CustomerId) -> bytes:
        return self.get(tenant, customer)

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        if customer in self.erased:
            raise KeyErased(f"{customer}: erased")
        return self._keys.setdefault((tenant, customer), secrets.token_bytes(32))

    def erase(self, tenant: TenantId, customer: CustomerId) -> None:
        self.erased.add(customer)

    def close(self) -> None:
        """Nothing is open."""


def record(outgoing: Outgoing, **changes: object) -> Record:
    made = Record(outgoing.topic, 0, 0, 0, outgoing.key, outgoing.value, outgoing.headers)
    return made._replace(**changes)  # type: ignore[arg-type]  # tests damage records on purpose


def with_header(outgoing: Outgoing, name: str, value: bytes) -> Record:
    headers = tuple((n, value if n == name else v) for n, v in outgoing.headers)
    return record(outgoing, headers=headers)


def test_an_event_comes_back_as_it_was() -> None:
    codec = Codec(Keys())
    outgoing = codec.encode(RECEIVED)
    assert codec.decode(record(outgoing)) == RECEIVED
    assert (outgoing.topic, outgoing.key) == ("conversation.events", b"c-1")


def test_no_text_stands_in_the_bytes() -> None:
    value = Codec(Keys()).encode(RECEIVED).value.decode()
    assert "Where" not in value and SEALED_PREFIX in value


def test_the_same_event_always_gives_the_same_bytes() -> None:
    codec = Codec(Keys())
    assert codec.encode(RECEIVED) == codec.encode(RECEIVED)


def test_a_sealed_text_cannot_be_moved_to_another_event() -> None:
    codec = Codec(Keys())
    outgoing = codec.encode(RECEIVED)
    with pytest.raises(InvalidEvent, match="another event or damaged"):
        codec.decode(with_header(outgoing, "event_id", b"00000000-0000-5000-8000-000000000000"))


def test_another_customer_cannot_open_it() -> None:
    codec = Codec(Keys())
    with pytest.raises(InvalidEvent):
        codec.decode(with_header(codec.encode(RECEIVED), "customer_id", b"somebody-else"))


def test_what_an_erased_customer_wrote_decodes_to_erased() -> None:
    keys = Keys()
    codec = Codec(keys)
    outgoing = codec.encode(RECEIVED)
    keys.erase(TenantId("bank"), RECEIVED.envelope.customer_id)
    assert codec.decode(record(outgoing)) == Erased(RECEIVED.envelope)
    with pytest.raises(KeyErased):
        codec.encode(RECEIVED)


def test_plain_text_where_sealed_text_belongs_is_refused() -> None:
    codec = Codec(Keys())
    outgoing = codec.encode(RECEIVED)
    with pytest.raises(InvalidEvent, match="not sealed"):
        codec.decode(record(outgoing, value=b'{"message_id":"m","text":"hi","channel":"web"}'))


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "value"),
        (b"", "value"),
        (b"not json", "value"),
        (b"[]", "value"),
        (b"\xff\xfe", "value"),
        (b'{"message_id":"m","channel":"web"}', "text"),
        (b'{"message_id":"m","text":"","channel":"No fax"}', "channel"),
        (b'{"message_id":"m","text":"","channel":"web","more":1}', "value: Extra inputs"),
    ],
)
def test_a_value_that_keeps_no_contract_is_refused_by_field(value: bytes | None, field: str) -> None:
    codec = Codec(Keys())
    with pytest.raises(InvalidEvent, match=field):
        codec.decode(record(codec.encode(RECEIVED), value=value))


def test_reasons_never_quote_a_text() -> None:
    codec = Codec(Keys())
    bad = (
        b'{"message_id":["my secret is 4711"],"text":"","channel":"my secret is 4711","my secret is 4711":1}'
    )
    with pytest.raises(InvalidEvent) as caught:
        codec.decode(record(codec.encode(RECEIVED), value=bad))
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", b"not-a-uuid"),
        ("type", b"NoSuchEvent"),
        ("type", b"ReplyReady"),
        ("version", b"x"),
        ("tenant", b"../etc"),
        ("tenant_version", b""),
        ("occurred_at", b"2026-11-23T09:00:00"),
        ("traceparent", b"garbage"),
        ("customer_id", b"\xff"),
    ],
)
def test_bad_headers_are_refused(name: str, value: bytes) -> None:
    codec = Codec(Keys())
    with pytest.raises(InvalidEvent):
        codec.decode(with_header(codec.encode(RECEIVED), name, value))


def test_missing_headers_are_refused() -> None:
    codec = Codec(Keys())
    with pytest.raises(InvalidEvent, match="event_id"):
        codec.decode(record(codec.encode(RECEIVED), headers=()))


def test_a_newer_version_stops_instead_of_becoming_a_dead_letter() -> None:
    codec = Codec(Keys())
    with pytest.raises(NewerVersion, match="deploy the readers"):
        codec.decode(with_header(codec.encode(RECEIVED), "version", b"3"))


def test_what_follows_inherits_the_envelope_and_the_trace() -> None:
    child = follow(RECEIVED.envelope, MessageReceived(message_id=MessageId("n"), text="x", channel="web"), 0)
    again = follow(RECEIVED.envelope, MessageReceived(message_id=MessageId("n"), text="x", channel="web"), 0)
    other = follow(RECEIVED.envelope, MessageReceived(message_id=MessageId("n"), text="x", channel="web"), 1)
    assert child == again and child.envelope.event_id != other.envelope.event_id
    assert child.envelope.cause_id == RECEIVED.envelope.event_id
    assert RECEIVED.envelope.traceparent is not None and child.envelope.traceparent is not None
    assert child.envelope.traceparent[:36] == RECEIVED.envelope.traceparent[:36]
    assert child.envelope.traceparent != RECEIVED.envelope.traceparent


def test_generations_of_a_tenant_reach_few_partitions_and_a_conversation_one() -> None:
    body = GenerationRequested.model_validate(
        {
            "generation_id": "g",
            "message_ids": ("m",),
            "question": "?",
            "language": "en",
            "epoch": 0,
            "deadline": NINE,
            "passages": (PASSAGE,),
        }
    )
    codec = Codec(Keys())
    found = {codec.encode(event(body, conversation=f"c-{n}")).partition for n in range(200)}
    assert found == set(shards("bank", 12)) and len(found) == SHARDS_PER_TENANT
    assert shard_of("bank", "c-1", 12) == shard_of("bank", "c-1", 12)


def test_tenants_updates_are_keyed_by_tenant() -> None:
    assert Codec(Keys()).encode(event(TenantImported(name="Bank", imported_at=NINE))).key == b"bank"


def test_adapters_updates_are_keyed_by_tenant_so_that_compaction_keeps_its_last_word() -> None:
    retired = AdapterRetired(adapter="bank", digest="a" * 64)
    published = AdapterPublished(
        adapter="bank", digest="b" * 64, base_model="tiny", base_revision="r1", uri="file:///x"
    )
    codec = Codec(Keys())
    assert [codec.encode(event(body)).key for body in (published, retired)] == [b"bank", b"bank"]
    assert codec.decode(record(codec.encode(event(published)))) == event(published)


def test_states_are_sealed_under_their_own_name() -> None:
    codec = Codec(Keys())
    sealed = codec.seal_bytes(RECEIVED.envelope, b"state", "dialogue", "c-1")
    assert codec.unseal_bytes(RECEIVED.envelope, sealed, "dialogue", "c-1") == b"state"
    with pytest.raises(InvalidEvent):
        codec.unseal_bytes(RECEIVED.envelope, sealed, "dialogue", "c-2")


def test_an_event_is_what_it_says() -> None:
    assert isinstance(RECEIVED, Event) and RECEIVED.envelope.type == "MessageReceived"
