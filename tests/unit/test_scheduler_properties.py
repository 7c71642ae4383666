"""Whatever happens in whatever order: the slots' invariant, nothing lost, nothing twice, nobody for ever."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from parley.domain.scheduling import Action, Admit, Limits, Load, Refuse, Scheduler, Suspend, Unload, Waiting

TENANTS = ("a", "b", "c", "d", "e", "f")
FAR = 1e9


class Worker(RuleBasedStateMachine):
    """A worker that does anything a worker may, and an engine that counts what is in its slots."""

    @initialize(
        slots=st.integers(0, 4),
        spare=st.integers(0, 3),
        in_flight=st.integers(1, 8),
        per_tenant=st.integers(1, 8),
        hold_s=st.sampled_from((0.0, 1.0, 5.0)),
        suspends=st.booleans(),
    )
    def begin(
        self, slots: int, spare: int, in_flight: int, per_tenant: int, hold_s: float, suspends: bool
    ) -> None:
        self.limits = Limits(
            slots, slots + spare, in_flight, per_tenant, hold_s=hold_s, urgent_s=3.0, suspends=suspends
        )
        self.scheduler = Scheduler(self.limits)
        self.now = 0.0
        self.number = 0
        self.waiting: dict[str, Waiting] = {}
        self.flying: dict[str, Waiting] = {}
        #: In flight, and told to leave the engine; and, of all that wait, who of equally old ones goes first.
        self.leaving: set[str] = set()
        self.places: dict[str, int] = {}
        self.since: dict[str, float] = {}
        self.over: set[str] = set()
        self.transfer: Load | Unload | None = None
        self.held: set[str] = set()

    @rule(
        tenant=st.sampled_from(TENANTS),
        version=st.sampled_from((None, 1, 1, 1, 2)),
        priority=st.sampled_from((0, 0, 1, 2)),
        age_s=st.sampled_from((0.0, 1.0, 30.0)),
        patience_s=st.sampled_from((-1.0, 0.0, 4.0, 60.0, FAR)),
        max_tokens=st.sampled_from((1, 50, 400)),
    )
    def add(
        self,
        tenant: str,
        version: int | None,
        priority: int,
        age_s: float,
        patience_s: float,
        max_tokens: int,
    ) -> None:
        self.number += 1
        id, adapter = f"r{self.number}", None if version is None else f"{tenant}@{version}"
        waiting = Waiting(
            id, tenant, adapter, priority, self.now - age_s, self.now + patience_s, 20, max_tokens
        )
        self.wait(waiting)

    def wait(self, waiting: Waiting) -> None:
        self.number += 1
        self.places[waiting.id] = -self.number if waiting.suspensions else self.number
        self.waiting[waiting.id] = waiting
        self.scheduler.add(waiting, self.now)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.waiting)))
        assert self.scheduler.cancel(id)
        assert not self.scheduler.cancel(id)
        self.end(self.waiting, id)

    @rule()
    def cancel_what_does_not_wait(self) -> None:
        assert not self.scheduler.cancel("never")
        assert not any(self.scheduler.cancel(id) for id in self.flying)

    @rule(seconds=st.sampled_from((0.0, 0.05, 1.0, 4.0)))
    def time_goes_on(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def step(self) -> None:
        self.act(self.scheduler.step(self.now))
        assert self.scheduler.step(self.now) == []
        wake_at = self.scheduler.wake_at()
        assert wake_at is None or wake_at > self.now
        self.check_nothing_admissible_waits()

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), tokens=st.integers(0, 60))
    def produce(self, data: st.DataObject, tokens: int) -> None:
        id = data.draw(st.sampled_from(sorted(self.flying)))
        before = self.scheduler.counters[self.flying[id].tenant]
        self.scheduler.produced(id, tokens)
        assert self.scheduler.counters[self.flying[id].tenant] >= before

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.flying)))
        self.scheduler.finished(id, self.now)
        self.end(self.flying, id)

    @precondition(lambda self: self.leaving)
    @rule(data=st.data())
    def leave_the_engine(self, data: st.DataObject) -> None:
        """It waits again, as old as it is, for what is left of it."""
        id = data.draw(st.sampled_from(sorted(self.leaving)))
        self.leaving.discard(id)
        left = self.flying.pop(id)
        self.scheduler.finished(id, self.now)
        self.wait(
            replace(
                left,
                prompt_tokens=0,
                max_tokens=max(1, left.max_tokens - 20),
                suspensions=left.suspensions + 1,
            )
        )

    @precondition(lambda self: self.transfer is not None)
    @rule(fails=st.sampled_from((False, False, False, True)))
    def transfer_ends(self, fails: bool) -> None:
        transfer, self.transfer = self.transfer, None
        assert transfer is not None
        adapter = transfer.adapter
        if isinstance(transfer, Unload):
            self.held.discard(adapter)
            self.scheduler.unloaded(adapter, self.now)
        elif fails:
            self.held.discard(adapter)
            self.leave(self.scheduler.load_failed(adapter, self.now), adapter)
        else:
            self.held.add(adapter)
            self.scheduler.loaded(adapter, self.now)

    @rule(tenant=st.sampled_from(TENANTS))
    def words_of_a_dead_engine(self, tenant: str) -> None:
        adapter = f"{tenant}@9"
        self.scheduler.loaded(adapter, self.now)
        self.scheduler.unloaded(adapter, self.now)
        assert self.scheduler.load_failed(adapter, self.now) == []
        self.scheduler.finished("never", self.now)
        self.scheduler.produced("never", 5)

    @rule(tenant=st.sampled_from(TENANTS))
    def retire(self, tenant: str) -> None:
        self.scheduler.retire(f"{tenant}@1")

    @rule(tenant=st.sampled_from(TENANTS))
    def withdraw(self, tenant: str) -> None:
        self.leave(self.scheduler.withdraw(f"{tenant}@1", self.now), f"{tenant}@1")

    @rule()
    def reset(self) -> None:
        self.scheduler.reset(self.now)
        self.transfer = None
        self.held.clear()
        for id in list(self.flying):
            self.end(self.flying, id)

    @rule()
    def everybody_is_served_or_refused_in_time(self) -> None:
        """From here on the engine works as it should, and nothing else comes. Far deadlines, so that nobody is saved by a refusal."""
        served_by = self.now + self.bound_s()
        while self.waiting:
            assert self.now <= served_by, f"{sorted(self.waiting)} still wait"
            self.act(self.scheduler.step(self.now))
            self.check_slots()
            self.now += 0.25
            if self.transfer is not None:
                self.transfer_ends(False)
            for id in list(self.flying):
                self.scheduler.produced(id, 40)
                self.scheduler.finished(id, self.now)
                self.end(self.flying, id)

    def bound_s(self) -> float:
        """Each adapter once: its urgency, the hold of another (twice, if that one was late to be served), both transfers; then all, one a step."""
        rounds = len({each.adapter for each in self.waiting.values()}) + 1
        return rounds * (4 * 3.0 + 2 * self.limits.hold_s + 4 * 0.25) + 0.25 * (len(self.waiting) + 4)

    @invariant()
    def check_slots(self) -> None:
        if self.limits.slots:
            used = {each.adapter for each in self.flying.values() if each.adapter}
            loading = {self.transfer.adapter} if isinstance(self.transfer, Load) else set()
            assert not used & loading
            assert len(used | loading) <= self.limits.slots
            assert used <= self.held
            assert len(self.held | loading) <= self.limits.held
        assert len(self.flying) <= self.limits.in_flight
        for tenant in TENANTS:
            assert sum(each.tenant == tenant for each in self.flying.values()) <= self.limits.per_tenant
        assert self.scheduler.waiting == len(self.waiting)
        assert self.scheduler.in_flight == len(self.flying)
        oldest = min((each.arrived for each in self.waiting.values()), default=None)
        assert self.scheduler.oldest_arrival == oldest

    def check_nothing_admissible_waits(self) -> None:
        if len(self.flying) >= self.limits.in_flight:
            return
        for each in self.waiting.values():
            tenant = sum(other.tenant == each.tenant for other in self.flying.values())
            assert tenant >= self.limits.per_tenant or not self.scheduler.open_for(each.adapter, self.now)

    def act(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Admit(id):
                    self.flying[id] = self.waiting.pop(id)
                    self.since[id] = self.now
                case Suspend(id):
                    visited = self.now - self.since[id]
                    assert self.limits.suspends and id not in self.leaving
                    assert visited >= self.limits.hold_s * 2 ** self.flying[id].suspensions
                    assert not self.scheduler.open_for(self.flying[id].adapter, self.now)
                    self.leaving.add(id)
                case Refuse(id, reason):
                    assert (reason == "deadline") == (self.waiting[id].deadline <= self.now)
                    self.end(self.waiting, id)
                case Load(adapter) | Unload(adapter):
                    assert self.transfer is None and self.limits.slots
                    assert adapter not in {each.adapter for each in self.flying.values()}
                    self.transfer = action

    def leave(self, ids: list[str], adapter: str) -> None:
        assert ids == sorted(
            (id for id, each in self.waiting.items() if each.adapter == adapter),
            key=lambda id: (self.waiting[id].arrived, self.places[id]),
        )
        for id in ids:
            self.end(self.waiting, id)

    def end(self, place: dict[str, Waiting], id: str) -> None:
        """Each request ends once."""
        del place[id]
        self.leaving.discard(id)
        assert id not in self.over
        self.over.add(id)


Worker.TestCase.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)
TestWorker = Worker.TestCase
