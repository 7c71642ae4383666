"""All workers in one process, each in a thread of its own: the embedded form, and what tests and `parley ask` run on.

A worker that stops with an error takes the whole process along: in the embedded form nobody else would notice.
"""

import logging
from collections.abc import Sequence
from threading import Event as Flag
from threading import Thread

from parley.runtime.faults import summary
from workers.wiring import BUILDERS, Platform, Runner, build_worker

log = logging.getLogger(__name__)


class Embedded:
    """Starts workers in threads and stops them again. `failed` is why the first one ended that ended by itself: whoever runs them raises it."""

    def __init__(self, platform: Platform, names: Sequence[str] = tuple(BUILDERS)) -> None:
        self._workers = [build_worker(name, platform) for name in names]
        self._stop = Flag()
        self.ended = Flag()
        self.failed: BaseException | None = None
        self._threads: list[Thread] = []

    def start(self) -> None:
        for worker in self._workers:
            thread = Thread(target=self._run, args=(worker,), name=worker.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def ready(self) -> bool:
        """Whether all of them work: a language model takes much longer to come up than everything else."""
        return all(worker.ready.is_set() for worker in self._workers)

    def stop(self, timeout_s: float = 15.0) -> None:
        """Tell all to drain, and wait for them."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=timeout_s)
            if thread.is_alive():
                log.warning("worker %s did not stop within %g s", thread.name, timeout_s)

    def _run(self, worker: Runner) -> None:
        try:
            worker.run(self._stop)
        except BaseException as error:
            if self.failed is not None or self._stop.is_set():
                log.error("worker %s stopped: %s", worker.name, summary(error))
            self.failed = self.failed or error
        finally:
            if not self._stop.is_set():
                self.ended.set()
