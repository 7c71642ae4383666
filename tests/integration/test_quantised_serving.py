"""The engine on quantised checkpoints: adapters beside them, and what it says where it has no kernel for one."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import tiny_model
from tests.support.quantised import needs, program, quantized

pytestmark = [
    pytest.mark.timeout(600),
    # of the libraries, while they load
    pytest.mark.filterwarnings(
        "default::DeprecationWarning", "default::FutureWarning", "default::UserWarning"
    ),
]

OPTIONS = {"W8A8": ["--bits", "8"], "W8A16": ["--bits", "8", "--weight-only"], "W4A16": ["--bits", "4"]}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of a trained model for each scheme, only rounded."""
    for module in ("torch", "transformers", "compressed_tensors", "vllm"):
        needs(module)
    import torch

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("checkpoints")
    model = tiny_model.train(folder / "tiny")
    for scheme, options in OPTIONS.items():
        quantized(model, folder / scheme, *options)
    return folder


WITH_ADAPTER = """
import asyncio, json, sys
from pathlib import Path
from parley.backends.vllm_engine import VllmEngine, self_test
from parley.engine_settings import EngineSettings
from parley.ports.engine import AdapterFiles, CompletionRequest

async def written(engine, name, ids, adapter):
    request = CompletionRequest(name, prompt_token_ids=tuple(ids), max_tokens=24, adapter=adapter, logprobs=True, ignore_eos=True)
    pieces = [piece async for piece in engine.generate(request)]
    return [token for piece in pieces for token in piece.token_ids], [value for piece in pieces for value in piece.logprobs]

async def main(model, adapter, ids):
    engine = VllmEngine(EngineSettings(model=model, max_loras=2, max_lora_rank=8, max_num_seqs=8, kv_cache_bytes=64 << 20))
    await engine.start()
    await self_test(engine)
    await engine.load(AdapterFiles("some@1", Path(adapter), 4))
    found = await asyncio.gather(written(engine, "base", ids, None), written(engine, "adapter", ids, "some@1"))
    await engine.close()
    print(json.dumps(found))

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
"""


@pytest.mark.parametrize("scheme", ["W8A8", "W4A16"])
def test_the_engine_serves_adapters_on_it(checkpoints: Path, tmp_path: Path, scheme: str) -> None:
    """The log-probabilities of what it writes, with the adapter and without, are those of transformers with the same files."""
    ids = tiny_model.tokenizer()(tiny_model.unread()[:200])["input_ids"]
    pair = adapter_on_outputs(tmp_path / "adapter")
    base, adapted = program(
        WITH_ADAPTER, str(checkpoints / scheme), str(tmp_path / "adapter"), json.dumps(ids)
    )
    loaded = tiny_model.load(checkpoints / scheme)
    assert off(loaded, ids, *base) < 0.05 and off(loaded, ids, *adapted) > 0.2
    for layer in loaded.model.layers:
        layer.self_attn.o_proj.register_forward_hook(adding(*pair))
    assert off(loaded, ids, *adapted) < 0.05


START = """
import asyncio, json, sys
from parley.backends.vllm_engine import VllmEngine
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError

async def main(model):
    try:
        await VllmEngine(EngineSettings(model=model, max_loras=0, kv_cache_bytes=64 << 20)).start()
    except ConfigurationError as error:
        print(json.dumps(str(error)))

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
"""


def test_without_kernels_for_it_the_engine_says_what_runs_on_a_cpu(checkpoints: Path) -> None:
    words = program(START, str(checkpoints / "W8A16"))
    assert "WNA16 linear layer; there is" in words and "no kernel for the quantisation" in words
    assert "with --bits 8 or --bits 4 run there, those with --weight-only on GPUs alone" in words


def adapter_on_outputs(folder: Path) -> tuple[Any, Any]:
    """Written as PEFT does: rank 4 and a scale of 1, the same two matrices beside each attention's output."""
    import torch
    from safetensors.torch import save_file

    random = torch.Generator().manual_seed(1)
    into, out = (torch.randn(shape, generator=random) * 0.4 for shape in ((4, 128), (128, 4)))
    folder.mkdir()
    (folder / "adapter_config.json").write_text(
        json.dumps(
            {"peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["o_proj"], "bias": "none"}
        )
    )
    path = "base_model.model.model.layers.{}.self_attn.o_proj.lora_{}.weight"
    halves = {path.format(layer, half): each for layer in (0, 1) for half, each in (("A", into), ("B", out))}
    save_file({name: each.clone() for name, each in halves.items()}, folder / "adapter_model.safetensors")
    return into, out


def adding(into: Any, out: Any) -> Any:
    """A hook: beside the projection's own result, the adapter's."""

    def hook(module: Any, inputs: Any, result: Any) -> Any:
        [given] = inputs
        return result + ((given.float() @ into.T) @ out.T).to(result.dtype)

    return hook


def off(loaded: Any, ids: list[int], tokens: list[int], logprobs: list[float]) -> float:
    """The mean distance of the log-probabilities of these tokens after the prompt from the model's own."""
    import torch

    with torch.no_grad():
        logits = loaded(input_ids=torch.tensor([ids + tokens])).logits[0, len(ids) - 1 : -1]
    own = logits.float().log_softmax(dim=-1)[torch.arange(len(tokens)), torch.tensor(tokens)]
    return float((own - torch.tensor(logprobs)).abs().mean())
