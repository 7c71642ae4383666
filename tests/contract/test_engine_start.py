"""vLLM's start: what cannot run here is said in words, and nothing stays behind."""

import asyncio
import gc
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from huggingface_hub import constants

from parley.backends.vllm_engine import VllmEngine
from parley.errors import ConfigurationError, EngineDied
from parley.ports.engine import AdapterFiles
from tests.support.engines import (
    START_WITHIN_S,
    Loop,
    RunningEngine,
    asking,
    vllm_missing,
    vllm_settings,
    written,
)
from tests.support.hub import COMMIT, cached_model
from tests.support.hub import asked_names as asked_names
from tests.support.tiny_models import CONTEXT, PROBE_RANK, TinyModels

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def model(tiny_models: TinyModels, tmp_path: Path) -> Path:
    """A copy of the tiny Llama, to be spoiled."""
    if vllm_missing():
        pytest.skip(str(vllm_missing()))
    return Path(shutil.copytree(tiny_models.llama, tmp_path / "spoiled"))


def refusal(loop: Loop, model: Path, **chosen: object) -> str:
    engine = VllmEngine(vllm_settings(str(model)).model_copy(update=chosen))
    with pytest.raises(ConfigurationError) as refused:
        loop.run(engine.start(), START_WITHIN_S)
    with pytest.raises(EngineDied):
        loop.run(written(engine.generate(asking())))
    return str(refused.value)


def test_weights_that_end_early_are_refused_before_anything_starts(loop: Loop, model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    before = psutil.Process().children()
    assert str(path) in refusal(loop, model)
    assert psutil.Process().children() == before


def test_an_architecture_that_nobody_knows_is_named(loop: Loop, model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "architectures": ["NobodyKnowsForCausalLM"]}))
    assert "NobodyKnowsForCausalLM" in refusal(loop, model)


def test_a_context_longer_than_the_models_is_refused(loop: Loop, model: Path) -> None:
    assert "max_model_len" in refusal(loop, model, max_model_len=4 * CONTEXT)


def test_a_cache_too_small_for_one_completion_is_refused_by_its_own_words(loop: Loop, model: Path) -> None:
    """The engine's process finds that out; its reason reaches us, with what to turn."""
    told = refusal(loop, model, kv_cache_bytes=1 << 20)
    assert "KV cache" in told
    assert "PARLEY_ENGINE_KV_CACHE_BYTES" in told
    assert "initialization failed" not in told


def test_an_id_in_the_cache_runs_without_asking_the_hub(
    loop: Loop, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_names: list[str]
) -> None:
    """Its folder is what vLLM and its processes are told of."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    shutil.copytree(model, cached_model(tmp_path / "hub", "some/tiny"))
    chosen = {"model": "some/tiny", "revision": "main", "offline": True}
    engine = VllmEngine(vllm_settings(str(model)).model_copy(update=chosen))
    try:
        loop.run(engine.start(), START_WITHIN_S)
        assert engine.facts.model == f"some/tiny@{COMMIT}"
        assert loop.run(written(engine.generate(asking(max_tokens=2)))).text
    finally:
        loop.run(engine.close())
    assert asked_names == []


def test_a_start_that_is_given_up_at_its_first_token_leaves_nothing_under_way(
    loop: Loop, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio would show on the console what a task raised that nobody waits for."""
    from parley.backends.vllm_engine.living import Living

    engine = VllmEngine(vllm_settings(str(model)))
    complaints: list[object] = []

    async def give_up() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        under_way = asyncio.Event()

        async def many_tokens(self: Living) -> None:
            async for _ in self.generate(asking(max_tokens=900, ignore_eos=True)):
                under_way.set()

        monkeypatch.setattr(Living, "_one_token", many_tokens)
        starting = asyncio.ensure_future(engine.start())
        await under_way.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        gc.collect()
        assert [each for each in names_of_tasks() if "many_tokens" in each] == []

    loop.run(give_up(), START_WITHIN_S)
    assert complaints == []


def names_of_tasks() -> list[str]:
    return [str(each.get_coro()) for each in asyncio.all_tasks()]


def test_a_question_to_the_workers_that_is_given_up_is_not_waited_for(engine: RunningEngine) -> None:
    made = engine.engine
    if not isinstance(made, VllmEngine):
        pytest.skip("the workers are vLLM's")

    async def give_up() -> list[str]:
        asked = asyncio.ensure_future(made.ask_workers("parley_slots"))
        while not any("collective_rpc" in each for each in names_of_tasks()):
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        return names_of_tasks()

    assert [each for each in engine.loop.run(give_up()) if "collective_rpc" in each] == []
    assert engine.write_one(asking()).text


def test_prompts_are_forgotten_when_nothing_runs(engine: RunningEngine) -> None:
    """A cache of what customers wrote must not outlive an erasure for long."""
    made = engine.engine
    if not isinstance(made, VllmEngine):
        pytest.skip("the prefix cache is vLLM's")

    async def while_running() -> bool:
        request = asking(max_tokens=100, ignore_eos=True)
        pieces = made.generate(request)
        await anext(pieces)
        forgot = await made.forget()
        await made.abort(request.request_id)
        await written(pieces)
        return forgot

    assert engine.loop.run(while_running()) is False
    assert engine.loop.run(made.forget()) is True
    assert engine.write_one(asking()).text


def test_whatever_is_compiled_is_compiled_before_the_first_adapters_probes(
    probe_engine: RunningEngine,
) -> None:
    """They ask for log-probabilities, and vLLM compiles what ranks them: seconds that nobody should wait for."""
    engine = probe_engine.engine
    assert isinstance(engine, VllmEngine)
    files = AdapterFiles("first@1", probe_engine.models.probe_adapter(0), PROBE_RANK)
    probe_engine.loop.run(engine.load(files))
    before = probe_engine.loop.run(engine.ask_workers("compiled"))
    assert min(before) > 0
    probes = [asking(adapter=files.name, logprobs=True, ignore_eos=True) for _ in range(3)]
    assert all(
        len(each.logprobs) == 16
        for each in [probe_engine.write_one(probes[0]), *probe_engine.write(*probes[1:])]
    )
    assert probe_engine.loop.run(engine.ask_workers("compiled")) == before
    probe_engine.unload(files.name)
