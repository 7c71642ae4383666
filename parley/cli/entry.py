"""The `parley` command's own door. It is light, so that Ctrl-C means the same while everything else is still being loaded."""

import logging
import os
import signal
from types import FrameType

if os.environ.get("VLLM_LOGGING_LEVEL") == "ERROR":
    # The engine's own processes import this too, as what their program was started with, and before vLLM has read how it is to log.
    logging.getLogger("vllm").setLevel(logging.ERROR)


def main() -> None:
    """Ctrl-C once stops the command in good order; a second one, or one while it is loaded or ends, stops it at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from parley.cli.main import main as run

    signal.signal(signal.SIGINT, _interrupt)
    try:
        run()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt
