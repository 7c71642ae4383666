"""A scheduler by hand: requests by name, time in seconds, and the actions as short words."""

from typing import Any

from parley.domain.scheduling import Action, Admit, Limits, Load, Refuse, Scheduler, Suspend, Unload, Waiting


class Bench:
    """`ask` names requests `tenant` + number: `a1`, `a2`. An adapter is the tenant's own, `a@1`, unless another is given."""

    def __init__(self, slots: int = 2, in_flight: int = 8, **more: Any) -> None:
        settings = {
            "held": max(slots, 8),
            "per_tenant": in_flight,
            "hold_s": 2.0,
            "urgent_s": 6.0,
            "input_weight": 1.0,
            "output_weight": 2.0,
            **more,
        }
        self.scheduler = Scheduler(Limits(slots=slots, in_flight=in_flight, **settings))
        self.now = 0.0

    def at(self, now: float) -> "Bench":
        self.now = now
        return self

    def ask(self, *ids: str, **more: Any) -> None:
        for id in ids:
            tenant = id.rstrip("0123456789")
            settings = {
                "adapter": f"{tenant}@1",
                "priority": 0,
                "arrived": self.now,
                "deadline": self.now + 1000.0,
                "prompt_tokens": 10,
                "max_tokens": 10,
                **more,
            }
            self.scheduler.add(Waiting(id=id, tenant=tenant, **settings), self.now)

    def step(self) -> list[str]:
        return [word(action) for action in self.scheduler.step(self.now)]

    def finish(self, *ids: str, tokens: int = 0) -> None:
        for id in ids:
            self.scheduler.produced(id, tokens)
            self.scheduler.finished(id, self.now)

    def load(self, *adapters: str) -> list[str]:
        """Step, and let the loads that this asks for succeed at once, which are to be these; what else was done."""
        done = []
        for adapter in adapters:
            actions = self.step()
            assert actions.pop() == f"load {adapter}"
            done += actions
            self.scheduler.loaded(adapter, self.now)
        return done + self.step()


def word(action: Action) -> str:
    match action:
        case Admit(id):
            return id
        case Refuse(id, reason):
            return f"{id} {reason}"
        case Load(adapter):
            return f"load {adapter}"
        case Unload(adapter):
            return f"unload {adapter}"
        case Suspend(id):
            return f"suspend {id}"
