"""The inference worker is killed in the middle of two hundred requests, its engine with it; the log must not show it."""

import secrets
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from infra.migrations import upgrade_keys, upgrade_store
from parley.backends.base_folder import find_base
from parley.cli.adapters import put_shipped
from parley.cli.admin import specs
from parley.engine_settings import STARTER
from parley.settings import Settings
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated
from tests.support.engines import vllm_missing
from tests.support.inference import generation
from tests.support.platform import events_on, send
from tests.support.processes import ParleyProcess
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from workers.wiring import Platform, open_platform

pytestmark = [
    pytest.mark.skipif(vllm_missing() is not None, reason=vllm_missing() or ""),
    pytest.mark.timeout(600),
]

REQUESTS = 200
KILLED_AFTER = 40
WITHIN_S = 500.0
GONE_WITHIN_S = 20.0
ENDS = ReplyGenerated | NothingFound | GenerationFailed


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """The embedded form, with the starter model's adapter live for the bank."""
    settings = Settings(home=tmp_path / "home")
    settings.ensure_home()
    upgrade_store(settings.database)
    upgrade_keys(settings.keys)
    opened = open_platform(settings)
    admin = opened.bus.admin()
    admin.apply(specs(settings))
    admin.close()
    opened.store.put(VERSION, CONFIG, CONTENT, datetime.now(UTC))
    assert put_shipped(opened, TENANT, find_base(str(STARTER))) is not None
    yield opened
    opened.close()


@pytest.fixture
def worker(platform: Platform, tmp_path: Path) -> Iterator[ParleyProcess]:
    environment = {
        "PARLEY_HOME": str(platform.settings.home),
        "PARLEY_GENERATOR": "vllm",
        "PARLEY_SECRET": secrets.token_hex(32),
        "PARLEY_ENGINE_DTYPE": "float32",
        "PARLEY_ENGINE_ENFORCE_EAGER": "true",
        "PARLEY_ENGINE_MAX_LORAS": "2",
        "PARLEY_ENGINE_MAX_NUM_SEQS": "64",
        "PARLEY_ENGINE_METRICS": "false",
        "PARLEY_ENGINE_KV_CACHE_BYTES": str(512 << 20),
    }
    process = ParleyProcess("inference", ["worker", "inference"], environment, tmp_path)
    yield process
    process.stop()


def ends(platform: Platform) -> dict[str, list[tuple[str, ENDS]]]:
    """All results of each generation, each with its event's id."""
    found: dict[str, list[tuple[str, ENDS]]] = defaultdict(list)
    for event in events_on(platform, "conversation.events"):
        if isinstance(event.body, ENDS):
            found[event.body.generation_id].append((event.envelope.event_id, event.body))
    return found


def wait_for(platform: Platform, count: int, worker: ParleyProcess) -> None:
    until = monotonic() + WITHIN_S
    while len(ends(platform)) < count:
        assert worker.alive(), worker.output()[-3000:]
        assert monotonic() < until, f"{len(ends(platform))} of {count}\n{worker.output()[-3000:]}"
        sleep(0.2)


def test_a_kill_in_the_middle_loses_no_request_and_answers_none_twice(
    platform: Platform, worker: ParleyProcess
) -> None:
    asked = [generation(n, on=platform, deadline_s=900) for n in range(REQUESTS)]
    for each in asked:
        platform.keys.create(each.envelope.tenant, each.envelope.customer_id)
    send(platform, *asked)
    worker.start()
    wait_for(platform, KILLED_AFTER, worker)
    engine = psutil.Process(worker.pid).children(recursive=True)
    assert engine
    worker.kill()
    assert len(ends(platform)) < REQUESTS
    _, alive = psutil.wait_procs(engine, timeout=GONE_WITHIN_S)
    assert alive == [], "the engine outlives its worker and keeps the device's memory"
    worker.start()
    wait_for(platform, REQUESTS, worker)
    found = ends(platform)
    for generation_id, results in found.items():
        assert len({event_id for event_id, _ in results}) == 1, generation_id
        assert all(isinstance(body, ReplyGenerated | NothingFound) for _, body in results)
    written = [body for results in found.values() for _, body in results if isinstance(body, ReplyGenerated)]
    live = f"{TENANT}@{platform.store.adapters.live(TENANT)}"
    assert written and {body.adapter for body in written} == {live}
    assert {body.model for body in written} == {f"starter@{find_base(str(STARTER)).revision}"}
