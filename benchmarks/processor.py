"""Processor time as Linux counts it: of the whole machine, and of processes with all that descends from them (`man 5 proc`)."""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def machine_s() -> float:
    """Seconds that all cores have worked so far."""
    user, nice, system, _, _, irq, softirq = Path("/proc/stat").read_text().split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS_PER_S


def families_s(parents: Mapping[str, int]) -> dict[str, float]:
    """By name, seconds of the process with that pid and of its living descendants."""
    spent: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended in the meantime
            fields = each.read_text().rpartition(")")[2].split()
            pid = int(each.parent.name)
            children[int(fields[1])].append(pid)
            spent[pid] = (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def family(pid: int) -> float:
        return spent.get(pid, 0.0) + sum(map(family, children[pid]))

    return {name: family(pid) for name, pid in parents.items()}
