"""`python -m benchmarks [NAME…]`: runs benchmarks in processes of their own and prints their JSON lines."""

import importlib
import subprocess
import sys

NAMES = (
    "rules",
    "masking",
    "replay",
    "bus",
    "decider",
    "effector",
    "inference_worker",
    "gateway",
    "latency",
    "memory",
    "intents",
    "retrieval",
    "retrieval_sets",
    "follow_ups",
    "slots",
)


def main(arguments: list[str]) -> int:
    names = arguments or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; allowed: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if len(names) == 1:
        importlib.import_module(f"benchmarks.{names[0]}").main()
        return 0
    failed = 0
    for name in names:
        print(f"· {name}", file=sys.stderr, flush=True)
        failed |= subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
