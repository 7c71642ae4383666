"""The dialogue worker, a decider: owner and epoch, turns and their settlement, routes, hand-off, close."""

from workers.dialogue.decider import DialogueDecider

__all__ = ["DialogueDecider"]
