"""Memory of `make run`, idle, after one question has loaded everything: resident set in MB."""

import re
from pathlib import Path
from time import monotonic

import httpx

from benchmarks.latency import one_answer
from benchmarks.platforms import embedded
from benchmarks.reporting import report

SETTLE_S = 5.0


def main() -> None:
    with embedded() as platform, httpx.Client(base_url=platform.url, timeout=60) as client:
        one_answer(client, platform.api_key)
        until = monotonic() + SETTLE_S
        while monotonic() < until:
            resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{platform.pid}/status").read_text())[1])  # type: ignore[index]  # Linux always writes it
    report("memory", embedded_idle_mb=round(resident / 1024), to_stay_below_mb=300)
