"""Token buckets and quotas, on a clock that the test moves."""

from parley.runtime import limits
from parley.runtime.limits import TenantQuota, TokenBuckets, retry_after
from schemas.base import TenantId
from schemas.tenant import Limits

BANK = TenantId("bank")


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = HandClock()
    buckets = TokenBuckets(rate=2.0, burst=3, now=clock)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a") == 0.5
    clock.now += 0.5
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0


def test_what_is_refused_takes_nothing() -> None:
    clock = HandClock()
    buckets = TokenBuckets(rate=1.0, burst=1, now=clock)
    buckets.take("a")
    for _ in range(100):
        assert buckets.take("a") == 1.0
    clock.now += 1
    assert buckets.take("a") == 0.0


def test_asking_how_long_to_wait_takes_nothing() -> None:
    clock = HandClock()
    buckets = TokenBuckets(rate=2.0, burst=1, now=clock)
    assert [buckets.wait("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    buckets.take("a")
    assert buckets.wait("a") == 0.5
    clock.now += 0.5
    assert (buckets.wait("a"), buckets.take("a")) == (0.0, 0.0)


def test_keys_do_not_share() -> None:
    buckets = TokenBuckets(rate=1.0, burst=1, now=HandClock())
    assert buckets.take("a") == 0.0
    assert buckets.take("b") == 0.0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    clock = HandClock()
    buckets = TokenBuckets(rate=10.0, burst=2, now=clock)
    buckets.take("a")
    clock.now += 3600
    assert [buckets.take("a") == 0.0 for _ in range(3)] == [True, True, False]


def test_the_key_that_was_not_used_longest_is_forgotten() -> None:
    buckets = TokenBuckets(rate=0.001, burst=1, now=HandClock())
    for number in range(limits.MAX_KEYS):
        buckets.take(str(number))
    buckets.take("0")  # used again: now "1" is the oldest
    buckets.take("one more")
    assert buckets.take("0") > 0
    assert buckets.take("1") == 0.0


def test_a_tenant_is_held_to_its_messages_a_second() -> None:
    quota = TenantQuota(now=HandClock())
    allowed = Limits(messages_per_second=5, unsettled=1000)
    assert [quota.take(BANK, allowed) == 0.0 for _ in range(12)].count(True) == 10


def test_a_tenant_is_held_to_its_unsettled_messages_between_two_counts() -> None:
    quota = TenantQuota(now=HandClock())
    allowed = Limits(messages_per_second=1000, unsettled=3)
    quota.before_refresh()
    quota.refresh({BANK: 1})
    for _ in range(2):
        assert quota.take(BANK, allowed) == 0.0
        quota.accepted(BANK)
    assert quota.take(BANK, allowed) > 0
    assert quota.take(TenantId("other"), allowed) == 0.0


def test_what_is_accepted_during_a_count_is_not_lost() -> None:
    quota = TenantQuota(now=HandClock())
    allowed = Limits(messages_per_second=1000, unsettled=2)
    quota.accepted(BANK)
    quota.before_refresh()
    assert quota.take(BANK, allowed) == 0.0  # one is being counted
    quota.accepted(BANK)
    assert quota.take(BANK, allowed) > 0
    quota.refresh({BANK: 1})  # the count saw the first of the two only
    assert quota.take(BANK, allowed) > 0
    quota.before_refresh()
    quota.refresh({BANK: 0})
    assert quota.take(BANK, allowed) == 0.0


def test_retry_after_is_whole_seconds_and_never_nought() -> None:
    assert [retry_after(s) for s in (0.001, 1.0, 1.2)] == [1, 1, 2]
