"""What `parley run` tells of its start: since when it is reached, and since when it answers."""

import signal
from collections.abc import Iterator
from math import inf
from pathlib import Path
from threading import Event as Flag
from threading import Timer
from time import perf_counter

import pytest

from parley.cli import run
from parley.cli.run import Start
from parley.settings import Settings
from schemas.base import TenantId

SHOP = [TenantId("corner-shop")]


class Workers:
    """As `workers.embedded.Embedded`, for what is asked of it."""

    def __init__(self, *, ready_after_s: float) -> None:
        self.ready_at = perf_counter() + ready_after_s
        self.ended = Flag()

    @property
    def ready(self) -> bool:
        return perf_counter() >= self.ready_at


def up() -> Workers:
    return Workers(ready_after_s=0.0)


def never_up() -> Workers:
    return Workers(ready_after_s=inf)


def start(
    tmp_path: Path, workers: Workers, generator: str = "vllm", demo: bool = True, asked: Flag | None = None
) -> Start:
    settings = Settings.load(home=tmp_path, generator=generator, demo=demo)
    return Start(settings, workers, asked or Flag(), perf_counter() - 5.0)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_what_works_at_once_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = start(tmp_path, up(), "extractive")
    began.announce(SHOP, 8080)
    said = told(capsys)
    assert "Parley answers after 5." in said and "/demo/corner-shop" in said and "loading" not in said
    began.look()
    assert told(capsys) == ""


@pytest.mark.parametrize(
    ("generator", "why"),
    [("vllm", "engine is loading"), ("onnx", "engine is loading"), ("openai", "model server is reached")],
)
def test_an_engine_that_loads_is_told_and_once_when_it_is_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], generator: str, why: str
) -> None:
    workers = never_up()
    began = start(tmp_path, workers, generator)
    began.announce(SHOP, 8080)
    said = told(capsys)
    assert "Parley is reachable after 5." in said and why in said and "Parley answers" not in said
    began.look()
    assert told(capsys) == ""
    workers.ready_at = 0.0
    began.look()
    assert told(capsys).startswith("Parley answers after ")
    began.look()
    assert told(capsys) == ""


def test_workers_that_need_no_model_are_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOMENT_S", 0.05)
    start(tmp_path, Workers(ready_after_s=0.2), "extractive").announce(SHOP, 8080)
    assert "Parley answers after" in told(capsys)


def test_a_model_is_not_waited_for_longer_than_a_moment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOMENT_S", 0.1)
    start(tmp_path, Workers(ready_after_s=2.0)).announce(SHOP, 8080)
    assert "Parley is reachable after" in told(capsys)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what ends the wait by itself ends it."""
    monkeypatch.setattr(run, "READY_WITHIN_S", inf)


@pytest.mark.usefixtures("endless")
def test_workers_that_have_failed_are_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workers = never_up()
    Timer(0.1, workers.ended.set).start()
    start(tmp_path, workers, "extractive").announce(SHOP, 8080)
    assert "Parley is reachable" in told(capsys)


@pytest.fixture
def signals() -> Iterator[None]:
    """What was done with them comes back."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("endless", "signals")
def test_ctrl_c_ends_the_wait_for_workers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = run._asked_to_stop()
    Timer(0.1, lambda: signal.raise_signal(signal.SIGINT)).start()
    start(tmp_path, never_up(), "extractive", asked=asked).announce(SHOP, 8080)
    assert asked.is_set() and told(capsys) == ""


@pytest.mark.parametrize("demo", [True, False])
def test_the_demos_that_are_announced_are_those_of_the_tenants_that_were_imported(
    tmp_path: Path, demo: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    start(tmp_path, up(), demo=demo).announce(SHOP, 8080)
    said = told(capsys)
    assert ("/demo/corner-shop" in said) == demo
    assert "/demo/bank" not in said
