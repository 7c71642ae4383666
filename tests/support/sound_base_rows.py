"""For the workers of vLLM's own server (`--worker-extension-cls`), which nobody asks to mend anything: done when this is imported."""

from parley.backends.vllm_engine.worker_extension import mend_base

mend_base()


class SoundBaseRows:
    """Adds nothing else."""
