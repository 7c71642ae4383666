"""Chromium for the tests in a browser: the system's own, since the test library's download needs a host of its own."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.dev.ground import DevError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: As root there is no sandbox; the rest keeps a test's browser from talking to anybody but the test.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CJK_FONTS = Path("/usr/share/fonts")


@dataclass(frozen=True, slots=True)
class Chromium:
    """What a test hands to `playwright.chromium.launch`."""

    executable: Path
    arguments: tuple[str, ...] = ARGUMENTS


def find() -> Path | None:
    """`PARLEY_CHROMIUM`, else the first of the usual names on the PATH."""
    named = os.environ.get("PARLEY_CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise DevError(f"PARLEY_CHROMIUM: {named} is no program")
        return Path(named)
    return next((Path(found) for found in map(shutil.which, NAMES) if found), None)


def chromium() -> Chromium:
    """Raises `DevError` when there is none."""
    executable = find()
    if executable is None:
        raise DevError("Chromium is missing: python -m infra.dev install chromium")
    return Chromium(executable)


def missing_packages() -> list[str]:
    packages = [] if find() else ["chromium"]
    return packages if _has_chinese_font() else [*packages, "fonts-noto-cjk", "fonts-liberation"]


def _has_chinese_font() -> bool:
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())
    return any(CJK_FONTS.glob("**/*CJK*"))


def prepare() -> None:
    """Nothing to fetch besides the packages; says so clearly when they are not there."""
    chromium()
