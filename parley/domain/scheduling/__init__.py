"""Scheduling of an inference worker: which requests the engine gets, and which adapters its slots.

Pure, like all of the domain: the worker passes the time in and carries the actions out. One `Scheduler` for one engine.
"""

from parley.domain.scheduling.limits import Limits
from parley.domain.scheduling.requests import Action, Admit, Load, Reason, Refuse, Suspend, Unload, Waiting
from parley.domain.scheduling.scheduler import Scheduler

__all__ = [
    "Action",
    "Admit",
    "Limits",
    "Load",
    "Reason",
    "Refuse",
    "Scheduler",
    "Suspend",
    "Unload",
    "Waiting",
]
