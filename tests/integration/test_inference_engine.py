"""The inference worker on the real engine: nothing of one tenant's weights in another tenant's answers, while versions come and go."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.inference.leaks import leaks
from tests.support.engines import vllm_missing

SECONDS = 60.0

pytestmark = [
    pytest.mark.skipif(vllm_missing() is not None, reason=vllm_missing() or ""),
    pytest.mark.timeout(500),
]


def test_in_a_minute_of_swaps_under_load_no_token_is_anothers(tmp_path: Path) -> None:
    told: dict[str, Any] = {}
    leaks(tmp_path, SECONDS, lambda name, **figures: told.update(figures), gpu=False)
    assert told["ambiguous_pairs"] == 0, "the probes do not tell the adapters apart"
    assert told["requests"] > 20 and told["tokens"] > 2_000 and told["swaps"] > 30
    assert (told["wrong_requests"], told["wrong_tokens"], told["failed"]) == (0, 0, 0)
