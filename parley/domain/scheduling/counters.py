"""Virtual token counters: what each tenant has been served, in weighted tokens; whoever has the smallest goes first.

Algorithm 2 of Sheng et al., "Fairness in Serving Large Language Models" (OSDI 2024, arXiv 2401.00588). A tenant that comes back after it
had nothing waiting is lifted to the least served of those that wait (or, where nobody waits, to the one that left last), so that idle
time saves up no credit.
"""


class Counters:
    def __init__(self, input_weight: float, output_weight: float) -> None:
        self._input_weight = input_weight
        self._output_weight = output_weight
        self._served: dict[str, float] = {}
        self._waiting: dict[str, int] = {}
        self._left_last: str | None = None

    def __getitem__(self, tenant: str) -> float:
        return self._served.get(tenant, 0.0)

    def snapshot(self) -> dict[str, float]:
        return dict(self._served)

    def waits(self, tenant: str) -> None:
        """One more request of the tenant waits."""
        count = self._waiting.get(tenant, 0)
        if count == 0:
            self._served[tenant] = max(self[tenant], self._floor())
        self._waiting[tenant] = count + 1

    def waits_no_more(self, tenant: str) -> None:
        """One of its requests was admitted, refused or cancelled."""
        count = self._waiting[tenant] - 1
        if count:
            self._waiting[tenant] = count
        else:
            del self._waiting[tenant]
            self._left_last = tenant

    def charge(self, tenant: str, prompt_tokens: int = 0, output_tokens: int = 0) -> None:
        cost = self._input_weight * prompt_tokens + self._output_weight * output_tokens
        self._served[tenant] = self[tenant] + cost

    def _floor(self) -> float:
        """What a tenant that comes back has been served at least."""
        if self._waiting:
            return min(self._served[tenant] for tenant in self._waiting)
        return 0.0 if self._left_last is None else self[self._left_last]
