"""The inference worker with all that runs beside it: who hears of cancelled generations, and who follows the live adapters."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread

from parley.codec import Codec
from parley.ports.bus import Bus
from parley.runtime.adapters import LiveAdapter, LiveAdapters
from schemas.base import TenantId
from workers.inference.adapters import Adapters
from workers.inference.cancelling import Cancellations
from workers.inference.desk import Desk
from workers.inference.serving import AdapterWriter
from workers.inference.swapping import Swaps
from workers.inference.worker import InferenceWorker

CHECK_EVERY_S = 30.0
"""How often one of the adapters that are serving is probed."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a worker has whose engine loads the tenants' adapters."""

    writer: AdapterWriter
    adapters: Adapters
    live: LiveAdapters


class InferenceRunner:
    """Implements `workers.wiring.Runner`."""

    name = "inference"

    def __init__(
        self,
        worker: InferenceWorker,
        cancellations: Cancellations,
        bus: Bus,
        codec: Codec,
        serving: Serving | None = None,
    ) -> None:
        self.worker = worker
        self.ready = worker.ready
        self._cancellations = cancellations
        self._bus = bus
        self._codec = codec
        self._serving = serving

    def run(self, stop: Flag) -> None:
        """The listeners end with the worker, whatever it ends of."""
        ended = Flag()
        with ExitStack() as stack:
            self._beside(stack, "control", lambda: self._cancellations.listen(self._bus, self._codec, ended))
            if self._serving is not None:
                self._follow_adapters(stack, self._serving, stop, ended)
            stack.callback(ended.set)
            self.worker.run(stop)

    def _beside(self, stack: ExitStack, name: str, work: Callable[[], None]) -> None:
        thread = Thread(target=work, name=f"inference-{name}", daemon=True)
        thread.start()
        stack.callback(thread.join, 2.0)

    def _follow_adapters(self, stack: ExitStack, serving: Serving, stop: Flag, ended: Flag) -> None:
        """No request is answered before it is known what is live."""
        live = serving.live
        live.tell(lambda *change: self._changed(serving, *change))
        self._beside(stack, "adapters", lambda: live.listen(self._bus, self._codec, ended))
        while not live.wait(0.2) and not stop.is_set():
            pass
        self.worker.companions.append(lambda desk: self._swaps(serving, desk).watch(CHECK_EVERY_S))

    def _changed(
        self, serving: Serving, tenant: TenantId, old: LiveAdapter | None, new: LiveAdapter | None
    ) -> None:
        """In the listening thread. Answers go on with the old version until the desk has the new one ready."""
        old_name, new_name = (each.name if each is not None else None for each in (old, new))
        move = serving.adapters.hold_back(tenant, old.digest if old is not None else None)
        if not self.worker.submit(
            lambda desk: self._swaps(serving, desk).switch(tenant, old_name, new_name, move)
        ):
            serving.adapters.go_on(tenant, move)

    @staticmethod
    def _swaps(serving: Serving, desk: Desk) -> Swaps:
        return Swaps(desk, serving.writer, serving.adapters)
