"""`make setup`, with whatever Python is there: goes on with a new enough one, or says that there is none.

Even Python 2.7 must be able to read this file; all that has to be done then is in `installing`.
"""

import os
import subprocess
import sys

NEEDED = (3, 11)
NEWEST_KNOWN = 15
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():  # type: () -> None
    if sys.version_info < NEEDED:
        go_on_with_another()
    sys.path.insert(0, ROOT)
    from infra.dev.installing import main as install

    install()


def go_on_with_another():  # type: () -> None
    """Does not return."""
    have = ".".join(map(str, sys.version_info[:3]))
    for other in newer_pythons():
        sys.stderr.write("setup: this is Python %s; going on with %s\n" % (have, other))
        os.execv(other, [other] + sys.argv)
    sys.stderr.write(
        "setup: Python 3.11 or newer is needed, and %s is %s; name another one: make setup PYTHON=/path/to/python3.12\n"
        % (sys.executable, have)
    )
    sys.exit(2)


def newer_pythons():  # type: () -> list[str]
    """Those on the PATH that run: a version manager's shim may stand there for a version that is not switched on."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    names = ["python3.%d" % minor for minor in range(NEWEST_KNOWN, NEEDED[1] - 1, -1)]
    paths = [os.path.join(folder, name) for name in names for folder in folders if folder]
    return [path for path in paths if os.access(path, os.X_OK) and runs(path)]


def runs(python):  # type: (str) -> bool
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call([python, "-c", ""], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
