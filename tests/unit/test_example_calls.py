"""The calls that the repository ships as examples: valid vCons, read as calls are, with what the demo is to show in them."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, FormatChecker

from connectors.calls import examples as example_calls
from connectors.calls.formats import read
from connectors.calls.transcript import Transcript
from infra.contracts import ROOT
from parley.backends import tenant_folder
from parley.errors import ConfigurationError

BANK = ROOT / "tenants" / "bank"
DATA = Path(os.environ.get("PARLEY_DATA", "../shared/data"))
NAMES = ("lost-card", "foreign-fee", "mortgage", "transfer-failed")
#: The one whose agent does not say that the call is recorded.
SILENT = "foreign-fee"
RECORDED = re.compile(r"call is recorded|通话会被录音|通话将被录音")
GREETED = re.compile(r"^(?:Good morning|Hello|您好)")
IDENTIFIED = re.compile(r"date of birth|出生日期")


def path_of(name: str) -> Path:
    return example_calls.path_of(BANK, name)


def call_of(name: str) -> Transcript:
    [call] = read(path_of(name).read_bytes(), name=path_of(name).name)
    return call


def says(call: Transcript, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(turn.text) for turn in call.turns if turn.speaker == "human_agent")


def test_the_list_names_every_file_in_every_language() -> None:
    found = example_calls.load(BANK)
    assert tuple(call.name for call in found) == NAMES
    assert {path.name for path in (BANK / "calls").glob("*.vcon.json")} == {
        f"{name}.vcon.json" for name in NAMES
    }
    assert all(set(call.title) == {"en", "zh"} for call in found)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_valid_by_the_working_groups_schema(name: str) -> None:
    schema = DATA / "vcon" / "vcon_json_schema.json"
    if not schema.exists():
        pytest.skip("vcon/vcon_json_schema.json is not below PARLEY_DATA")
    validator = Draft7Validator(json.loads(schema.read_text()), format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(path_of(name).read_text()))] == []


@pytest.mark.parametrize(
    ("name", "language", "minutes"),
    [
        ("lost-card", "en", (2, 4)),
        ("foreign-fee", "en", (2, 4)),
        ("mortgage", "zh", (2, 4)),
        ("transfer-failed", "zh", (2, 4)),
    ],
)
def test_each_is_read_as_a_call_of_some_minutes(
    name: str, language: str, minutes: tuple[float, float]
) -> None:
    call = call_of(name)
    assert (call.language, call.timed, call.redacted) == (language, True, False)
    assert 16 <= len(call.spoken) <= 30
    assert minutes[0] * 60_000 <= call.turns[-1].end_ms <= minutes[1] * 60_000
    assert all(turn.start_ms < turn.end_ms and turn.confidence is not None for turn in call.turns)
    assert any(turn.text != turn.original for turn in call.turns)  # some of it is noise
    assert all(party.name for party in call.parties)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_hold_between_two_turns_and_ends_with_a_hang_up(name: str) -> None:
    call = call_of(name)
    [hold] = [event.at_ms for event in call.events if event.kind == "hold"]
    [resumed] = [event.at_ms for event in call.events if event.kind == "resumed"]
    assert 10_000 < resumed - hold < 30_000
    assert not [turn for turn in call.turns if turn.start_ms < resumed and turn.end_ms > hold]
    assert call.events[-1].kind == "hang_up"


def test_one_goes_on_with_another_agent() -> None:
    transfers = {
        name: [event for event in call_of(name).events if event.kind == "transfer"] for name in NAMES
    }
    assert {name for name, found in transfers.items() if found} == {"foreign-fee"}
    call = call_of("foreign-fee")
    [transfer] = transfers["foreign-fee"]
    [target] = transfer.to
    assert call.parties[target].name == "Sinead Walsh"
    after = {
        turn.party for turn in call.turns if turn.start_ms > transfer.at_ms and turn.speaker == "human_agent"
    }
    assert after == {target}


@pytest.mark.parametrize("name", NAMES)
def test_agents_greet_and_identify_and_all_but_one_say_that_the_call_is_recorded(name: str) -> None:
    call = call_of(name)
    assert GREETED.search(call.turns[0].text) and call.turns[0].speaker == "human_agent"
    assert says(call, IDENTIFIED)
    assert says(call, RECORDED) == (name != SILENT)


def test_calls_change_nothing_of_a_tenants_version(tmp_path: Path) -> None:
    without = tmp_path / "bank"
    shutil.copytree(BANK, without, ignore=shutil.ignore_patterns("calls"))
    assert tenant_folder.load(without).version == tenant_folder.load(BANK).version
    assert example_calls.load(without) == ()


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ("calls: []", "calls"),
        (
            "calls:\n- {name: gone, title: {en: Gone}}",
            "bank/calls/index.yaml: calls.0.name: there is no calls/gone.vcon.json",
        ),
        ("calls:\n- {name: ../tenant, title: {en: x}}", "calls.0.name"),
        ("calls:\n- {name: a, title: {en: x}}\n- {name: a, title: {en: x}}", "stands there twice"),
        ("calls", "calls/index.yaml: the document"),
        ("calls: [", "calls/index.yaml: is no YAML"),
    ],
)
def test_a_wrong_list_is_told_with_its_field(tmp_path: Path, index: str, told: str) -> None:
    folder = tmp_path / "bank"
    (folder / "calls").mkdir(parents=True)
    (folder / "calls" / "a.vcon.json").write_text("{}")
    (folder / "calls" / "index.yaml").write_text(index)
    with pytest.raises(ConfigurationError) as refused:
        example_calls.load(folder)
    assert told in str(refused.value)
