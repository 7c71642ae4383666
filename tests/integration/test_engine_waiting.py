"""vLLM's processes on CPUs leave the cores to who computes while they wait for each other."""

from importlib.metadata import entry_points
from time import monotonic, thread_time

import pytest

from tests.support.engines import vllm_missing

pytestmark = pytest.mark.skipif(vllm_missing() is not None, reason=vllm_missing() or "")


def test_every_process_of_vllm_is_told() -> None:
    [found] = [each for each in entry_points(group="vllm.general_plugins") if each.name == "parley"]
    assert found.load().__name__ == "wait_asleep"


def test_who_waits_sleeps() -> None:
    from vllm.distributed.device_communicators.shm_broadcast import SpinCondition
    from vllm.platforms import current_platform

    from parley.backends.vllm_engine.waiting import wait_asleep

    if not current_platform.is_cpu():
        pytest.skip("beside a GPU vLLM waits as it likes")
    wait_asleep()
    # Without its sockets, for which only one waits who was idle for long.
    reader = object.__new__(SpinCondition)
    reader.is_reader, reader.busy_loop_s = True, 60.0
    began, used = monotonic(), thread_time()
    for _ in range(200):
        reader.record_read()
        reader.wait()
    assert thread_time() - used < 0.5 * (monotonic() - began)
