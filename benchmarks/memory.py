"""Memory of `make run`, idle, after one question has loaded everything: resident set in MB."""

import re
from pathlib import Path
from time import sleep

from benchmarks.clients import ask_once
from benchmarks.latency import QUESTION
from benchmarks.platforms import embedded
from benchmarks.reporting import report

SETTLE_S = 5.0


def main() -> None:
    with embedded() as platform:
        ask_once(platform, QUESTION)
        sleep(SETTLE_S)
        status = Path(f"/proc/{platform.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None  # Linux always writes it
    report("memory", embedded_idle_mb=round(int(found[1]) / 1024), to_stay_below_mb=300)
