"""`parley events export` and `parley replay` as a person runs them, on a platform that a test has open or on the settings'."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from parley.cli import events
from parley.cli.main import app
from parley.runtime.recorded import Export, load
from workers.wiring import Platform


class Commands:
    """Run one after the other; each fails the test when it ends with an error. Files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "stream.jsonl"

    def on(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> "Commands":
        """Let the commands work on this platform instead of opening their own."""
        monkeypatch.setattr(events, "platform", lambda: nullcontext(platform))
        return self

    def export(self, *options: str) -> Export:
        """Export, and read the file."""
        parley("events", "export", "-o", str(self._file), *options)
        with self._file.open("rb") as lines:
            return load(lines, events.DECIDERS)

    def replay(self) -> dict[str, Any]:
        """What `replay --json` says about the last export."""
        report: dict[str, Any] = json.loads(parley("replay", "--json", str(self._file)))
        return report

    def replayed(self, *options: str) -> dict[str, Any]:
        """Export, and replay to the same bytes."""
        self.export(*options)
        return self.replay()

    def told(self) -> str:
        """What `replay` tells people about the last export."""
        return parley("replay", str(self._file))


def parley(*args: str) -> str:
    """What the command prints; it must succeed."""
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    assert done.exit_code == 0, f"parley {' '.join(args)}: {done.output}"
    return done.stdout
