"""The inference worker: writes answers by quotation or through the engine port, and streams them, sentence by sentence."""

from workers.inference.runner import InferenceRunner

__all__ = ["InferenceRunner"]
