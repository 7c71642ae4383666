"""`parley adapters prune`: the files of versions that were retired long ago."""

from datetime import timedelta
from typing import Annotated

import typer

from parley.cli.adapter_names import OneTenantOption
from parley.cli.adapters import SHORT, fields_of, note, sized
from parley.cli.common import JsonOption, known_tenant, platform, print_json, table
from parley.ports.adapters import AdapterVersion
from parley.runtime.adapter_pruning import Pruning
from workers.wiring import Platform, adapter_storage

KEPT_DAYS = 7


def prune(
    tenant: OneTenantOption = None,
    days: Annotated[
        int, typer.Option(min=1, help="Keep the files of what was retired less than so many days ago.")
    ] = KEPT_DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove the files of retired versions from the store, and from this machine's copies.

    The live version and the one that a rollback leads to stay, and so does what is known of each version.
    """
    with platform() as opened:
        only = known_tenant(opened, tenant) if tenant is not None else None
        pruning = Pruning(
            opened.store.adapters, adapter_storage(opened), opened.clock.now(), timedelta(days=days)
        )
        found = pruning.found(only)
        gone = found if dry_run else [each for each in found if _removed(opened, pruning, each)]
    if as_json:
        print_json({"removed": not dry_run, "versions": [fields_of(each, False) for each in gone]})
    elif not gone:
        typer.echo(
            f"there is nothing to remove: no version with files was retired {days} days ago or earlier"
        )
    else:
        _tell(gone, dry_run)


def _removed(opened: Platform, pruning: Pruning, version: AdapterVersion) -> bool:
    return pruning.remove(version, lambda gone: note(opened, "adapters.prune", gone, {"bytes": gone.bytes}))


def _tell(gone: list[AdapterVersion], dry_run: bool) -> None:
    rows = [
        (each.tenant, each.digest[:SHORT], sized(each.bytes), f"{each.retired_at:%Y-%m-%d %H:%M}")
        for each in gone
    ]
    table(rows, ("tenant", "digest", "size", "retired"))
    total = f"{len(gone)} versions, {sized(sum(each.bytes for each in gone))}"
    typer.echo(f"would be removed: {total}" if dry_run else f"removed: {total}")
