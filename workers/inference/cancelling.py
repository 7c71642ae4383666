"""Which generations are no longer wanted: told by `inference.control`, which may lose a word without harm."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Event as Flag
from threading import Lock

from parley.codec import Codec
from parley.errors import ParleyError, TransientError
from parley.ports.bus import Bus
from parley.runtime.backoff import Backoff
from schemas.base import Event
from schemas.topics import INFERENCE_CONTROL
from schemas.work import GenerationCancelled

REMEMBERED = 10_000


class Cancellations:
    """Thread-safe. Remembers the last `REMEMBERED` cancelled generations."""

    def __init__(self) -> None:
        self._cancelled: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def cancel(self, generation_id: str) -> None:
        with self._lock:
            self._cancelled[generation_id] = None
            while len(self._cancelled) > REMEMBERED:
                self._cancelled.popitem(last=False)

    def of(self, generation_id: str) -> Callable[[], bool]:
        """A question to ask as often as one likes: is this generation cancelled by now?"""
        return lambda: generation_id in self._cancelled

    def listen(self, bus: Bus, codec: Codec, stop: Flag) -> None:
        """Follow the control topic until `stop`. What cannot be read is passed over: it only costs some words."""
        backoff = Backoff()
        reader = bus.reader([INFERENCE_CONTROL.name], start="latest")
        try:
            while not stop.is_set():
                try:
                    for record in reader.poll(0.25):
                        self._hear(codec.decode(record))
                    backoff.reset()
                except TransientError:
                    stop.wait(backoff.next())
                except ParleyError:
                    continue
        finally:
            reader.close()

    def _hear(self, event: object) -> None:
        if isinstance(event, Event) and isinstance(event.body, GenerationCancelled):
            self.cancel(event.body.generation_id)
