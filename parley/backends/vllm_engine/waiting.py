"""How vLLM's processes wait for each other on CPUs: asleep. A plugin of vLLM's, which each of its processes calls as it starts.

Its engine and its worker hand each other every step through shared memory, and whoever waits gives its turn away (`sched_yield`) and looks again.
Beside a GPU that is a core to spare. Where the model itself needs the cores it takes one of them from it, and on two cores the platform's
other processes stood still for seconds (Linux 6.18). Asleep for a tenth of a millisecond between two looks, the starter model writes a tenth
slower where nothing else runs, on half of the processor time.
"""

from functools import partial
from time import sleep

NAP_S = 1e-4


def wait_asleep() -> None:
    """Does nothing beside a GPU, nor with a release that waits otherwise."""
    from vllm.distributed.device_communicators import shm_broadcast
    from vllm.platforms import current_platform

    if current_platform.is_cpu() and hasattr(shm_broadcast, "sched_yield"):
        shm_broadcast.sched_yield = partial(sleep, NAP_S)
