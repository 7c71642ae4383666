"""The limits of a scheduler. How the defaults were found stands beside each; `python -m benchmarks slots` shows what they give."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Raises `ValueError` for limits that cannot work."""

    #: Adapters that the engine can decode with at once (its `max_loras`). 0: it loads none, and every name flows like the base model.
    slots: int
    #: Adapters that may be with the engine, those in slots among them: one fewer than the engine keeps.
    held: int
    #: Requests that the engine has at once.
    in_flight: int
    #: And of one tenant. Half of `in_flight` costs no throughput and halves what a tenant can take before the others have a slot.
    per_tenant: int
    #: Seconds that a resident with work keeps its slot at least. In simulation 0.75 to 2 s kept the same throughput; shorter ones put out
    #: adapters that a full engine had not served yet, longer ones make the rarest wait.
    hold_s: float = 0.75
    #: Seconds without a slot from which an adapter goes first, whatever the counters say; after twice as long even busy residents
    #: drain for it. A class of lower priority is lifted by one class each time it has waited so long. In simulation of 64 tenants on 16
    #: slots, 256 in flight: 3.5 s keeps 87 to 89 % of the throughput of an engine without swaps, 3 s 85 %; each second makes the rarest
    #: wait one longer.
    urgent_s: float = 3.5
    #: Whether what is in flight of a resident that drains may be suspended, once its hold is over, for an urgent adapter.
    suspends: bool = False
    #: Seconds that a request is expected to go on for at least to be suspended: what it costs to go on with it later is then well spent.
    #: In simulation 1 s kept as much throughput as 1.5 s, and more than 0.5 s.
    worth_s: float = 1.0
    #: What a token of a prompt and one of an output cost: as in section 5 of "Fairness in Serving Large Language Models"
    #: (arXiv 2401.00588), which takes them from the prices of hosted models.
    input_weight: float = 1.0
    output_weight: float = 2.0

    def __post_init__(self) -> None:
        _at_least("slots", self.slots, 0)
        _at_least("held", self.held, self.slots)
        _at_least("in_flight", self.in_flight, 1)
        _at_least("per_tenant", self.per_tenant, 1)
        _at_least("hold_s", self.hold_s, 0.0)
        _at_least("input_weight", self.input_weight, 0.0)
        _at_least("output_weight", self.output_weight, 0.0)
        if not self.urgent_s > 0.0:
            raise ValueError(f"urgent_s is {self.urgent_s}; it must be above 0")


def _at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name} is {value}; it must be at least {least}")
