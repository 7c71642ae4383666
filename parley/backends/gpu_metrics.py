"""What NVML tells of this machine's GPUs, and what vLLM counts for itself, for the worker's `/metrics`.

Both are read when somebody asks. Without an NVIDIA driver, or without `nvidia-ml-py`, there are no GPUs to tell of.
"""

from collections.abc import Iterable
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

VLLM_PREFIX = "vllm:"


class GpuCollector(Collector):
    """Utilisation (0 to 1), memory, energy since the driver was loaded, by the GPU's number."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        count = nvml.nvmlDeviceGetCount()
        self._devices = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(count)]

    def collect(self) -> Iterable[Metric]:
        busy = GaugeMetricFamily(
            "parley_gpu_utilisation", "Share of the time that kernels ran", labels=["gpu"]
        )
        used = GaugeMetricFamily("parley_gpu_memory_used_bytes", "Memory in use", labels=["gpu"])
        total = GaugeMetricFamily("parley_gpu_memory_bytes", "Memory there is", labels=["gpu"])
        energy = CounterMetricFamily("parley_gpu_energy_joules", "Energy used", labels=["gpu"])
        for number, device in enumerate(self._devices):
            memory = self._nvml.nvmlDeviceGetMemoryInfo(device)
            name = [str(number)]
            busy.add_metric(name, self._nvml.nvmlDeviceGetUtilizationRates(device).gpu / 100)
            used.add_metric(name, memory.used)
            total.add_metric(name, memory.total)
            energy.add_metric(name, self._nvml.nvmlDeviceGetTotalEnergyConsumption(device) / 1000)
        return [busy, used, total, energy]

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the driver when the collector is registered."""
        return []


class VllmCollector(Collector):
    """vLLM writes its metrics into the process's default registry; the worker has one of its own."""

    def collect(self) -> Iterable[Metric]:
        return [metric for metric in REGISTRY.collect() if metric.name.startswith(VLLM_PREFIX)]

    def describe(self) -> Iterable[Metric]:
        """vLLM makes them when it starts."""
        return []


def register(registry: CollectorRegistry) -> None:
    """Both, as far as they are there."""
    registry.register(VllmCollector())
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no library, or no driver: NVML has an error class of its own for each
        return
    registry.register(GpuCollector(pynvml))
