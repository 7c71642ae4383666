"""`parley privacy`: what is held about a customer, and making it unreadable everywhere, backups included."""

import hashlib
import json
import re
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from parley.cli.common import JsonOption, actor, counted, known_tenant, platform, print_json, step, table
from parley.codec import explain
from parley.errors import ConfigurationError, InvalidEvent, KeyErased
from parley.ports.keys import Erasure
from parley.ports.store import AuditEntry
from parley.runtime import erasing, linking
from parley.runtime.disclosing import LOG_TOPICS, Disclosure
from parley.runtime.exports import created, read_records, without_texts
from schemas.base import ConversationId, CustomerId, TenantId, rfc3339
from workers.wiring import Platform

app = typer.Typer(help="Customers' data: export, erasure, and the list of erasures.", no_args_is_help=True)

CustomerArgument = Annotated[
    str, typer.Argument(help="The customer's id, which `parley privacy find CONVERSATION` tells.")
]
TenantOption = Annotated[str, typer.Option("--tenant", "-t", help="The tenant whose customer it is.")]
OneTenantOption = Annotated[str | None, typer.Option("--tenant", "-t", help="Only this tenant's.")]
LinkedOption = Annotated[
    bool,
    typer.Option("--linked", help="Also everybody whom `parley customers link` made one person with them."),
]
FilesOption = Annotated[
    Path | None,
    typer.Option(
        "--files", file_okay=False, help="Folder to write the customer's own files to, each by its digest."
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", dir_okay=False, help="File to write; default: standard output.")
]
FileArgument = Annotated[
    Path | None,
    typer.Argument(help="What `parley privacy list --json` wrote.", exists=True, dir_okay=False),
]

ID = re.compile(r"[\x21-\x7e]{1,64}")
CLOCKS_DIFFER = timedelta(hours=1)
ERASURES = TypeAdapter(list[Erasure])


@app.command("find")
def find(
    conversation: Annotated[str, typer.Argument(help="A conversation's id.")], as_json: JsonOption = False
) -> None:
    """Whose conversation this is: the customer's id, and the tenant."""
    with platform() as opened:
        row = opened.store.conversation(ConversationId(_id(conversation, "CONVERSATION")))
    if row is None:
        raise ConfigurationError(
            f"CONVERSATION: there is no conversation {conversation!r}; allowed: the id of one that was not erased"
        )
    if as_json:
        print_json({"tenant": row.tenant, "customer_id": row.customer_id})
    else:
        typer.echo(f"{row.customer_id}  (tenant {row.tenant})")


@app.command("export")
def export(
    customer: CustomerArgument,
    tenant: TenantOption,
    out: OutOption = None,
    files: FilesOption = None,
    linked: LinkedOption = False,
) -> None:
    """Write everything that is held about a customer as JSON, texts opened. Keep the file to yourself and the customer."""
    with platform() as opened:
        names = _named(opened, tenant, customer)
        at = erasing.erased_at(opened.store, opened.keys, *names)
        if at is not None:
            raise KeyErased(f"customer {customer} was erased on {rfc3339(at)}; nothing of it can be read")
        others = linking.linked_to(opened.store, *names)
        document = {**_disclosed(opened, *names), "linked_customers": others}
        if linked:
            document["linked"] = [_disclosed(opened, names[0], other) for other in others]
        with _target(out) as target:
            target.write(json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n")
        for each in (document, *document.get("linked", ())):
            if files is not None:
                _write_files(opened, names[0], each["customer_id"], files)
            _note(opened, "privacy.export", names[0], each["customer_id"], {"events": len(each["events"])})
    typer.echo(f"{len(document['events'])} events exported" + (f" to {out}" if out else ""), err=True)
    if others:
        what = "exported as well" if linked else "not exported; --linked does it too"
        typer.echo(f"one person with {', '.join(others)}: {what}", err=True)


@app.command("erase")
def erase(
    customer: CustomerArgument,
    tenant: TenantOption,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    linked: LinkedOption = False,
) -> None:
    """Erase a customer for good: the key, and with it every text in every topic, table and backup; and what is derived.

    Takes some seconds, until no running process holds the key any more. Interrupted, it is simply run again.
    """
    with platform() as opened:
        names = _named(opened, tenant, customer)
        others = linking.linked_to(opened.store, *names)
        if not yes:
            linked = _confirm(opened, *names, others, linked)
        everybody = [names[1], *(others if linked else ())]
        for each in everybody:  # with the rows of one go its links: by then all are listed
            erasing.begin(opened.store, opened.keys, names[0], each, opened.clock.now())
        done = [_erased(opened, names[0], each) for each in everybody]
    left_alone = [] if linked else others
    if as_json:
        first, *more = (_as_json(each) for each in done)
        print_json({**first, "linked": more, "not_erased": left_alone})
        return
    for each in done:
        rows = _counts({name: count for name, count in each.rows.items() if count})
        typer.echo(
            f"customer {each.customer_id} of {tenant} is erased (first on {rfc3339(each.first_at)}); rows: {rows}; files: {each.files}"
        )
        if each.left:
            typer.echo(f"the key's bytes may still be in {each.left}")
    if left_alone:
        typer.echo(f"one person with {', '.join(left_alone)}: not erased; --linked does it too")


@app.command("list")
def list_erasures(tenant: OneTenantOption = None, as_json: JsonOption = False) -> None:
    """Everybody who was erased. With --json it is the file that `reapply` takes: keep one outside of all backups."""
    with platform() as opened:
        only = known_tenant(opened, tenant) if tenant is not None else None
        everybody = erasing.everybody(opened.store, opened.keys)
    found = [each for each in everybody if only in (None, each.tenant)]
    if as_json:
        print_json([{**each._asdict(), "erased_at": rfc3339(each.erased_at)} for each in found])
    elif not found:
        typer.echo("nobody was erased")
    else:
        rows = [(each.tenant, each.customer_id, rfc3339(each.erased_at)) for each in found]
        table(rows, ("tenant", "customer", "erased at"))


@app.command("reapply")
def reapply(file: FileArgument = None, as_json: JsonOption = False) -> None:
    """Erase again everybody on the list, after a backup was restored. `parley db upgrade` does it too, without a FILE."""
    more = _read(file) if file is not None else []
    with platform() as opened, step("erasures"):
        done = erasing.reapply(opened.store, opened.keys, opened.media, more)
        if done.keys or done.files or any(done.rows.values()):
            details = {
                "listed": done.listed,
                "keys": done.keys,
                "rows": dict(done.rows),
                "files": done.files,
            }
            opened.store.note(AuditEntry(opened.clock.now(), actor(), "privacy.reapply", details=details))
    rows = {name: count for name, count in done.rows.items() if count}
    if as_json:
        told = {"listed": done.listed, "keys": done.keys, "rows": rows, "files": done.files}
        print_json({**told, "left": done.left})
        return
    typer.echo(
        f"{done.listed} customers are on the list; keys erased again: {done.keys}; rows: {_counts(rows)}; files: {done.files}"
    )
    if done.left:
        typer.echo(f"the keys' bytes may still be in {done.left}")


@app.command("clean")
def clean(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files that `parley events export` wrote.", exists=True, dir_okay=False),
    ],
) -> None:
    """Take the texts of erased customers out of exported streams, which are outside of all that `erase` can reach."""
    with platform() as opened:
        gone = {(e.tenant, e.customer_id) for e in erasing.everybody(opened.store, opened.keys)}
    for file in files:
        try:
            count = _clean(file, gone)
        except InvalidEvent as error:
            raise ConfigurationError(
                f"{file}: {error}; allowed: what `parley events export` wrote"
            ) from error
        typer.echo(f"{file}: {count} events without their texts")


@app.command("audit")
def audit(tenant: OneTenantOption = None, as_json: JsonOption = False) -> None:
    """Who exported and erased whom, and when."""
    with platform() as opened:
        found = opened.store.noted(known_tenant(opened, tenant) if tenant is not None else None)
    if as_json:
        print_json([{**each._asdict(), "at": rfc3339(each.at)} for each in found])
        return
    rows = [
        (rfc3339(e.at), e.actor, e.action, e.tenant or "-", e.customer_id or "-", json.dumps(dict(e.details)))
        for e in found
    ]
    table(rows, ("at", "who", "what", "tenant", "customer", "details"))


# -- what they share -----------------------------------------------------------------------------------------------------


def _id(text: str, field: str) -> str:
    if not ID.fullmatch(text):
        raise ConfigurationError(
            f"{field}: is no id; allowed: 1 to 64 letters, digits and signs without spaces"
        )
    return text


def _named(opened: Platform, tenant: str, customer: str) -> tuple[TenantId, CustomerId]:
    """A customer whom the tenant has, or had."""
    names = known_tenant(opened, tenant), CustomerId(_id(customer, "CUSTOMER"))
    if not erasing.is_known(opened.store, opened.keys, *names):
        raise ConfigurationError(
            f"CUSTOMER: {tenant} has no customer {customer!r}; allowed: an id that `parley privacy find CONVERSATION` tells"
        )
    return names


def _disclosed(opened: Platform, tenant: TenantId, customer: CustomerId) -> dict[str, Any]:
    made_at = opened.keys.made_at(tenant, customer)
    since_ms = None if made_at is None else int((made_at - CLOCKS_DIFFER).timestamp() * 1000)
    records = counted(read_records(opened.bus, LOG_TOPICS, since_ms=since_ms), "records read")
    disclosure = Disclosure(opened.store, opened.keys, opened.media, opened.codec, tenant, customer)
    return disclosure.document(records, opened.clock.now())


def _erased(opened: Platform, tenant: TenantId, customer: CustomerId) -> erasing.ErasedCustomer:
    return erasing.erase(
        opened.store,
        opened.keys,
        opened.media,
        tenant,
        customer,
        now=opened.clock.now(),
        actor=actor(),
        wait=time.sleep,
        step=step,
    )


def _as_json(done: erasing.ErasedCustomer) -> dict[str, Any]:
    rows = {name: count for name, count in done.rows.items() if count}
    names = {"tenant": done.tenant, "customer_id": done.customer_id, "erased_at": rfc3339(done.first_at)}
    return {**names, "rows": rows, "files": done.files, "left": done.left}


def _write_files(opened: Platform, tenant: TenantId, customer: CustomerId, folder: Path) -> None:
    """A name tells nothing: which message it came with stands in the document, under the same digest."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--files: cannot write to {folder} ({error.strerror})") from error
    for content in opened.media.all_of(tenant, customer):
        with created(folder / hashlib.sha256(content).hexdigest()) as file:
            file.write(content)


def _confirm(
    opened: Platform, tenant: TenantId, customer: CustomerId, others: Sequence[CustomerId], linked: bool
) -> bool:
    """Whether those who are one person with the customer are to be erased as well."""
    if not sys.stdin.isatty():
        raise ConfigurationError("--yes: is needed where nobody can be asked")
    for each in (customer, *(others if linked else ())):
        held = {name: len(rows) for name, rows in opened.store.held(tenant, each).items() if rows}
        if files := len(opened.media.held(tenant, each)):
            held["files"] = files
        typer.echo(f"customer {each} of {tenant}: {_counts(held)}", err=True)
    typer.confirm("Erase for good? Nobody can bring it back.", abort=True, err=True)
    if others and not linked:
        return typer.confirm(f"One person with {', '.join(others)}. Erase them as well?", err=True)
    return linked


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in rows.items()) or "none"


def _note(
    opened: Platform, action: str, tenant: TenantId, customer: CustomerId, details: Mapping[str, Any]
) -> None:
    opened.store.note(AuditEntry(opened.clock.now(), actor(), action, tenant, customer, details))


def _read(file: Path) -> list[Erasure]:
    try:
        found = ERASURES.validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigurationError(
            f"{file}: {explain(error)}; allowed: what `parley privacy list --json` wrote"
        ) from error
    return [each._replace(erased_at=_aware(each.erased_at)) for each in found]


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _clean(file: Path, gone: Collection[tuple[str, str]]) -> int:
    """Nothing is changed where there is nothing to take out."""
    with file.open("rb") as lines:
        count = sum(changed for _, changed in without_texts(lines, gone))
        lines.seek(0)
        if count:
            with created(file) as out:
                out.writelines(line for line, _ in without_texts(lines, gone))
    return count


def _target(out: Path | None) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdout.buffer) if out is None else created(out)
