"""`parley tenants`: check a folder, import it as a new version, list what is there; `similar` has a file of its own."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from parley.backends.tenant_folder import TenantFolder
from parley.backends.tenant_folder import load as load
from parley.cli.common import JsonOption, platform, print_json, table
from parley.cli.similar import similar
from parley.codec import Outgoing
from parley.domain.chunking import chunks_of
from parley.ids import named_id
from parley.runtime.announcing import TENANT_ITSELF, about_tenant
from parley.runtime.publishing import publish
from schemas.other_events import TenantImported
from workers.wiring import Platform, lookup, retriever

app = typer.Typer(help="Tenants: folders of articles, intents and texts.", no_args_is_help=True)

app.command("similar")(similar)

Folder = Annotated[
    Path, typer.Argument(help="A tenant's folder, such as tenants/bank.", exists=True, file_okay=False)
]


@app.command("check")
def check(folder: Folder, as_json: JsonOption = False) -> None:
    """Check a folder without importing it; each problem is a line: file, line, field."""
    found = load(folder)
    _warn(found)
    report = {
        "tenant": found.config.id,
        "version": found.version,
        "articles": len(found.content.articles),
        "intents": len(found.config.intents),
        "examples": sum(len(texts) for by in found.content.examples.values() for texts in by.values()),
        "canned": len(found.config.canned),
        "patterns": len(found.config.privacy.patterns),
    }
    if as_json:
        print_json({**report, "warnings": found.warnings})
    else:
        typer.echo("  ".join(f"{name} {value}" for name, value in report.items()))


@app.command("import")
def import_folder(folder: Folder, as_json: JsonOption = False) -> None:
    """Check a folder and make it the tenant's current version. With an error in it, the running version stays."""
    found = load(folder)
    _warn(found)
    with platform() as opened:
        changed, written = import_version(opened, found)
    if as_json:
        print_json(
            {
                "tenant": found.config.id,
                "version": found.version,
                "changed": changed,
                "chunks_written": written,
            }
        )
    elif changed:
        typer.echo(f"{found.config.id}: version {found.version} is current, {written} chunks indexed")
    else:
        typer.echo(f"{found.config.id}: version {found.version} was current already")


@app.command("list")
def list_tenants(as_json: JsonOption = False) -> None:
    """All versions; the current one of each tenant is marked."""
    with platform() as opened:
        versions = opened.store.versions()
    rows = [
        (v.tenant, v.version, f"{v.imported_at:%Y-%m-%d %H:%M}", "current" if v.current else "")
        for v in versions
    ]
    header = ("tenant", "version", "imported", "")
    if as_json:
        print_json(
            [{"tenant": r[0], "version": r[1], "imported_at": r[2], "current": bool(r[3])} for r in rows]
        )
    else:
        table(rows, header)


def _warn(found: TenantFolder) -> None:
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)


def import_version(opened: Platform, found: TenantFolder) -> tuple[bool, int]:
    """Index what changed, store the version, and tell everybody. Returns (is it new, chunks written).

    The news is made before anything is stored: what is wrong with a version shows while the old one is current. A version
    that was current already is announced too, because the last announcement may have been lost.
    """
    now = opened.clock.now()
    news = _news(opened, found, now)
    searches = retriever(opened)
    try:
        chunks = chunks_of(found.content.articles)
        written = lookup(searches).sync(found.config.id, found.version, chunks)
    finally:
        searches.close()
    changed = opened.store.put(found.version, found.config, found.content, now)
    producer = opened.bus.producer()
    try:
        publish(producer, [news])
    finally:
        producer.close()
    return changed, written


def _news(opened: Platform, found: TenantFolder, now: datetime) -> Outgoing:
    body = TenantImported(name=found.config.name[found.config.default_language], imported_at=now)
    event_id = named_id("tenant-imported", found.config.id, found.version, now.isoformat())
    opened.keys.create(found.config.id, TENANT_ITSELF)
    return opened.codec.encode(about_tenant(body, event_id, found.config.id, found.version, now))
