"""Calls: 1,000 finished ones of 60 turns on one core, in the embedded form; and how soon an agent is helped in a running one.

The first line's seconds add up: reading the files, until the log has every call (masked, sealed, claimed), until every call is a closed conversation
in the read model. `whole_s` is from the first file to the last conversation, `processor_s` what it cost of the core. The second line is the time from a customer's final segment to
what is understood of it and to the suggestion, with everything in one process and one call at a time.
"""

import json
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import perf_counter, process_time, sleep
from typing import Any

from websockets.sync.client import ClientConnection, connect

from benchmarks.platforms import embedded
from benchmarks.reporting import percentile, report
from connectors.calls.book import CallBook
from connectors.calls.formats import read
from parley.backends.tenant_folder import load
from parley.cli import admin
from parley.cli.tenants import import_version
from parley.settings import Settings
from schemas.base import TenantId
from workers.wiring import Platform, build_worker, open_platform

CALLS, TURNS = 1_000, 60
WORKERS = ("calls", "dialogue")
HELPED = 60
QUESTIONS = (
    "um what does the everyday account cost a month?",
    "how do I freeze my card in the app?",
    "what is the fee for cash abroad?",
    "how long does a transfer to another bank take?",
    "can I raise the limit of my card?",
    "I lost my card yesterday, what do I do?",
)
SAID = (
    *QUESTIONS,
    "uh my number is 0171 5550 199, and my mail is {name}@mail.example",
    "okay, let me, let me look at that for you",
    "the card ends in 4242, and I paid 84.50 euros on the third of May",
    "yes please, that would be great, thank you",
    "I will send you the form by tomorrow",
    "好的，请稍等，我帮您看一下",
)


def files(chance: random.Random) -> Iterator[bytes]:
    """Calls as vCons, each another."""
    for number in range(CALLS):
        body = [
            {
                "speaker": "Agent" if turn % 2 else "Customer",
                "message": chance.choice(SAID).format(name=f"c{number}t{turn}"),
                "start": turn * 4.0,
                "end": turn * 4.0 + 3.5,
            }
            for turn in range(TURNS)
        ]
        call = {
            "vcon": "0.4.0",
            "uuid": f"0190aaaa-0000-8000-8000-{number:012d}",
            "created_at": "2026-03-01T10:00:00Z",
            "parties": [{"name": "Mira Holt", "role": "customer"}, {"name": "Jo Lind", "role": "agent"}],
            "dialog": [
                {"type": "recording", "start": "2026-03-01T09:30:00Z", "duration": 240, "parties": [0, 1]}
            ],
            "analysis": [
                {"type": "transcript", "dialog": 0, "vendor": "x", "encoding": "json", "body": body}
            ],
        }
        yield json.dumps(call).encode()


def imported() -> dict[str, float]:
    made = list(files(random.Random(7)))
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as home:
        settings = Settings.load(home=Path(home), database_url="", keys_url="", bus_url="")
        admin.upgrade(settings)
        with closing(open_platform(settings)) as platform:
            platform.bus.admin().apply(admin.specs(settings))
            import_version(platform, load(Path("tenants/bank")))
            began, busy = perf_counter(), process_time()
            calls = [call for data in made for call in read(data)]
            parsed = perf_counter()
            with closing(CallBook(platform, TenantId("bank"))) as book:
                conversations = [book.take(call).conversation_id for call in calls]
            logged = perf_counter()
            _made_conversations(platform, conversations)
            ended = perf_counter()
    return {
        "parse_s": round(parsed - began, 2),
        "log_s": round(logged - parsed, 2),
        "conversations_s": round(ended - logged, 2),
        "whole_s": round(ended - began, 2),
        "processor_s": round(process_time() - busy, 2),
    }


def _made_conversations(platform: Platform, conversations: list[Any]) -> None:
    """Run the workers until the last call is closed, which it is after all of its turns."""
    stop = Flag()
    workers = [build_worker(name, platform) for name in WORKERS]
    threads = [Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    for conversation in reversed(conversations):
        while (row := platform.store.conversation(conversation)) is None or row.status != "closed":
            sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()


class Line:
    """A running call on a gateway."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._tell(
            {
                "type": "start",
                "call_id": f"bench-{os.getpid()}",
                "agent": {"id": "a", "name": "A"},
                "language": "en",
            }
        )

    def helped(self, text: str) -> tuple[float, float]:
        """Seconds from a final segment to what is understood of it, and to the suggestion."""
        self._number += 1
        at = self._number * 5_000
        frame = {"type": "segment", "segment_id": f"s{self._number}", "speaker": "customer", "text": text}
        began = perf_counter()
        self._tell({**frame, "final": True, "start_ms": at, "end_ms": at + 3_000})
        self._until("read")
        read_s = perf_counter() - began
        self._until("suggestion")
        suggested_s = perf_counter() - began
        agents = {**frame, "segment_id": f"a{self._number}", "speaker": "human_agent", "text": "One moment."}
        self._tell({**agents, "final": True, "start_ms": at + 3_100, "end_ms": at + 4_000})
        self._until("ack")
        return read_s, suggested_s

    def _until(self, kind: str) -> None:
        while json.loads(self._socket.recv(30))["type"] != kind:
            pass

    def _tell(self, frame: dict[str, Any]) -> None:
        self._socket.send(json.dumps(frame))


def helped() -> dict[str, float]:
    with embedded() as platform:
        address = f"ws{platform.url.removeprefix('http')}/v1/calls/live"
        headers = {"Authorization": f"Bearer {platform.api_key}"}
        with connect(address, additional_headers=headers, proxy=None) as socket:
            line = Line(socket)
            for text in QUESTIONS:  # models are loaded, not counted
                line.helped(text)
            found = [line.helped(QUESTIONS[number % len(QUESTIONS)]) for number in range(HELPED)]
    read_ms, suggested_ms = ([1000 * each[which] for each in found] for which in (0, 1))
    return {
        "understood_ms_p50": round(percentile(read_ms, 0.5)),
        "understood_ms_p95": round(percentile(read_ms, 0.95)),
        "suggestion_ms_p50": round(percentile(suggested_ms, 0.5)),
        "suggestion_ms_p95": round(percentile(suggested_ms, 0.95)),
    }


def main() -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    report("calls", calls=CALLS, turns=TURNS, cores=1, **imported())
    os.sched_setaffinity(0, cores)
    report("calls_live", segments=HELPED, **helped())


if __name__ == "__main__":
    main()
