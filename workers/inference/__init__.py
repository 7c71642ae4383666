"""The inference worker, an effector: writes answers through the generator port and streams them, sentence by sentence."""

from workers.inference.effector import InferenceEffector

__all__ = ["InferenceEffector"]
