"""`parley adapters` as people use it: what is wrong is one line, and what is right is stored, registered and told."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from infra.contracts import ROOT
from infra.migrations import upgrade_keys, upgrade_store
from parley import engine_settings
from parley.backends.adapter_storage import open_adapter_storage
from parley.backends.base_folder import find_base
from parley.backends.bus import open_bus
from parley.backends.keys import open_keys
from parley.backends.sql import open_store
from parley.codec import Codec
from parley.domain.adapters import PROBES, README, WEIGHTS
from parley.errors import AdapterRefused, BusUnavailable
from parley.ports.adapters import AdapterVersion
from parley.runtime.adapter_pointer import AdapterPointer
from parley.runtime.exports import read_records
from parley.settings import Settings
from schemas.base import Event, TenantId
from schemas.other_events import AdapterPublished, AdapterRetired
from tests.contract.test_store import NINE
from tests.integration.test_commands import Command, one_line
from tests.integration.test_commands import parley as parley
from tests.support.hub import asked_names as asked_names
from tests.support.hub import cached_model
from tests.support.lora import lora_tensors, safetensors, write_adapter, write_base
from tests.support.small_tenant import CONFIG, CONTENT, VERSION
from workers.writers import check_version

Adapter = Callable[..., str]

PROBE_FILE = json.dumps(
    {
        "version": 1,
        "probes": [{"prompt_token_ids": [1], "token_ids": [2], "logprobs": [-0.1], "base_logprobs": [-9]}],
    }
)


@pytest.fixture
def home(tmp_path: Path, parley: Command, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The home of `parley`, with the bank, and a base model for all commands."""
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", str(write_base(tmp_path / "tiny")))
    settings = Settings(home=tmp_path / "home")
    settings.ensure_home()
    upgrade_store(settings.database)
    upgrade_keys(settings.keys)
    store = open_store(settings.database)
    store.put(VERSION, CONFIG, CONTENT, NINE)
    store.put(VERSION, CONFIG.model_copy(update={"id": TenantId("shop")}), CONTENT, NINE)
    store.close()
    assert parley("topics", "apply")[0] == 0
    return settings


@pytest.fixture
def good(tmp_path: Path) -> Adapter:
    """Writes an adapter's folder; another `fill` is another version."""

    def write(fill: int = 1, **changes: Any) -> str:
        return str(write_adapter(tmp_path / f"adapter-{fill}", fill=fill, **changes))

    return write


def told(settings: Settings) -> list[AdapterPublished | AdapterRetired]:
    """What stands on the topic now."""
    bus, keys = open_bus(settings.bus), open_keys(settings.keys)
    codec = Codec(keys)
    try:
        events = [codec.decode(record) for record in read_records(bus, ["adapters.updates"])]
    finally:
        bus.close()
        keys.close()
    bodies = [event.body for event in events if isinstance(event, Event)]
    return [each for each in bodies if isinstance(each, AdapterPublished | AdapterRetired)]


def asked(parley: Command, *arguments: str) -> Any:
    """What a command prints as JSON; it must succeed."""
    code, out, error = parley("adapters", *arguments, "--json")
    assert code == 0, error
    return json.loads(out)


def published(parley: Command, folder: str, tenant: str = "bank", *options: str) -> str:
    """The digest of a folder that is published."""
    return str(asked(parley, "publish", folder, "-t", tenant, *options)["digest"])


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("publish", "{good}", "-t", "nobody"), "--tenant: 'nobody' was never imported; allowed: bank, shop"),
        (("publish", "nowhere", "-t", "bank"), "nowhere: cannot be read (No such file or directory)"),
        (("publish", "{good}/adapter_config.json", "-t", "bank"), "cannot be read (Not a directory)"),
        (("publish", "{good}", "-t", "bank", "--base", "nowhere"), "base model 'nowhere': is no folder here"),
        (
            ("publish", "{good}", "-t", "bank", "--base", "{good}"),
            "has no config.json; allowed: a folder with",
        ),
        (("list", "-t", "nobody"), "--tenant: 'nobody' was never imported"),
        (("show", "abc"), "DIGEST: is 'abc'; allowed: 4 to 64 hexadecimal digits, or TENANT@ before them"),
        (("show", "@00000000"), "DIGEST: is '@00000000'; allowed"),
        (("show", "bank@"), "DIGEST: is 'bank@'; allowed"),
        (("show", "nobody@00000000"), "DIGEST: 'nobody' was never imported; allowed: bank, shop"),
        (("show", "bank@0000", "-t", "shop"), "DIGEST: names the tenant 'bank', and --tenant 'shop'"),
        (("show", "bank@0000"), "DIGEST: no adapter's digest begins with bank@0000"),
        (("show", "../../etc/passwd"), "DIGEST: is '../../etc/passwd'; allowed"),
        (("show", "00000000"), "DIGEST: no adapter's digest begins with 00000000"),
        (("retire", "00000000"), "DIGEST: no adapter's digest begins with 00000000"),
        (("rollback", "-t", "bank"), "--tenant: bank has no earlier version that can still be served"),
        (("rollback", "-t", "nobody"), "--tenant: 'nobody' was never imported"),
        (("tell", "-t", "nobody"), "--tenant: 'nobody' was never imported"),
        (("prune", "-t", "nobody"), "--tenant: 'nobody' was never imported"),
    ],
)
def test_what_is_wrong_is_one_line(
    parley: Command,
    home: Settings,
    good: Adapter,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = good()
    one_line(parley("adapters", *(each.format(good=folder) for each in arguments)), words)
    assert told(home) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": b"garbage, and no tensors"}, f"{WEIGHTS}: its header would have"),
        ({"rank": 8, "r": 4}, "has the shape [8, 32]; rank 4 on this base needs [4, 32]"),
        (
            {"base_model_name_or_path": "other"},
            "was trained on 'other'; allowed: tiny; checked against tiny@",
        ),
        (
            {"weights": safetensors(lora_tensors(fill=255))},
            f"{WEIGHTS}: 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': holds a number that is infinite or none",
        ),
        ({"use_dora": True}, "adapter_config.json: use_dora: DoRA cannot be served"),
    ],
)
def test_what_is_no_adapter_for_the_base_is_refused_and_leaves_nothing(
    parley: Command, home: Settings, good: Adapter, changes: dict[str, Any], words: str
) -> None:
    told_words = parley("adapters", "publish", good(**changes), "-t", "bank")
    one_line(told_words, words)
    assert told_words[2].rstrip().endswith("(PARLEY_ENGINE_MODEL)")
    assert asked(parley, "list") == [] and told(home) == []
    assert not (home.home / "adapters").exists()


def test_a_base_is_needed(
    parley: Command, home: Settings, good: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARLEY_ENGINE_MODEL")
    monkeypatch.setattr(engine_settings, "STARTER", tmp_path / "no-starter")
    one_line(parley("adapters", "publish", good(), "-t", "bank"), "--base: is needed, as PARLEY_ENGINE_MODEL")
    monkeypatch.setattr(engine_settings, "STARTER", write_base(tmp_path / "models" / "tiny"))
    assert published(parley, good())


def test_the_base_is_what_workers_serve_and_whoever_named_it_is_told(
    parley: Command, home: Settings, good: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revision too: what the settings call a model is not what they call another one."""
    monkeypatch.setenv("PARLEY_ENGINE_REVISION", "r1")
    made = asked(parley, "publish", good(1), "-t", "bank")
    assert (made["base_model"], made["base_revision"]) == ("tiny", "r1")
    assert made["base_named_by"] == "PARLEY_ENGINE_MODEL"
    other = write_base(tmp_path / "other" / "tiny", rope_theta=7)
    made = asked(parley, "publish", good(2), "-t", "bank", "--base", str(other))
    assert made["base_named_by"] == "--base" and len(made["base_revision"]) == 16
    same = asked(parley, "publish", good(3), "-t", "bank", "--base", str(tmp_path / "other" / ".." / "tiny"))
    assert same["base_revision"] == "r1"
    monkeypatch.delenv("PARLEY_ENGINE_MODEL")
    monkeypatch.delenv("PARLEY_ENGINE_REVISION")
    monkeypatch.setattr(engine_settings, "STARTER", other)
    _, out, _ = parley("adapters", "publish", good(4), "-t", "bank")
    assert out.rstrip().endswith("(models/starter, as PARLEY_ENGINE_MODEL is not set)")


def test_a_beginning_of_several_digests_is_told_with_all_of_them(
    parley: Command, home: Settings, good: Adapter
) -> None:
    digest = published(parley, good())
    assert published(parley, good(), "shop") == digest
    for each in ("bank", "shop"):
        one_line(parley("adapters", "show", digest[:8]), f"{each}@{digest[:12]}")
        assert asked(parley, "show", digest[:8], "-t", each)["tenant"] == each
    one_line(parley("adapters", "show", digest[:4]), f"DIGEST: {digest[:4]} begins 2 of them (")


def test_a_version_is_named_as_answers_and_logs_name_it(
    parley: Command, home: Settings, good: Adapter
) -> None:
    digest = published(parley, good())
    published(parley, good(), "shop")
    for name in (f"bank@{digest}", f"bank@{digest[:12]}", f"bank@{digest[:4]}", f"bank@{digest[:4]}…"):
        shown = asked(parley, "show", name)
        assert (shown["tenant"], shown["digest"]) == ("bank", digest)
    assert asked(parley, "retire", f"shop@{digest[:4].upper()}", "--to-base")["tenant"] == "shop"
    assert {each["tenant"]: each["state"] for each in asked(parley, "list")} == {
        "bank": "live",
        "shop": "retired",
    }


def test_a_store_of_adapters_that_cannot_work_is_one_line(
    parley: Command, home: Settings, good: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_ADAPTERS_URL", "nonsense://x")
    code, _, error = parley("adapters", "publish", good(), "-t", "bank")
    assert code == 2 and error.splitlines()[-1].startswith("parley: PARLEY_ADAPTERS_URL: 'nonsense://x'")
    assert told(home) == []


# --- what is right ---------------------------------------------------------------------------------------------------


def test_a_version_is_published_shown_and_told(
    parley: Command, home: Settings, good: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(good())
    (folder / README).write_text("How it was made.")
    (folder / PROBES).write_text(PROBE_FILE)
    monkeypatch.setenv("PARLEY_ENGINE_REVISION", "r1")
    made = asked(parley, "publish", str(folder), "-t", "bank", "--revision", "r1")
    digest = made["digest"]
    assert (made["state"], made["rank"], made["before"]) == ("live", 4, None)
    assert (made["base_model"], made["base_revision"]) == ("tiny", "r1")
    stored = home.home / "adapters" / "bank" / digest
    assert made["uri"] == stored.as_uri()
    assert {file.name: file.read_bytes() for file in stored.iterdir()} == {
        file.name: file.read_bytes() for file in folder.iterdir()
    }
    (news,) = told(home)
    assert news == AdapterPublished(
        adapter="bank", digest=digest, base_model="tiny", base_revision="r1", uri=made["uri"]
    )
    shown = asked(parley, "show", digest[:8].upper())
    assert shown["probes"] is True and shown["problem"] is None and shown["state"] == "live"
    assert sum(shown["files"].values()) == shown["bytes"] == made["bytes"]
    out = parley("adapters", "show", digest)[1]
    assert digest in out and README in out and "yes" in out


def test_versions_follow_each_other_and_are_rolled_back_and_retired(
    parley: Command, home: Settings, good: Adapter
) -> None:
    first, second = published(parley, good(1)), published(parley, good(2))
    code, out, _ = parley("adapters", "publish", good(3), "-t", "bank")
    assert code == 0 and f"is live (before: {second[:12]}); its base: tiny@" in out
    assert asked(parley, "rollback", "-t", "bank")["digest"] == second
    states = {each["digest"]: each["state"] for each in asked(parley, "list", "-t", "bank")}
    assert states[second] == "live" and states[first] == "waiting" and len(states) == 3
    one_line(
        parley("adapters", "retire", second), f"DIGEST: {second[:12]} is live for bank; allowed: to publish"
    )
    assert asked(parley, "retire", first)["state"] == "retired"
    code, out, _ = parley("adapters", "retire", second, "--to-base")
    assert code == 0 and out.rstrip() == f"bank: {second[:12]} is retired; the base model answers from now on"
    kinds = [type(each).__name__ for each in told(home)]
    assert kinds == ["AdapterPublished"] * 4 + ["AdapterRetired"]
    _, out, _ = parley("adapters", "list")
    assert out.count("retired") == 2 and "live" not in out


def test_a_version_may_be_published_without_being_live(
    parley: Command, home: Settings, good: Adapter
) -> None:
    code, out, _ = parley("adapters", "publish", good(), "-t", "bank", "--no-live")
    assert code == 0 and "is registered; to answer with it, publish it again without --no-live" in out
    assert told(home) == [] and asked(parley, "list")[0]["state"] == "waiting"
    published(parley, good())
    assert asked(parley, "list")[0]["state"] == "live" and len(told(home)) == 1


def test_publishing_what_is_live_tells_it_again(parley: Command, home: Settings, good: Adapter) -> None:
    digest = published(parley, good())
    code, out, _ = parley("adapters", "publish", good(), "-t", "bank")
    assert code == 0 and out.startswith(f"bank: {digest[:12]} was live already")
    assert [each.digest for each in told(home)] == [digest, digest]


def test_the_same_files_for_another_base_are_refused_until_retired(
    parley: Command, home: Settings, good: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_ENGINE_REVISION", "r1")
    digest = published(parley, good())
    monkeypatch.setenv("PARLEY_ENGINE_REVISION", "r2")
    words = (
        "is registered for the base tiny@r1, not tiny@r2; allowed: to retire it first, and publish it --again"
    )
    one_line(parley("adapters", "publish", good(), "-t", "bank"), words)
    one_line(parley("adapters", "publish", good(), "-t", "bank", "--again"), words)
    asked(parley, "retire", digest, "--to-base")
    assert published(parley, good(), "bank", "--again") == digest


def test_what_was_retired_is_live_again_only_when_that_is_said(
    parley: Command, home: Settings, good: Adapter
) -> None:
    digest = published(parley, good())
    retired_at = asked(parley, "retire", digest, "--to-base")["retired_at"]
    before = told(home)
    for options in ((), ("--no-live",)):
        one_line(
            parley("adapters", "publish", good(), "-t", "bank", *options),
            f"adapter {digest[:12]} of bank: was retired at {retired_at}; allowed: to publish it --again",
        )
    (version,) = asked(parley, "list")
    assert (version["state"], version["retired_at"]) == ("retired", retired_at) and told(home) == before
    made = asked(parley, "publish", good(), "-t", "bank", "--again")
    assert (made["state"], made["retired_at"]) == ("live", None) and len(told(home)) == len(before) + 1
    noted = json.loads(parley("privacy", "audit", "--json")[1])
    again = [each["details"]["again"] for each in noted if each["action"] == "adapters.publish"]
    assert again == [False, True]


def test_files_that_are_removed_while_they_are_published_again_are_put_there_anew(
    parley: Command, home: Settings, good: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between storing and registering, the version is still one that was retired long ago."""
    old, _ = published(parley, good(1)), published(parley, good(2))
    retired_long_ago(home, old)
    register = AdapterPointer.register

    def overtaken(pointer: AdapterPointer, version: AdapterVersion, *, again: bool = False) -> AdapterVersion:
        for step in open_adapter_storage("", home.home / "adapters").removal(version.tenant, version.digest):
            step()
        return register(pointer, version, again=again)

    monkeypatch.setattr(AdapterPointer, "register", overtaken)
    published(parley, good(1), "bank", "--again")
    shown = asked(parley, "show", old)
    assert shown["state"] == "live" and shown["problem"] is None


# --- a quantised model -----------------------------------------------------------------------------------------------


@pytest.fixture
def quantised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another copy of the base, which the workers serve."""
    folder = write_base(tmp_path / "tiny-awq", quantization_config={"quant_method": "awq"})
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", str(folder))
    return folder


@pytest.mark.parametrize("trained_on", ["tiny", "owner/tiny@" + "a" * 40, "{base}"])
def test_an_adapter_of_the_16_bit_model_is_served_on_the_quantised_one(
    parley: Command, home: Settings, good: Adapter, tmp_path: Path, quantised: Path, trained_on: str
) -> None:
    """What publication takes, the worker's own look at it takes."""
    base = tmp_path / "tiny"
    revision = find_base(str(base)).revision if trained_on == "{base}" else "a" * 8
    folder = good(revision=revision)
    published(parley, folder, "bank", "--trained-on", trained_on.format(base=base))
    store = open_store(home.database)
    (version,) = store.adapters.versions()
    store.close()
    assert version.base_model == "tiny-awq"
    stored = home.home / "adapters" / "bank" / version.digest
    check_version(find_base(str(quantised)), 8, version, stored)
    with pytest.raises(AdapterRefused, match="this worker serves tiny@"):
        check_version(find_base(str(base)), 8, version, stored)


def test_probes_that_may_be_of_the_other_copy_are_spoken_of(
    parley: Command, home: Settings, good: Adapter, tmp_path: Path, quantised: Path
) -> None:
    folder = good()
    publish = ("adapters", "publish", folder, "-t", "bank", "--trained-on", "tiny")
    assert "probes" not in parley(*publish)[2]
    (Path(folder) / PROBES).write_text(PROBE_FILE)
    code, _, error = parley(*publish)
    assert (
        code == 0
        and "its probes are asked of tiny-awq: where they were written on tiny they may fail" in error
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "was trained on 'models/tiny'; allowed: tiny-awq; checked against tiny-awq@"),
        (("--trained-on", "small"), "was trained on 'models/tiny'; allowed: tiny-awq or small"),
        (
            ("--trained-on", "tiny@r2"),
            "was trained on revision 'r1' of tiny; allowed: r2, to be served on tiny-awq@",
        ),
        (("--trained-on", "{wide}"), "has other layers than tiny-awq@"),
        (
            ("--trained-on", "@r1"),
            "--trained-on: is '@r1'; allowed: NAME, NAME@REVISION, or a model's folder",
        ),
        (
            ("--trained-on", "tiny", "--revision", "r1"),
            "--revision: is 'r1', but workers know the model as tiny-awq@",
        ),
        (
            ("--base", "{base}", "--revision", "r1"),
            "--revision: is 'r1', but workers know the model as tiny@",
        ),
    ],
)
def test_what_no_worker_would_load_is_refused_with_both_names(
    parley: Command,
    home: Settings,
    good: Adapter,
    tmp_path: Path,
    quantised: Path,
    options: tuple[str, ...],
    words: str,
) -> None:
    named = {"wide": write_base(tmp_path / "wide" / "tiny", hidden_size=64), "base": tmp_path / "tiny"}
    given = [each.format(**named) for each in options]
    one_line(parley("adapters", "publish", good(revision="r1"), "-t", "bank", *given), words)
    assert asked(parley, "list") == [] and told(home) == []


def test_a_folder_without_a_revision_is_known_by_its_fingerprint(
    parley: Command, home: Settings, good: Adapter, tmp_path: Path
) -> None:
    published(parley, good())
    before = asked(parley, "list")[0]["base_revision"]
    assert len(before) == 16
    (tmp_path / "tiny" / "model.safetensors").write_bytes(b"other weights")
    code, _, error = parley("adapters", "publish", good(), "-t", "bank")
    assert code == 2 and f"is registered for the base tiny@{before}, not tiny@" in error


def test_a_damaged_folder_is_shown_as_such(parley: Command, home: Settings, good: Adapter) -> None:
    digest = published(parley, good())
    file = home.home / "adapters" / "bank" / digest / WEIGHTS
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    code, out, _ = parley("adapters", "show", digest)
    assert code == 1 and "they were changed or damaged" in out
    code, out, _ = parley("adapters", "show", digest, "--json")
    assert code == 1 and json.loads(out)["files"] == {}


def test_when_the_bus_is_away_the_line_says_how_to_go_on(
    parley: Command, home: Settings, good: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parley.runtime import adapter_pointer

    def away(*_: object) -> None:
        raise BusUnavailable("no acknowledgement within 60 s")

    with monkeypatch.context() as patched:
        patched.setattr(adapter_pointer, "publish", away)
        code, _, error = parley("adapters", "publish", good(), "-t", "bank")
    assert code == 2
    assert error.splitlines()[-1].endswith("when the bus is back, run: parley adapters tell -t bank")
    assert told(home) == [] and asked(parley, "list")[0]["state"] == "live"
    assert asked(parley, "tell") == {"told": ["bank"]}
    assert len(told(home)) == 1
    assert parley("adapters", "tell", "-t", "shop")[1].startswith("there is nothing to tell")


def test_who_published_what_stands_in_the_audit_log(parley: Command, home: Settings, good: Adapter) -> None:
    first, second = published(parley, good(1)), published(parley, good(2))
    asked(parley, "rollback", "-t", "bank")
    asked(parley, "retire", second)
    noted = [
        (each["action"], each["details"]["digest"])
        for each in json.loads(parley("privacy", "audit", "--json")[1])
    ]
    assert noted == [
        ("adapters.publish", first),
        ("adapters.publish", second),
        ("adapters.rollback", first),
        ("adapters.retire", second),
    ]


def retired_long_ago(settings: Settings, digest: str) -> None:
    store = open_store(settings.database)
    store.adapters.retire(TenantId("bank"), digest, NINE - timedelta(days=30))
    store.close()


def test_files_of_versions_that_were_retired_long_ago_are_removed(
    parley: Command, home: Settings, good: Adapter
) -> None:
    old, older, before, live = (published(parley, good(fill)) for fill in range(1, 5))
    retired_long_ago(home, old)
    asked(parley, "retire", older)
    would = asked(parley, "prune", "--dry-run")
    assert (would["removed"], [each["digest"] for each in would["versions"]]) == (False, [old])
    assert "would be removed: 1 versions" in parley("adapters", "prune", "--dry-run")[1]
    assert asked(parley, "show", old)["files"]

    assert [each["digest"] for each in asked(parley, "prune")["versions"]] == [old]
    assert parley("adapters", "prune")[1].startswith("there is nothing to remove: no version with files")
    assert parley("adapters", "show", old)[0] == 1
    for kept in (older, before, live):
        assert asked(parley, "show", kept)["files"]
    assert asked(parley, "rollback", "-t", "bank")["digest"] == before
    noted = json.loads(parley("privacy", "audit", "--json")[1])
    assert [each["details"]["digest"] for each in noted if each["action"] == "adapters.prune"] == [old]
    assert published(parley, good(1), "bank", "--again") == old and asked(parley, "show", old)["files"]


def test_what_was_retired_just_now_is_never_removed(parley: Command, home: Settings, good: Adapter) -> None:
    asked(parley, "retire", published(parley, good()), "--to-base")
    assert asked(parley, "prune", "--days", "1")["versions"] == []
    assert parley("adapters", "prune", "--days", "0")[0] == 2


def test_an_empty_list_says_who_answers(parley: Command, home: Settings) -> None:
    assert parley("adapters", "list")[1].startswith("no adapter was published")


def test_files_may_be_kept_on_what_fsspec_reaches(
    parley: Command, home: Settings, good: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_ADAPTERS_URL", "memory://bucket/adapters/")
    digest = published(parley, good())
    assert told(home)[0].uri == f"memory://bucket/adapters/bank/{digest}"  # type: ignore[union-attr]  # published, not retired
    assert asked(parley, "show", digest)["files"]
    MemoryFileSystem.store.clear()


# --- models of Hugging Face's cache ----------------------------------------------------------------------------------


@contextmanager
def hugging_face(home: Path) -> Iterator[tuple[dict[str, str], str]]:
    """A cache with one model in it, as the library lays it out; its environment, and the commit."""
    folder = write_base(cached_model(home / "hub", "some/tiny"))
    commit = folder.name
    yield {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}, commit


def test_a_base_may_be_named_by_its_id(home: Settings, good: Adapter, tmp_path: Path) -> None:
    with hugging_face(tmp_path / "hf") as (environment, commit):
        command = [sys.executable, "-m", "parley.cli.main", "adapters", "publish", good(revision=commit[:8])]
        command += ["-t", "bank", "--base", "some/tiny", "--json"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment, "PARLEY_HOME": str(home.home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["base_model"], made["base_revision"]) == ("some/tiny", commit)


@pytest.mark.parametrize("way", ["variable", "option"])
def test_a_base_that_is_not_in_the_cache_is_not_asked_for_offline(
    parley: Command,
    home: Settings,
    good: Adapter,
    monkeypatch: pytest.MonkeyPatch,
    asked_names: list[str],
    way: str,
) -> None:
    monkeypatch.setenv("PARLEY_ENGINE_OFFLINE", "true")
    if way == "variable":
        monkeypatch.setenv("PARLEY_ENGINE_MODEL", "nobody/nothing")
    options = ["--base", "nobody/nothing"] if way == "option" else []
    one_line(
        parley("adapters", "publish", good(), "-t", "bank", *options),
        "PARLEY_ENGINE_MODEL: 'nobody/nothing' is no folder here and no id in the local Hugging Face cache",
    )
    assert asked_names == []


def test_every_command_has_help() -> None:
    for name in ("list", "show", "publish", "retire", "rollback", "tell", "probe", "prune"):
        command = [sys.executable, "-m", "parley.cli.main", "adapters", name, "--help"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "Usage:" in done.stdout


def test_probes_that_cannot_be_asked_are_refused_at_publication(
    parley: Command, home: Settings, good: Adapter
) -> None:
    folder = Path(good())
    (folder / PROBES).write_text('{"version": 1, "probes": []}')
    status, _, words = parley("adapters", "publish", str(folder), "-t", "bank")
    assert status == 2 and "probes.json: probes: " in words
