"""What `parley run` tells of its start: since when it is reached, and since when it answers."""

from pathlib import Path
from threading import Event as Flag
from time import perf_counter

import pytest

from parley.cli import run
from parley.cli.run import Start
from parley.settings import Settings
from schemas.base import TenantId

SHOP = [TenantId("corner-shop")]


class Workers:
    """As `workers.embedded.Embedded`, for what is asked of it."""

    def __init__(self, *, ready: bool) -> None:
        self.ready = ready
        self.ended = Flag()


def start(tmp_path: Path, workers: Workers, generator: str = "vllm", demo: bool = True) -> Start:
    settings = Settings.load(home=tmp_path, generator=generator, demo=demo)
    return Start(settings, workers, perf_counter() - 5.0)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_what_works_at_once_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = start(tmp_path, Workers(ready=True), "extractive")
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
    workers = Workers(ready=False)
    began = start(tmp_path, workers, generator)
    began.announce(SHOP, 8080)
    said = told(capsys)
    assert "Parley is reachable after 5." in said and why in said and "Parley answers" not in said
    began.look()
    assert told(capsys) == ""
    workers.ready = True
    began.look()
    assert told(capsys).startswith("Parley answers after ")
    began.look()
    assert told(capsys) == ""


def test_workers_that_need_no_model_are_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "READY_WITHIN_S", 600.0)
    workers = Workers(ready=False)
    workers.ended.set()  # one that fails is not
    start(tmp_path, workers, "extractive").announce(SHOP, 8080)
    assert "Parley is reachable" in told(capsys)


@pytest.mark.parametrize("demo", [True, False])
def test_the_demos_that_are_announced_are_those_of_the_tenants_that_were_imported(
    tmp_path: Path, demo: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    start(tmp_path, Workers(ready=True), demo=demo).announce(SHOP, 8080)
    said = told(capsys)
    assert ("/demo/corner-shop" in said) == demo
    assert "/demo/bank" not in said
