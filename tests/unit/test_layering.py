"""Imports point inwards only, and importing a module opens nothing."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("parley", "schemas", "workers", "connectors", "services", "infra")

#: Rings from the inside out; a module may import from its own ring and those further in.
RINGS: tuple[tuple[str, ...], ...] = (
    ("schemas", "parley.domain", "parley.errors", "parley.ids"),
    ("parley.ports", "parley.codec", "parley.metrics", "parley.settings", "parley.engine_settings"),
    ("parley.runtime",),
    ("parley.backends", "connectors", "infra.migrations"),
    ("workers",),
    ("services",),
    ("parley.cli", "infra"),
)

#: Workers that decide are pure although they stand beside the others.
DECIDERS = ("workers.dialogue", "workers.assignment", "workers.feedback", "workers.calls")
#: Imported only when an engine is started; they need the extra `vllm`.
IMPORT_VLLM = tuple(f"parley.backends.vllm_engine.{name}" for name in ("calls", "living", "starting"))
IMPURE = ("random", "time", "os", "socket", "uuid", "logging", "secrets", "sqlalchemy", "httpx", "kafka")


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "versions" in path.parts or path.name == "env.py":
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also those imported within functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def top_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def ring(module: str) -> int | None:
    """The ring of the longest matching prefix; None for what is not ours."""
    found = [
        (len(prefix), number)
        for number, prefixes in enumerate(RINGS)
        for prefix in prefixes
        if module == prefix or module.startswith(prefix + ".")
    ]
    return max(found)[1] if found else None


@pytest.mark.parametrize(
    ("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_imports_point_inwards(module: str, path: Path) -> None:
    mine = ring(module)
    if mine is None or module == "parley":
        return
    outward = [each for each in top_imports(path) if (theirs := ring(each)) is not None and theirs > mine]
    assert outward == [], f"{module} imports from an outer ring"


@pytest.mark.parametrize(
    ("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_rules_are_pure(module: str, path: Path) -> None:
    if not module.startswith(("parley.domain", "schemas", *DECIDERS)):
        return
    impure = [each for each in imports(path) if each.split(".")[0] in IMPURE]
    assert impure == [], f"{module} must not know the world"
    if module.startswith(DECIDERS):
        allowed = ("parley.domain", "parley.ids", "schemas", *DECIDERS)
        foreign = [each for each in imports(path) if ring(each) is not None and not each.startswith(allowed)]
        assert foreign == [], f"{module} decides: it may import the innermost ring only"


def test_the_wiring_alone_picks_backends() -> None:
    """`workers.writers` is its part about engines, and `workers.engine_checks` what is looked at before there is one."""
    pickers = {
        module
        for module, path in modules()
        if not module.startswith(("parley.backends", "parley.cli", "infra", "workers.retrain"))
        and any(each.startswith("parley.backends") for each in imports(path))
    }
    assert pickers == {"workers.wiring", "workers.writers", "workers.engine_checks"}


def test_importing_everything_opens_nothing() -> None:
    """In a process whose sockets and writes are refused: whatever a module did at import would show."""
    names = [
        name
        for name, _ in modules()
        if not name.endswith(("__main__", ".cli.main"))
        and name != "infra.dev.bootstrap"
        # needs the extra `train`, which no process of the platform has
        and not name.startswith("workers.retrain.")
        and name not in IMPORT_VLLM
    ]
    program = (
        "import builtins, importlib, io, socket, sys\n"
        "real = io.open\n"
        "def refuse(*a, **k): raise SystemExit(f'opened at import: {a}')\n"
        "def reading(file, mode='r', *a, **k):\n"
        "    return refuse(file, mode) if set(mode) & set('wax+') else real(file, mode, *a, **k)\n"
        "socket.socket.connect = socket.socket.bind = refuse\n"
        "sys.dont_write_bytecode = True\n"
        "builtins.open = reading\n"
        f"[importlib.import_module(name) for name in {names!r}]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
