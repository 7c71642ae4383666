"""How `models/starter` is made: a small language model trained from nothing, and three LoRA adapters for it.

Needs the extra `train`. `prepare` reads the repository's tenants with Parley's own readers; `train`, `adapters` and `sample` need neither those
nor their dependencies, so that a bare machine with PyTorch, transformers and PEFT can train. `probes`, `evaluate` and `card` need Parley again.
"""
