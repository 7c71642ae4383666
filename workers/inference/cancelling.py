"""Which generations are no longer wanted: told by `inference.control`, which may lose a word without harm."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from threading import Event as Flag
from threading import Lock

from parley.codec import Codec
from parley.errors import ParleyError
from parley.ports.bus import Bus, Record
from parley.runtime.backoff import Backoff
from schemas.base import Event
from schemas.topics import INFERENCE_CONTROL
from schemas.work import GenerationCancelled

log = logging.getLogger(__name__)

REMEMBERED = 10_000


class Cancellations:
    """Thread-safe. Remembers the last `REMEMBERED` cancelled generations, since a word may come before its request."""

    def __init__(self) -> None:
        self._cancelled: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()
        self._tell: Callable[[str], None] = lambda generation_id: None

    def tell(self, on_cancel: Callable[[str], None]) -> None:
        """Who is to hear of each one as it comes."""
        self._tell = on_cancel

    def cancel(self, generation_id: str) -> None:
        with self._lock:
            self._cancelled[generation_id] = None
            while len(self._cancelled) > REMEMBERED:
                self._cancelled.popitem(last=False)
        self._tell(generation_id)

    def known(self, generation_id: str) -> bool:
        """Is this generation cancelled by now?"""
        return generation_id in self._cancelled

    def listen(self, bus: Bus, codec: Codec, stop: Flag) -> None:
        """Follow the control topic until `stop`, also when the bus comes only later."""
        backoff = Backoff(0.2, 5.0)
        while not stop.is_set():
            try:
                self._follow(bus, codec, stop)
            except ParleyError as error:
                log.warning("inference hears of no cancellations: %s", error)
                stop.wait(backoff.next())

    def _follow(self, bus: Bus, codec: Codec, stop: Flag) -> None:
        with closing(bus.reader([INFERENCE_CONTROL.name], start="latest")) as reader:
            while not stop.is_set():
                for record in reader.poll(0.25):
                    self._hear(record, codec)

    def _hear(self, record: Record, codec: Codec) -> None:
        """What cannot be read is passed over: it only costs some words."""
        try:
            event = codec.decode(record)
        except ParleyError:
            return
        if isinstance(event, Event) and isinstance(event.body, GenerationCancelled):
            self.cancel(event.body.generation_id)
