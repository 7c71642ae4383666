"""vLLM's own OpenAI-compatible server as a process, on the CPU, in float32."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import httpx

from infra.dev.ground import ROOT, free_ports
from parley.backends.openai_api import ServerExtras
from parley.backends.openai_engine import OpenAIEngine

START_S = 300.0


class VllmServer:
    """Serves `model` under its folder's name, with four slots for adapters of rank 8, and loads those that it is told of."""

    slots, held, max_rank = 4, 8, 8

    def __init__(self, model: Path, logs: Path) -> None:
        self.name = model.name
        self._log = logs / "vllm-server.log"
        self._port = free_ports(1)[0]
        self._arguments = [
            *("--model", str(model), "--served-model-name", self.name, "--host", "127.0.0.1"),
            *("--port", str(self._port), "--dtype", "float32", "--enforce-eager", "--max-num-seqs", "32"),
            *("--kv-cache-memory-bytes", str(64 << 20), "--scheduling-policy", "priority", "--enable-lora"),
            *("--max-loras", str(self.slots), "--max-cpu-loras", str(self.held)),
            *("--max-lora-rank", str(self.max_rank)),
            *("--worker-extension-cls", "tests.support.sound_base_rows.SoundBaseRows"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Returns when it answers. Does nothing while it runs."""
        if self._process is not None:
            return
        environment = {**os.environ, "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "OMP_NUM_THREADS": "2"}
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *self._arguments],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = monotonic() + START_S
        while not self._answers():
            if monotonic() > until or self._process.poll() is not None:
                self.stop()
                raise RuntimeError(f"vLLM's server did not start:\n{self._log.read_text()[-3000:]}")
            sleep(0.25)

    def stop(self) -> None:
        """In good order, so that the engine's process ends with it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)
        self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/models", timeout=2).status_code == 200
        except httpx.TransportError:
            return False


class ServedEngine(OpenAIEngine):
    """With a server of its own, from its first start until it is closed."""

    def __init__(self, server: VllmServer) -> None:
        extras = ServerExtras(
            vllm=True,
            salt=True,
            priority=True,
            slots=server.slots,
            held=server.held,
            max_rank=server.max_rank,
        )
        super().__init__(server.url, server.name, extras=extras)
        self.server = server

    async def start(self) -> None:
        await asyncio.to_thread(self.server.start)
        await super().start()

    async def close(self) -> None:
        await super().close()
        await asyncio.to_thread(self.server.stop)
