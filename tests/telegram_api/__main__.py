"""`python -m tests.telegram_api --port 0`: prints its two ports as one line of JSON and serves until it is stopped."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time

from tests.telegram_api.api import BotApi
from tests.telegram_api.control import Control
from tests.telegram_api.faults import Faults, Outage
from tests.telegram_api.listening import Listener
from tests.telegram_api.state import World
from tests.telegram_api.waiting import Changes
from tests.telegram_api.webhooks import WebhookPoster

HOST = "127.0.0.1"


async def serve(port: int, with_stdin: bool) -> None:
    world, faults, changes = World(time.time), Faults(), Changes()
    api = BotApi(world, faults, changes)
    listener = Listener(api.app, HOST, port)
    api.cut = listener.cut
    poster = WebhookPoster(world, changes, api.answered_by_webhook)

    async def set_outage(outage: Outage) -> None:
        await (listener.shut() if outage == "refused" else listener.open())

    # A port of its own: it stays when the API's is shut.
    control = Listener(Control(world, faults, changes, poster.backoff, set_outage).app, HOST, 0)
    await listener.open()
    await control.open()
    posting = asyncio.create_task(poster.run())
    print(json.dumps({"port": listener.port, "control_port": control.port}), flush=True)
    await _told_to_stop(with_stdin)
    posting.cancel()
    await asyncio.gather(posting, listener.shut(), control.shut(), return_exceptions=True)


async def _told_to_stop(with_stdin: bool) -> None:
    """By a signal, or by the end of standard input: whoever started it is gone then."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    if with_stdin:
        loop.add_reader(sys.stdin, lambda: stopped.set() if not os.read(sys.stdin.fileno(), 4096) else None)
    await stopped.wait()
    loop.remove_reader(sys.stdin)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.telegram_api", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the API; 0: any free one")
    parser.add_argument("--with-stdin", action="store_true", help="end when standard input ends")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.with_stdin))


if __name__ == "__main__":
    main()
