"""`python -m benchmarks [NAME…]`: runs benchmarks in processes of their own and prints their JSON lines."""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Sequence

NAMES = {
    "rules": "masking, risks, entities and the guard, a message at a time",
    "masking": "what masking finds and what it takes by mistake, beside Presidio where that is installed",
    "analysis": "what the analysis of finished conversations finds on a written set, and how fast it is",
    "replay": "decisions a second from an exported stream in memory",
    "bus": "records a second and latency of SQLite and Kafka",
    "decider": "events a second of the decider on Kafka and PostgreSQL",
    "effector": "events a second of the effector's loop on Kafka, beside FastStream",
    "inference_worker": "processor time of the inference worker a request, without an engine",
    "gateway": "messages a second that the gateway accepts and Kafka acknowledges",
    "latency": "message in to reply out: embedded, and with Kafka and PostgreSQL",
    "memory": "memory of everything in one process, idle",
    "intents": "intents on public sets below PARLEY_DATA",
    "retrieval": "10,000 chunks on each index: writing, searching, what is missed",
    "retrieval_sets": "what retrieval finds in public sets below PARLEY_DATA and on the bank",
    "follow_ups": "questions that need those before them, on the bank",
    "calls": "finished calls on one core, and how soon an agent is helped in a running one",
    "word_errors": "what a recogniser's errors cost retrieval, on the bank and on spoken questions below PARLEY_DATA",
    "slots": "the scheduler of adapter slots, in simulation",
}
"""In this order all are run; each is a module with a `main`."""


def parser() -> argparse.ArgumentParser:
    width = max(map(len, NAMES))
    lines = "\n".join(f"  {name:{width}}  {what}" for name, what in NAMES.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        usage="%(prog)s [-h] [NAME ...]",
        description=f"Runs benchmarks and prints their figures, one JSON line each; all without a name.\n\n{lines}",
        epilog="The inference worker beside the raw engine, on a GPU: python -m benchmarks.inference --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("names", nargs="*", metavar="NAME", help="which of them; all without one")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    names = parser().parse_args(arguments).names or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        parser().error(f"unknown: {', '.join(unknown)}; allowed: {', '.join(NAMES)}")
    if len(names) == 1:
        importlib.import_module(f"benchmarks.{names[0]}").main()
        return 0
    failed = 0
    for name in names:
        print(f"· {name}", file=sys.stderr, flush=True)
        failed |= subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
