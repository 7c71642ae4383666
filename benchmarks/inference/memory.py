"""What a running engine's memory really holds, asked of its worker."""

from parley.backends.vllm_engine.worker_extension import SlotTable


class Memory(SlotTable):
    """Mixed into vLLM's worker in place of `SlotTable`."""

    def parley_memory(self) -> tuple[int, int]:
        """Bytes of all that the model computes with (weights, scales, adapters' slots), and tokens in the cache."""
        model = self.model_runner.get_model()  # type: ignore[attr-defined]  # a worker's
        parts = {each.data_ptr(): each for each in (*model.parameters(), *model.buffers())}
        config = self.cache_config  # type: ignore[attr-defined]
        weights = sum(each.numel() * each.element_size() for each in parts.values())
        return weights, config.num_gpu_blocks * config.block_size
