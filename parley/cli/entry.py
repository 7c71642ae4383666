"""The `parley` command's own door. It is light, so that Ctrl-C means the same while everything else is still being loaded."""

import signal
from types import FrameType


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
