"""What NVML tells of a GPU while something runs: utilisation, memory, energy. Nothing where there is no NVIDIA GPU."""

from contextlib import suppress
from dataclasses import dataclass, field
from statistics import mean
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import Any, Self

EVERY_S = 0.1


def memory_bytes() -> int | None:
    """All of the first GPU's, as CUDA has it to give; None where there is none."""
    import torch

    return int(torch.cuda.mem_get_info()[1]) if torch.cuda.is_available() else None


@dataclass(slots=True)
class Watch:
    """Use as a context manager around what is measured."""

    utilisation: list[float] = field(default_factory=list)
    #: Joules, of all that ran on the GPU meanwhile.
    energy_j: float | None = None
    memory_bytes: int | None = None
    _device: Any = None
    _stop: Flag = field(default_factory=Flag)
    _thread: Thread | None = None
    _energy_mj: int = 0

    def __enter__(self) -> Self:
        with suppress(Exception):  # no driver, no library: no figures
            import pynvml

            pynvml.nvmlInit()
            self._device = pynvml.nvmlDeviceGetHandleByIndex(0)
            self._energy_mj = pynvml.nvmlDeviceGetTotalEnergyConsumption(self._device)
            self._thread = Thread(target=self._look, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        import pynvml

        self._stop.set()
        self._thread.join()
        used = pynvml.nvmlDeviceGetTotalEnergyConsumption(self._device) - self._energy_mj
        self.energy_j = used / 1000
        self.memory_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(self._device).used)

    def _look(self) -> None:
        import pynvml

        while not self._stop.wait(EVERY_S):
            self.utilisation.append(float(pynvml.nvmlDeviceGetUtilizationRates(self._device).gpu))

    def busy(self) -> float | None:
        """Mean utilisation in per cent, without the first and the last tenth, in which a run begins and ends."""
        edge = len(self.utilisation) // 10
        middle = self.utilisation[edge : len(self.utilisation) - edge]
        return round(mean(middle), 1) if middle else None
