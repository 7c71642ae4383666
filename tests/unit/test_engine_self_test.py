"""Which of the self-test's adapters are taken to tell tenants apart by: a model may be deaf to what one of them adds."""

import asyncio
from importlib import import_module
from pathlib import Path

import pytest

from parley.backends.vllm_engine import VllmEngine
from parley.engine_settings import EngineSettings

self_test = import_module("parley.backends.vllm_engine.self_test")


@pytest.mark.parametrize(
    ("deaf", "taken", "asked"),
    [
        ((), ["0", "1", "2", "3"], 4),
        ((2,), ["0", "1", "3", "4"], 5),
        ((0, 2, 4, 6), ["1", "3", "5", "7"], 8),
        ((0, 1, 2, 3, 4), [], 5),  # the other three would not do
    ],
)
def test_others_are_tried_for_those_that_make_no_difference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, deaf: tuple[int, ...], taken: list[str], asked: int
) -> None:
    names: list[str] = []

    async def signed(engine: VllmEngine, kind: object) -> object:
        folder: Path = kind.folder  # type: ignore[attr-defined]  # a private class
        names.append(folder.name)
        number = int(folder.name)
        return kind if number in deaf else self_test._Kind(folder, frozenset((number,)))

    monkeypatch.setattr(self_test, "_signed", signed)
    layers = [self_test.Projection("model.layers.0.self_attn.o_proj", 8, 8)]
    found = asyncio.run(self_test._distinct(VllmEngine(EngineSettings(model="any")), tmp_path, layers, 1.0))
    assert [kind.folder.name for kind in found] == taken
    assert len(names) == asked
