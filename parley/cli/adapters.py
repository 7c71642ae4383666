"""`parley adapters`: publishing a tenant's LoRA weights, and which version its answers are written with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from parley.cli.adapter_base import Served, served_base, source_of
from parley.cli.adapter_names import DigestArgument, OneTenantOption, named_version
from parley.cli.common import (
    JsonOption,
    TenantOption,
    actor,
    known_tenant,
    platform,
    print_json,
    step,
    table,
)
from parley.domain.adapter_config import MAX_RANK
from parley.domain.adapters import PROBES, AdapterFacts, check_base
from parley.domain.base_model import BaseModel, TrainedOn
from parley.engine_settings import STARTER, engine_settings
from parley.errors import AdapterRefused, BusUnavailable, ConfigurationError, StoreUnavailable
from parley.ports.adapters import AdapterVersion
from parley.ports.store import AuditEntry
from schemas.base import TenantId, rfc3339
from workers.wiring import Platform, adapter_pointer, adapter_storage

app = typer.Typer(
    help="Adapters: the LoRA weights that a tenant's answers are written with.", no_args_is_help=True
)

SHORT = 12
"""Digits of a digest that people are shown."""
BASE = "the base model"

FolderArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="Holds adapter_config.json and adapter_model.safetensors, as PEFT saves them."
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="MODEL",
        help="The model that it is served on: a folder with config.json, or owner/name on Hugging Face. Default: what PARLEY_ENGINE_MODEL "
        "names, as for workers, and without it models/starter.",
    ),
]
RevisionOption = Annotated[
    str | None,
    typer.Option(
        "--revision",
        help="The served model's commit, branch or tag on Hugging Face. Default: PARLEY_ENGINE_REVISION, or what the cache or the hub has. "
        "A folder is known by its files.",
    ),
]
TrainedOnOption = Annotated[
    str | None,
    typer.Option(
        "--trained-on",
        metavar="MODEL",
        help="The model that it was trained on, where the served one is another copy of it (a quantised one): NAME, NAME@REVISION, or a folder.",
    ),
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Also a version that was retired: it can be served again.")
]


@app.command("list")
def list_adapters(tenant: OneTenantOption = None, as_json: JsonOption = False) -> None:
    """All versions, the newest first; which is live, and which are retired."""
    with platform() as opened:
        only = known_tenant(opened, tenant) if tenant is not None else None
        versions = opened.store.adapters.versions(only)
        live = {each: opened.store.adapters.live(each) for each in {v.tenant for v in versions}}
    told = [fields_of(each, live[each.tenant] == each.digest) for each in versions]
    if as_json:
        print_json(told)
    elif not told:
        typer.echo("no adapter was published; every tenant's answers are written with the base model")
    else:
        header = ("tenant", "digest", "state", "rank", "size", "base", "published")
        table([_row(version, fields) for version, fields in zip(versions, told, strict=True)], header)


@app.command("show")
def show(digest: DigestArgument, tenant: OneTenantOption = None, as_json: JsonOption = False) -> None:
    """One version with its files, fetched and checked against the digest. Exit 1 if they are damaged or missing."""
    with platform() as opened:
        version = named_version(opened, digest, tenant)
        live = opened.store.adapters.live(version.tenant) == version.digest
        files, problem = _files(opened, version)
    told = {**fields_of(version, live), "files": files, "probes": PROBES in files, "problem": problem}
    if as_json:
        print_json(told)
    else:
        listed = ", ".join(f"{name} {size:,}" for name, size in files.items())
        shown = {**told, "files": listed, "probes": "yes" if told["probes"] else "no"}
        table([(name, str(value)) for name, value in shown.items() if value not in (None, "")], ("", ""))
    if problem is not None:
        raise typer.Exit(1)


@app.command("publish")
def publish(
    folder: FolderArgument,
    tenant: TenantOption,
    base: BaseOption = None,
    revision: RevisionOption = None,
    trained_on: TrainedOnOption = None,
    live: Annotated[bool, typer.Option("--live/--no-live", help="Answer with it from now on.")] = True,
    again: AgainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check a folder against the base model, store it, register it, and answer with it from now on. A retired version only with --again."""
    with platform() as opened:
        name = known_tenant(opened, tenant)
        served, source = served_base(base, revision), source_of(trained_on)
        version = put(opened, name, folder, served, source, again=again)
        if source is not None and (folder / PROBES).exists():
            _tell_of_probes(served, source)
        pointer = adapter_pointer(opened)
        before = opened.store.adapters.live(name)
        with noted(opened, "adapters.publish", version, {"live": live, "again": again}):
            if live:
                pointer.go_live(name, version.digest)
        is_live = opened.store.adapters.live(name) == version.digest
    if as_json:
        print_json({**fields_of(version, is_live), "before": before, "base_named_by": served.named_by})
    else:
        typer.echo(f"{name}: {_moved(version, before) if live else _waits(version)}; its base: {served}")


@app.command("retire")
def retire(
    digest: DigestArgument,
    tenant: OneTenantOption = None,
    to_base: Annotated[
        bool, typer.Option("--to-base", help="Also the live one: the base model answers from now on.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a version no more, unless it is published --again. Its files stay until `prune`, since a worker may still be answering with it."""
    with platform() as opened:
        version = named_version(opened, digest, tenant)
        was_live = opened.store.adapters.live(version.tenant) == version.digest
        if was_live and not to_base:
            raise ConfigurationError(
                f"DIGEST: {version.digest[:SHORT]} is live for {version.tenant}; allowed: to publish or roll back to another one "
                "first, or --to-base, with which the base model answers from now on"
            )
        with noted(opened, "adapters.retire", version, {"was_live": was_live}):
            adapter_pointer(opened).retire(version.tenant, version.digest, to_base=to_base)
        retired = opened.store.adapters.get(version.tenant, version.digest) or version
    if as_json:
        print_json({**fields_of(retired, False), "was_live": was_live})
    else:
        answers = f"; {BASE} answers from now on" if was_live else ""
        typer.echo(f"{version.tenant}: {version.digest[:SHORT]} is retired{answers}")


@app.command("rollback")
def rollback(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Answer with the version that was live before, from now on."""
    with platform() as opened:
        name = known_tenant(opened, tenant)
        target = opened.store.adapters.before(name)
        version = None if target is None else opened.store.adapters.get(name, target)
        if version is None:
            raise ConfigurationError(
                f"--tenant: {name} has no earlier version that can still be served; allowed: to publish one"
            )
        with noted(opened, "adapters.rollback", version, {}):
            before = adapter_pointer(opened).go_live(name, version.digest)
    if as_json:
        print_json({**fields_of(version, True), "before": before})
    else:
        typer.echo(f"{name}: {_moved(version, before)}")


@app.command("tell")
def tell(tenant: OneTenantOption = None, as_json: JsonOption = False) -> None:
    """Tell the workers again what is live: after the bus was away, or lost its records. Changes nothing."""
    with platform() as opened:
        everybody = sorted({each.tenant for each in opened.store.adapters.versions()})
        names = everybody if tenant is None else [known_tenant(opened, tenant)]
        pointer = adapter_pointer(opened)
        told = [name for name in names if pointer.tell(name)]
    if as_json:
        print_json({"told": told})
    else:
        typer.echo(
            f"told of {', '.join(told)}"
            if told
            else "there is nothing to tell: no adapter was ever published"
        )


def put(
    opened: Platform,
    tenant: TenantId,
    folder: Path,
    served: Served,
    trained_on: TrainedOn | None = None,
    *,
    again: bool = False,
) -> AdapterVersion:
    """Check a folder, store it and register it; it is not live yet. `again`: also one that was retired.

    Raises `AdapterRefused`, `StoreUnavailable`.
    """
    facts = _checked(folder, served, trained_on)
    pointer, storage = adapter_pointer(opened), adapter_storage(opened, tenant)
    version = _to_register(opened, tenant, served.base, facts)
    was_retired = pointer.check(version, again=again)
    with step(f"store {facts.digest[:SHORT]} ({sized(facts.bytes)}, rank {facts.rank})"):
        uri = storage.put(folder, facts.digest)
    registered = pointer.register(replace(version, uri=uri), again=again)
    if was_retired:  # Whoever was removing its files until now may have taken away what was just stored.
        storage.put(folder, facts.digest)
    return registered


def served_rank() -> int:
    """The highest rank that workers of these settings take. Raises `ConfigurationError`."""
    return engine_settings().rank or MAX_RANK


def put_shipped(opened: Platform, tenant: TenantId, base: BaseModel) -> AdapterVersion | None:
    """The first version that the starter model ships for a tenant, live, where nothing was ever published for it."""
    folder = STARTER / "adapters" / f"{tenant}-1"
    if not folder.is_dir() or opened.store.adapters.versions(tenant):
        return None
    version = put(opened, tenant, folder, Served(base, "models/starter"))
    adapter_pointer(opened).go_live(tenant, version.digest)
    return version


# -- what they share -----------------------------------------------------------------------------------------------------


def _checked(folder: Path, served: Served, trained_on: TrainedOn | None) -> AdapterFacts:
    """What is refused is refused for this base, so that is told with it."""
    from parley.backends.adapter_folder import read_folder

    try:
        facts = read_folder(folder, served.base.shapes, max_rank=served_rank())
        check_base(facts, served.base, trained_on)
    except AdapterRefused as error:
        raise AdapterRefused(f"{error}; checked against {served}") from error
    return facts


def _tell_of_probes(served: Served, source: TrainedOn) -> None:
    """Rounding turns tokens: what the 16-bit model answers, a 4-bit one need not."""
    typer.echo(
        f"  its probes are asked of {served.base.name}: where they were written on {source.name} they may fail, and workers would quarantine "
        "the version; `parley adapters probe --base` writes them on the served model, before publishing",
        err=True,
    )


def _to_register(opened: Platform, tenant: TenantId, base: BaseModel, facts: AdapterFacts) -> AdapterVersion:
    """Still without the place of its files."""
    return AdapterVersion(
        tenant=tenant,
        digest=facts.digest,
        base_model=base.name,
        base_revision=base.revision,
        rank=facts.rank,
        bytes=facts.bytes,
        uri="",
        published_at=opened.clock.now(),
    )


def _files(opened: Platform, version: AdapterVersion) -> tuple[dict[str, int], str | None]:
    """The version's files with their sizes, or what is wrong with them."""
    try:
        folder = adapter_storage(opened).fetch(version.uri, version.digest)
    except (AdapterRefused, StoreUnavailable) as error:
        return {}, str(error)
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir())}, None


@contextmanager
def noted(
    opened: Platform, action: str, version: AdapterVersion, details: dict[str, object]
) -> Iterator[None]:
    """Into the audit log, once it is done: also where the bus then did not take the news."""
    lost: BusUnavailable | None = None
    try:
        yield
    except BusUnavailable as error:
        lost = error
    note(opened, action, version, details)
    if lost is not None:
        raise BusUnavailable(
            f"it is registered, but the workers could not be told: {lost}; when the bus is back, run: "
            f"parley adapters tell -t {version.tenant}"
        ) from lost


def note(opened: Platform, action: str, version: AdapterVersion, details: dict[str, object]) -> None:
    """Into the audit log."""
    entry = {"digest": version.digest, **details}
    opened.store.note(AuditEntry(opened.clock.now(), actor(), action, version.tenant, None, entry))


def fields_of(version: AdapterVersion, live: bool) -> dict[str, object]:
    return {
        "tenant": version.tenant,
        "digest": version.digest,
        "state": "live" if live else "retired" if version.retired_at is not None else "waiting",
        "rank": version.rank,
        "bytes": version.bytes,
        "base_model": version.base_model,
        "base_revision": version.base_revision,
        "uri": version.uri,
        "published_at": rfc3339(version.published_at),
        "retired_at": None if version.retired_at is None else rfc3339(version.retired_at),
    }


def _row(version: AdapterVersion, told: dict[str, object]) -> tuple[str, ...]:
    return (
        version.tenant,
        version.digest[:SHORT],
        str(told["state"]),
        str(version.rank),
        sized(version.bytes),
        f"{version.base_model}@{version.base_revision[:SHORT]}",
        f"{version.published_at:%Y-%m-%d %H:%M}",
    )


def _moved(version: AdapterVersion, before: str | None) -> str:
    earlier = BASE if before is None else before[:SHORT]
    if before == version.digest:
        return f"{version.digest[:SHORT]} was live already"
    return f"{version.digest[:SHORT]} is live (before: {earlier})"


def _waits(version: AdapterVersion) -> str:
    return f"{version.digest[:SHORT]} is registered; to answer with it, publish it again without --no-live"


def sized(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
