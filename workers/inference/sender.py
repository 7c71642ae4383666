"""The thread in which everything leaves that the event loop has made: deltas through the guard, results to the bus.

The loop never waits for a key store or a broker. What was posted first leaves first, so a generation's deltas come before its result.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from parley.errors import TransientError
from parley.runtime.faults import describe
from parley.runtime.handling import Ended, Handling, Item, Results

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Results published with one wait for their acknowledgements."""

Work = Callable[[], Ended | None]


class Sender:
    """`post` may be called from any thread. `failed` makes the result of what could not be published."""

    def __init__(self, handling: Handling, failed: Callable[[Item], Results]) -> None:
        self._handling = handling
        self._failed = failed
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="inference-sender", daemon=True)
        #: What ended the thread against its will.
        self.fault: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def post(self, work: Work) -> None:
        """To be done in order; what it returns is published, and its record counted as done."""
        self._queue.put(work)

    def end(self, item: Item, ended: Callable[[], Ended]) -> None:
        """As `post`, for what a request ends with: where that cannot be made, it ends as failed."""

        def made() -> Ended:
            try:
                return ended()
            except TransientError:
                raise
            except Exception as error:
                log.error("inference: a result could not be made: %s", describe(error))
                return Ended(item, self._failed(item), "failed")

        self.post(made)

    def close(self, timeout_s: float) -> None:
        """Do what was posted, then end."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            for works in self._batches():
                self._finish([ended for work in works if (ended := self._do(work)) is not None])
        except TransientError as error:
            if not self._handling.ends():
                self.fault = error
        except BaseException as error:
            self.fault = error
            log.error("inference: the sending thread failed: %s", describe(error))

    def _batches(self) -> Iterator[list[Work]]:
        while True:
            works = [self._queue.get()]
            while len(works) < AT_ONCE and works[-1] is not None:
                try:
                    works.append(self._queue.get_nowait())
                except Empty:
                    break
            yield [work for work in works if work is not None]
            if works[-1] is None:
                return

    def _do(self, work: Work) -> Ended | None:
        """A delta that cannot be made costs the sight of it."""
        try:
            return work()
        except TransientError:
            raise
        except Exception as error:
            log.error("inference: a delta could not be made: %s", describe(error))
            return None

    def _finish(self, ended: Sequence[Ended]) -> None:
        if not ended:
            return
        try:
            self._handling.finish(ended)
        except TransientError:
            raise
        except Exception as error:
            if len(ended) > 1:
                for each in ended:
                    self._finish([each])
                return
            log.error("inference: a result could not be published: %s", describe(error))
            self._handling.finish([Ended(ended[0].item, self._failed(ended[0].item), "failed")])
