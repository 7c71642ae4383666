"""The customers' keys in a database of their own, and a cache in front of it that soon forgets."""

import secrets
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from time import monotonic

from sqlalchemy import Engine, Select, delete, select

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import put
from parley.backends.sql.engine import make_engine, reading, writing
from parley.backends.sql.wiping import overwrite_deleted, rewrite
from parley.errors import KeyErased
from parley.ports.clock import Clock, SystemClock
from parley.ports.keys import KEY_BYTES, KEY_HELD_S, CustomerKeys, Erasure
from schemas.base import CustomerId, TenantId

K, E = t.customer_keys.c, t.erasures.c


class SqlKeys:
    """Implements `parley.ports.keys.CustomerKeys`; thread-safe."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._engine: Engine = make_engine(url)
        overwrite_deleted(self._engine)
        self._clock = clock or SystemClock()

    def create(self, tenant: TenantId, customer: CustomerId) -> bytes:
        row = {
            "tenant": tenant,
            "customer_id": customer,
            "key": secrets.token_bytes(KEY_BYTES),
            "created_at": self._clock.now(),
        }
        erased = select(E.erased_at).where(E.tenant == tenant, E.customer_id == customer)
        with writing(self._engine) as connection:
            if connection.scalar(erased) is not None:
                raise KeyErased(f"customer {customer} was erased")
            put(connection, t.customer_keys, [row], "keep")
            return connection.scalars(_key_of(tenant, customer)).one()

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        with reading(self._engine) as connection:
            key = connection.scalars(_key_of(tenant, customer)).first()
        if key is None:
            raise KeyErased(f"customer {customer} has no key: erased, or never one of {tenant}'s")
        return key

    def erase(self, tenant: TenantId, customer: CustomerId) -> None:
        row = {"tenant": tenant, "customer_id": customer, "erased_at": self._clock.now()}
        with writing(self._engine) as connection:
            put(connection, t.erasures, [row], "keep")
            connection.execute(delete(t.customer_keys).where(K.tenant == tenant, K.customer_id == customer))

    def made_at(self, tenant: TenantId, customer: CustomerId) -> datetime | None:
        query = select(K.created_at).where(K.tenant == tenant, K.customer_id == customer)
        with reading(self._engine) as connection:
            return connection.scalar(query)

    def erasures(self) -> list[Erasure]:
        query = select(E.tenant, E.customer_id, E.erased_at).order_by(E.erased_at, E.tenant, E.customer_id)
        with reading(self._engine) as connection:
            return [Erasure(*row) for row in connection.execute(query)]

    def apply_erasures(self, listed: Iterable[Erasure] = ()) -> int:
        known = select(E.customer_id).where(E.tenant == K.tenant, E.customer_id == K.customer_id).exists()
        with writing(self._engine) as connection:
            put(connection, t.erasures, (each._asdict() for each in listed), "keep")
            return connection.execute(delete(t.customer_keys).where(known)).rowcount

    def wipe(self) -> str | None:
        return rewrite(self._engine, t.customer_keys)

    def forget(self) -> None:
        """Nothing is remembered here."""

    def close(self) -> None:
        self._engine.dispose()


def _key_of(tenant: str, customer: str) -> Select[bytes]:
    return select(K.key).where(K.tenant == tenant, K.customer_id == customer)


class CachedKeys:
    """Remembers the last keys for some seconds, so that an erasure elsewhere is seen soon. Thread-safe.

    Implements `parley.ports.keys.CustomerKeys`.
    """

    def __init__(self, keys: CustomerKeys, kept: int = 10_000, for_s: float = KEY_HELD_S) -> None:
        self._keys = keys
        self._most = kept
        self._for_s = for_s
        self._kept: OrderedDict[tuple[str, str], tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def create(self, tenant: TenantId, customer: CustomerId) -> bytes:
        began = monotonic()
        return self._remember(tenant, customer, self._keys.create(tenant, customer), began)

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        with self._lock:
            held = self._kept.get((tenant, customer))
        if held is not None and held[0] > monotonic():
            return held[1]
        began = monotonic()  # the key may be erased from the moment on at which the store looks
        return self._remember(tenant, customer, self._keys.get(tenant, customer), began)

    def erase(self, tenant: TenantId, customer: CustomerId) -> None:
        with self._lock:
            self._kept.pop((tenant, customer), None)
        self._keys.erase(tenant, customer)
        with self._lock:
            self._kept.pop((tenant, customer), None)

    def made_at(self, tenant: TenantId, customer: CustomerId) -> datetime | None:
        return self._keys.made_at(tenant, customer)

    def erasures(self) -> list[Erasure]:
        return self._keys.erasures()

    def apply_erasures(self, listed: Iterable[Erasure] = ()) -> int:
        taken = self._keys.apply_erasures(listed)
        with self._lock:
            self._kept.clear()
        return taken

    def wipe(self) -> str | None:
        return self._keys.wipe()

    def forget(self) -> None:
        """Let keys whose time is over leave memory too: without this the last ones would stay until others come."""
        now = monotonic()
        with self._lock:
            for name in [name for name, (until, _) in self._kept.items() if until <= now]:
                del self._kept[name]

    def close(self) -> None:
        self._keys.close()

    def _remember(self, tenant: TenantId, customer: CustomerId, key: bytes, began: float) -> bytes:
        with self._lock:
            self._kept[tenant, customer] = (began + self._for_s, key)
            self._kept.move_to_end((tenant, customer))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return key


def open_keys(url: str) -> SqlKeys:
    """Opens nothing yet. Raises `ConfigurationError` for a URL that cannot work."""
    return SqlKeys(url)
