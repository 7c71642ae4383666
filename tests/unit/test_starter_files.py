"""What `models/starter` ships: a model whose adapters fit it, know its revision, and bring probes."""

import json
from pathlib import Path

import pytest

from parley.backends.adapter_folder import read_folder
from parley.backends.base_folder import find_base
from parley.domain.adapters import check_base
from schemas.adapters import ProbeFile

STARTER = Path(__file__).resolve().parents[2] / "models" / "starter"
ADAPTERS = sorted((STARTER / "adapters").iterdir())


def test_there_are_adapters_of_two_tenants_and_two_versions_of_one() -> None:
    assert [folder.name for folder in ADAPTERS] == ["bank-1", "bank-2", "mobile-1"]


@pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: str(folder.name))
def test_an_adapter_passes_every_check_of_its_publication(folder: Path) -> None:
    base = find_base(str(STARTER))
    check_base(read_folder(folder, base.shapes), base)


@pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: str(folder.name))
def test_its_probes_tell_it_from_the_base(folder: Path) -> None:
    probes = ProbeFile.model_validate_json((folder / "probes.json").read_bytes()).probes
    vocabulary = json.loads((STARTER / "config.json").read_text())["vocab_size"]
    for probe in probes:
        assert max(*probe.prompt_token_ids, *probe.token_ids) < vocabulary
        assert sum(probe.logprobs) - sum(probe.base_logprobs) > 4 and min(probe.margins) >= 1


def test_the_whole_is_small_enough_to_be_kept() -> None:
    assert sum(path.stat().st_size for path in STARTER.rglob("*") if path.is_file()) < 37_000_000
