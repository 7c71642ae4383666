"""How much is too much at the doors: token buckets by key, conversation, chat, address and tenant, and the tenant's unsettled messages.

All of it lives in this process's memory: with several doors each allows its share of a rate. No HTTP here, and no lock.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.base import TenantId
from schemas.tenant import Limits

Monotonic = Callable[[], float]
MAX_KEYS = 100_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class TokenBuckets:
    """One bucket a key: `rate` tokens a second flow in up to `burst`; each call takes one.

    The token bucket of RFC 2697's family. Keys that were not used longest are forgotten first (a full bucket anyway).
    """

    def __init__(self, *, rate: float, burst: float, now: Monotonic = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, key: str) -> float:
        """The seconds until `take` would take one; 0.0 where it would at once. Nothing is taken."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0.0
        self._fill(bucket, self._rate, self._burst)
        return _missing(bucket, self._rate)

    def take(self, key: str, *, rate: float | None = None, burst: float | None = None) -> float:
        """Take one; returns 0.0, or the seconds to wait until there is one (nothing is taken then)."""
        rate = self._rate if rate is None else rate
        burst = self._burst if burst is None else burst
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._add(key, burst)
        else:
            self._buckets.move_to_end(key)
            self._fill(bucket, rate, burst)
        wait = _missing(bucket, rate)
        if not wait:
            bucket.tokens -= 1
        return wait

    def _add(self, key: str, burst: float) -> _Bucket:
        if len(self._buckets) >= MAX_KEYS:
            self._buckets.popitem(last=False)
        bucket = self._buckets[key] = _Bucket(burst, self._now())
        return bucket

    def _fill(self, bucket: _Bucket, rate: float, burst: float) -> None:
        """Add what has flowed in since the bucket was looked at last."""
        now = self._now()
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now


def _missing(bucket: _Bucket, rate: float) -> float:
    return 0.0 if bucket.tokens >= 1 else (1 - bucket.tokens) / rate


class TenantQuota:
    """A tenant's messages a second, and how many of its messages may wait to be settled at one time.

    What is unsettled is counted in the store (`refresh`, about every second); what this door has accepted since then is added.
    """

    def __init__(self, *, now: Monotonic = time.monotonic) -> None:
        self._rates = TokenBuckets(rate=1.0, burst=1.0, now=now)
        self._open: Mapping[TenantId, int] = {}
        self._accepted: dict[TenantId, int] = {}
        self._counting: dict[TenantId, int] = {}

    def take(self, tenant: TenantId, limits: Limits) -> float:
        """Returns 0.0, or the seconds to wait."""
        waiting = self._open.get(tenant, 0) + self._accepted.get(tenant, 0) + self._counting.get(tenant, 0)
        if waiting >= limits.unsettled:
            return 1.0
        rate = limits.messages_per_second
        return self._rates.take(tenant, rate=rate, burst=max(1.0, 2 * rate))

    def accepted(self, tenant: TenantId) -> None:
        self._accepted[tenant] = self._accepted.get(tenant, 0) + 1

    def before_refresh(self) -> None:
        """The store is about to be asked: what is accepted from now on may not be in its answer."""
        self._counting, self._accepted = self._accepted, {}

    def refresh(self, open_messages: Mapping[TenantId, int]) -> None:
        """The store's answer to the question announced by `before_refresh`."""
        self._open = open_messages
        self._counting = {}


def retry_after(seconds: float) -> int:
    """`Retry-After` counts whole seconds (RFC 9110 section 10.2.3)."""
    return max(1, math.ceil(seconds))
