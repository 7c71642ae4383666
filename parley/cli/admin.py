"""`parley topics`, `parley db`, `parley keys`: bringing a bus and a database up to date, and access keys."""

import hashlib
import re
import secrets
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from parley.cli.common import JsonOption, counted, load_settings, platform, print_json, table
from parley.domain.deciding import Decider
from parley.errors import ConfigurationError
from parley.ports.bus import TopicSpec
from parley.ports.store import AccessKey
from parley.runtime.erasing import reapply
from parley.runtime.exports import read_records
from parley.runtime.rebuild import Rebuilt, rebuild_read_model
from parley.runtime.tidying import tidy
from parley.settings import Settings
from schemas.base import TenantId
from schemas.tenant import ORIGIN_ALLOWED, ORIGIN_PATTERN
from schemas.topics import DAY_MS, TOPICS, dead_letter_topic
from workers.wiring import Platform, open_platform

topics = typer.Typer(help="Topics on the bus.", no_args_is_help=True)
database = typer.Typer(help="The databases.", no_args_is_help=True)
keys = typer.Typer(help="Widget and API keys.", no_args_is_help=True)

DEAD_LETTER_RETENTION_MS = 90 * DAY_MS
DEAD_LETTER_PARTITIONS = 1


def specs(settings: Settings) -> list[TopicSpec]:
    """Every topic of the design with its dead-letter topic, as the bus should have it."""
    found = []
    for topic in TOPICS:
        found.append(
            TopicSpec(
                topic.name, topic.partitions, topic.retention_ms, topic.compacted, settings.kafka_replication
            )
        )
        if topic.dead_letters:
            found.append(
                TopicSpec(
                    dead_letter_topic(topic.name),
                    DEAD_LETTER_PARTITIONS,
                    DEAD_LETTER_RETENTION_MS,
                    replication=settings.kafka_replication,
                )
            )
    return found


@topics.command("apply")
def apply_topics(as_json: JsonOption = False) -> None:
    """Create the topics that are missing; nothing that is there is changed."""
    with platform() as opened:
        admin = opened.bus.admin()
        try:
            created = admin.apply(specs(opened.settings))
        finally:
            admin.close()
    if as_json:
        print_json({"created": created})
    else:
        typer.echo(
            f"{len(created)} topics created" + (": " + ", ".join(created) if created else "; all were there")
        )


def upgrade(settings: Settings) -> None:
    """Bring both databases to the newest schema, and apply all erasures again, as one may be a restored backup; safe to repeat."""
    from infra.migrations import upgrade_keys, upgrade_store

    upgrade_store(settings.database)
    upgrade_keys(settings.keys)
    opened = open_platform(settings)
    try:
        reapply(opened.store, opened.keys, opened.media)
    finally:
        opened.close()


@database.command("upgrade")
def upgrade_databases() -> None:
    """Bring both databases (platform and customers' keys) to the newest schema."""
    settings = load_settings()
    settings.ensure_home()
    upgrade(settings)
    typer.echo("databases are up to date")


@database.command("rebuild")
def rebuild(as_json: JsonOption = False) -> None:
    """Make the read model (histories, lists, verdicts on replies) anew from the log."""
    from workers.dialogue import DialogueDecider
    from workers.feedback import FeedbackDecider

    with platform() as opened:
        _check_stopped(opened, DialogueDecider.name, FeedbackDecider.name)
        talk = _rebuild(opened, DialogueDecider())
        feedback = _rebuild(opened, FeedbackDecider())
    if as_json:
        print_json(
            {
                "conversations": talk.conversations,
                "verdicts": feedback.verdicts,
                "records": talk.records + feedback.records,
                "incomplete": talk.incomplete,
                "erased": talk.erased,
            }
        )
        return
    typer.echo(f"{talk.conversations} conversations rebuilt from {talk.records} records", nl=False)
    typer.echo(f", {feedback.verdicts} verdicts from {feedback.records}")
    if talk.incomplete:
        typer.echo(f"{talk.incomplete} left as they were: their beginning is no longer in the log")
    if talk.erased:
        typer.echo(f"{talk.erased} removed: their customers were erased")


def _rebuild(opened: Platform, decider: Decider[Any]) -> Rebuilt:
    records = counted(read_records(opened.bus, [decider.topic.name]), f"records of {decider.topic.name}")
    return rebuild_read_model(decider, records, opened.store, opened.codec, opened.configs.get)


def _check_stopped(opened: Platform, *names: str) -> None:
    """Raises `ConfigurationError`."""
    bus_admin = opened.bus.admin()
    try:
        running = [name for name in names if bus_admin.members(name)]
    finally:
        bus_admin.close()
    if running:
        raise ConfigurationError(
            f"running: {', '.join(running)}; stop these workers first, or their newest rows would be lost"
        )


@database.command("tidy")
def tidy_database(as_json: JsonOption = False) -> None:
    """Forget ids of events and messages that no record of the log can need any more; gateways do it once a day."""
    with platform() as opened:
        done = tidy(opened.store, opened.clock.now())
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(
            f"forgot {done.seen} seen events, {done.claims} claims and {done.deliveries} deliveries from before {done.before:%Y-%m-%d}, "
            f"and {done.originals} originals of the vault whose term is over"
        )


@keys.command("create")
def create_key(
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="The tenant that the key is for.")],
    kind: Annotated[str, typer.Option(help="widget (public, bound to origins) or api (secret).")] = "widget",
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    origin: Annotated[
        list[str] | None, typer.Option(help="Allowed origin of a widget key; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it: this once, since only its hash is kept."""
    if kind not in ("widget", "api"):
        raise typer.BadParameter("allowed: widget, api", param_hint="--kind")
    for each in origin or ():
        if not re.fullmatch(ORIGIN_PATTERN, each):
            raise typer.BadParameter(f"{each!r}; allowed: {ORIGIN_ALLOWED}", param_hint="--origin")
    checked: Literal["widget", "api"] = "widget" if kind == "widget" else "api"
    with platform() as opened:
        opened.store.current(TenantId(tenant))
        key = f"{'pk' if kind == 'widget' else 'sk'}_{secrets.token_urlsafe(24)}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        row = AccessKey(digest, TenantId(tenant), checked, label, tuple(origin or ()), opened.clock.now())
        opened.store.put_key(row)
    if as_json:
        print_json({"key": key, "id": row.key_id, "tenant": tenant, "kind": kind})
    else:
        typer.echo(key)


@keys.command("list")
def list_keys(
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="Only this tenant's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """All keys, by the beginning of their hash."""
    with platform() as opened:
        found = opened.store.keys(TenantId(tenant) if tenant else None)
    rows = [
        (
            k.key_id,
            k.tenant,
            k.kind,
            k.label,
            ",".join(k.origins) or "-",
            "revoked" if k.revoked_at else "active",
        )
        for k in found
    ]
    header = ("id", "tenant", "kind", "label", "origins", "state")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        table(rows, header)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The beginning of the key's hash, from `keys list`.")],
) -> None:
    """Make a key useless from now on."""
    with platform() as opened:
        found = [key for key in opened.store.keys() if key.key_hash.startswith(key_id)]  # noqa: SIM118  # the store's method, no dictionary
        if len(found) != 1:
            raise typer.BadParameter(
                f"{len(found)} keys begin with {key_id!r}; exactly one must", param_hint="KEY_ID"
            )
        opened.store.revoke_key(found[0].key_hash, opened.clock.now())
    typer.echo(f"revoked {found[0].key_id}")
