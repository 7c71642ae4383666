"""`parley customers`: who is one person on several channels, as a human agent knows it."""

from typing import Annotated

import typer

from parley.cli.common import JsonOption, actor, known_tenant, platform, print_json, table
from parley.errors import ConfigurationError
from parley.ports.links import Link
from parley.ports.store import AuditEntry
from parley.runtime import erasing, linking
from schemas.base import ConversationId, CustomerId, TenantId, rfc3339
from workers.wiring import Platform

app = typer.Typer(help="Customers who are one person on several channels.", no_args_is_help=True)

WHO = "A customer's id, or that of one of their conversations."
OneArgument = Annotated[str, typer.Argument(metavar="CUSTOMER", help=WHO)]
OtherArgument = Annotated[str, typer.Argument(metavar="OTHER", help=WHO)]
TenantOption = Annotated[str, typer.Option("--tenant", "-t", help="The tenant whose customers they are.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who knows it; default: who runs this command.")]
MAX_BY_CHARS = 128


@app.command("link")
def link(
    one: OneArgument,
    other: OtherArgument,
    tenant: TenantOption,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that two customers are one person. Their conversations are listed together; each keeps its own key, and no text moves."""
    with platform() as opened:
        name = known_tenant(opened, tenant)
        first, second = (_customer(opened, name, text) for text in (one, other))
        if first == second:
            raise ConfigurationError(f"OTHER: {other!r} is CUSTOMER already; allowed: another customer")
        told = Link.of(name, first, second, _by(by), opened.clock.now())
        new = opened.store.links.link(told)
        if new:
            _note(opened, "customers.link", name, first, second, told.by)
    _tell(as_json, name, first, second, "linked" if new else "linked already")


@app.command("unlink")
def unlink(
    one: OneArgument,
    other: OtherArgument,
    tenant: TenantOption,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a link back: everything is as it was before it."""
    with platform() as opened:
        name = known_tenant(opened, tenant)
        first, second = (_customer(opened, name, text) for text in (one, other))
        who = _by(by)
        if not opened.store.links.unlink(name, first, second):
            raise ConfigurationError(
                f"OTHER: {first} and {second} are not linked to each other; allowed: what `parley customers show` lists"
            )
        _note(opened, "customers.unlink", name, first, second, who)
    _tell(as_json, name, first, second, "not linked any more")


@app.command("show")
def show(customer: OneArgument, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Everybody whom a customer is linked to, also through others, and all their conversations."""
    with platform() as opened:
        name = known_tenant(opened, tenant)
        who = _customer(opened, name, customer)
        links = linking.links_of(opened.store, name, who)
        linked = linking.linked_to(opened.store, name, who)
        conversations = linking.conversations_of(opened.store, name, who)
    if as_json:
        print_json(
            {
                "tenant": name,
                "customer_id": who,
                "linked": linked,
                "links": [
                    {"customers": [each.customer_id, each.linked_id], "by": each.by, "at": rfc3339(each.at)}
                    for each in links
                ],
                "conversations": [
                    {
                        "conversation_id": row.conversation_id,
                        "customer_id": row.customer_id,
                        "channel": row.channel,
                        "status": row.status,
                        "updated_at": rfc3339(row.updated_at),
                    }
                    for row in conversations
                ],
            }
        )
        return
    typer.echo(f"customer {who} of {name}: {'linked to nobody' if not linked else 'one person with'}")
    for each in links:
        typer.echo(f"  {each.customer_id} and {each.linked_id}, by {each.by} on {rfc3339(each.at)}")
    rows = [
        (row.conversation_id, row.customer_id, row.channel, row.status, rfc3339(row.updated_at))
        for row in conversations
    ]
    table(rows, ("conversation", "customer", "channel", "status", "updated at"))


def _customer(opened: Platform, tenant: TenantId, text: str) -> CustomerId:
    """Whom a customer's or a conversation's id names, unless they were erased."""
    row = opened.store.conversation(ConversationId(text))
    who = row.customer_id if row is not None and row.tenant == tenant else CustomerId(text)
    known = erasing.is_known(opened.store, opened.keys, tenant, who)
    if not known or erasing.erased_at(opened.store, opened.keys, tenant, who) is not None:
        raise ConfigurationError(
            f"CUSTOMER: {tenant} has no customer and no conversation {text!r}; allowed: the id of one who was not erased"
        )
    return who


def _by(by: str | None) -> str:
    who = (actor() if by is None else by).strip()
    if not (0 < len(who) <= MAX_BY_CHARS and who.isprintable()):
        raise ConfigurationError(
            f"--by: is no name; allowed: 1 to {MAX_BY_CHARS} characters without line breaks"
        )
    return who


def _note(
    opened: Platform, action: str, tenant: TenantId, one: CustomerId, other: CustomerId, by: str
) -> None:
    details = {"linked": other, "by": by}
    opened.store.note(AuditEntry(opened.clock.now(), actor(), action, tenant, one, details))


def _tell(as_json: bool, tenant: TenantId, one: CustomerId, other: CustomerId, what: str) -> None:
    if as_json:
        print_json({"tenant": tenant, "customers": sorted((one, other)), "state": what})
    else:
        typer.echo(f"{one} and {other} of {tenant}: {what}")
