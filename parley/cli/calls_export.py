"""`parley calls export`: conversations of any channel as vCons, signed or not."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import quote

import orjson
import typer

from connectors.calls.exporting import Exporter, rows_of
from connectors.calls.vcon import signing_keys
from connectors.calls.vcon.signing import Signer, signed
from connectors.calls.vcon.writing import Conversation, vcon
from parley.cli.common import JsonOption, actor, counted, known_tenant, platform
from parley.domain.readmodel import ConversationRow
from parley.domain.rights import OperatorRight
from parley.errors import ConfigurationError, InvalidEvent, KeyErased
from parley.ports.store import AuditEntry
from parley.runtime.exports import created
from schemas.base import ConversationId, TenantId
from workers.wiring import Platform

STDOUT = Path("-")
FILES = (".json", ".jsonl", ".vcon")
LONGEST_REASON = 200

Put = Callable[[ConversationId, bytes], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which conversations: those that are named, or those of the tenants that the rest fits. `tenant` None: every tenant's."""

    named: Sequence[str]
    tenant: str | None
    since: datetime | None
    channel: str | None


@dataclass(slots=True)
class Done:
    """How many were written, by tenant, and which were passed over and why."""

    exported: dict[TenantId, int] = field(default_factory=dict)
    skipped: list[tuple[ConversationId, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.exported.values())


def export(
    conversations: Annotated[
        list[str] | None, typer.Argument(metavar="CONVERSATION", help="Conversations' ids.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="Only this tenant's.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every tenant's conversations.")] = False,
    since: Annotated[
        datetime | None, typer.Option(help="Only conversations that something happened in since then (UTC).")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="Only this channel's: web, telegram, call, api, or another.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="A folder, which gets a file for each; a file (.json, .jsonl, .vcon) with one a line; or - for standard output.",
        ),
    ] = STDOUT,
    sign: Annotated[
        bool, typer.Option("--sign", help="As JWS, with the tenant's key (`parley calls key`).")
    ] = False,
    unmasked: Annotated[
        bool,
        typer.Option("--unmasked", help="With the values that were masked, where the tenant keeps them."),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why --unmasked; the audit log keeps it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write conversations as vCons (draft-ietf-vcon-vcon-core-04): what was said, hand-offs, and what was found out about them.

    Texts are masked as they are kept. With --unmasked it is the parent that the masked ones name: keep those files to yourself.
    """
    named = list(dict.fromkeys(conversations or ()))
    choice = Choice(named, tenant, _utc(since), channel)
    _check(choice, everything=everything)
    why = _reason(reason, unmasked=unmasked)
    with platform() as opened:
        exported = _Export(opened, sign=sign, reason=why)
        rows = _rows(opened, choice)
        tenants = _tenants(opened, choice, rows)
        exported.prepare(tenants)
        chosen = rows if choice.named else (row for each in tenants for row in _of(opened, choice, each))
        with _target(out) as put:
            done = exported.write(counted(chosen, "conversations read"), put)
    _tell(done, out, sign=sign, unmasked=unmasked, as_json=as_json)


class _Export:
    """One run. `reason` None: masked."""

    def __init__(self, opened: Platform, *, sign: bool, reason: str | None) -> None:
        self._opened = opened
        self._exporter = Exporter(opened.store, opened.codec, opened.configs, opened.vault, opened.clock)
        self._sign = sign
        self._reason = reason
        self._signers: dict[TenantId, Signer] = {}

    def prepare(self, tenants: Sequence[TenantId]) -> None:
        """Raises `ConfigurationError` for what could not be done, before anything is written."""
        for tenant in tenants:
            config = self._opened.configs.get(tenant, self._opened.store.current(tenant))
            if self._reason is not None and not config.privacy.vault:
                raise ConfigurationError(
                    f"--unmasked: {tenant} keeps no masked values; allowed: tenants with `privacy: {{vault: true}}`"
                )
            if self._sign:
                folder, now = self._opened.settings.vcon_keys_dir, self._opened.clock.now()
                self._signers[tenant] = signing_keys.load(folder, tenant, now)

    def write(self, rows: Iterator[ConversationRow], put: Put) -> Done:
        done = Done()
        try:
            for row in rows:
                try:
                    document = self._document(self._exporter.read(row))
                except (KeyErased, InvalidEvent) as error:
                    erased = isinstance(error, KeyErased)
                    why = "its customer was erased" if erased else f"it cannot be read: {error}"
                    done.skipped.append((row.conversation_id, why))
                    typer.echo(f"  {row.conversation_id} is left out: {why}", err=True)
                    continue
                put(row.conversation_id, orjson.dumps(document) + b"\n")
                done.exported[row.tenant] = done.exported.get(row.tenant, 0) + 1
        finally:
            self._note_all(done)
        return done

    def _document(self, said: Conversation) -> dict[str, Any]:
        document = vcon(said) if self._reason is None else self._parent(said, self._reason)
        return signed(document, self._signers[said.tenant]) if self._sign else document

    def _parent(self, said: Conversation, reason: str) -> dict[str, Any]:
        """It is noted before: nothing is shown that the audit log does not tell of."""
        details = {"conversation": said.conversation_id, "reason": reason}
        self._note("calls.unmask", said, details)
        return self._exporter.parent(said, OperatorRight(said.tenant, actor(), reason))

    def _note(self, action: str, said: Conversation, details: dict[str, Any]) -> None:
        now = self._opened.clock.now()
        self._opened.store.note(AuditEntry(now, actor(), action, said.tenant, said.customer_id, details))

    def _note_all(self, done: Done) -> None:
        for tenant, count in done.exported.items():
            details = {"conversations": count, "signed": self._sign, "unmasked": self._reason is not None}
            now = self._opened.clock.now()
            self._opened.store.note(AuditEntry(now, actor(), "calls.export", tenant, None, details))


# -- what is asked for --------------------------------------------------------------------------------------------------


def _check(choice: Choice, *, everything: bool) -> None:
    others = {"--all": everything, "--since": choice.since, "--channel": choice.channel}
    if choice.named and (told := [name for name, value in others.items() if value]):
        raise ConfigurationError(f"{told[0]}: chooses among all; allowed: either it or CONVERSATIONs")
    if everything and choice.tenant is not None:
        raise ConfigurationError("--all: is every tenant's; allowed: either it or --tenant")
    if not choice.named and not everything and choice.tenant is None:
        raise ConfigurationError(
            "CONVERSATION: none is named; allowed: ids, --tenant for all of a tenant's, or --all"
        )


def _reason(reason: str | None, *, unmasked: bool) -> str | None:
    if reason is not None and not unmasked:
        raise ConfigurationError("--reason: belongs to --unmasked; allowed: both or neither")
    if not unmasked:
        return None
    told = (reason or "").strip()
    if not told or len(told) > LONGEST_REASON or not told.isprintable():
        raise ConfigurationError(
            f"--reason: is needed with --unmasked; allowed: 1 to {LONGEST_REASON} characters in one line, without personal data"
        )
    return told


def _utc(since: datetime | None) -> datetime | None:
    return since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since


def _rows(opened: Platform, choice: Choice) -> list[ConversationRow]:
    """Those that are named. Raises `ConfigurationError` naming the first that is not there."""
    only = None if choice.tenant is None else known_tenant(opened, choice.tenant)
    found = []
    for name in choice.named:
        row = opened.store.conversation(ConversationId(name))
        if row is None or only not in (None, row.tenant):
            whose = "" if only is None else f"{only} has "
            raise ConfigurationError(
                f"CONVERSATION: {whose or 'there is '}no conversation {name!r}; allowed: the id of one that was not erased"
            )
        found.append(row)
    return found


def _tenants(opened: Platform, choice: Choice, rows: Sequence[ConversationRow]) -> list[TenantId]:
    """Those that something is going to be exported of."""
    if choice.named:
        return sorted({row.tenant for row in rows})
    return [tenant for tenant in _asked(opened, choice) if next(_of(opened, choice, tenant), None)]


def _asked(opened: Platform, choice: Choice) -> list[TenantId]:
    if choice.tenant is not None:
        return [known_tenant(opened, choice.tenant)]
    return sorted({each.tenant for each in opened.store.versions()})


def _of(opened: Platform, choice: Choice, tenant: TenantId) -> Iterator[ConversationRow]:
    return rows_of(opened.store, tenant, since=choice.since, channel=choice.channel)


# -- where it goes ------------------------------------------------------------------------------------------------------


@contextmanager
def _target(out: Path) -> Iterator[Put]:
    """Files appear under their names once they are whole."""
    if out == STDOUT:
        yield _line(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    elif out.suffix in FILES and not out.is_dir():
        with created(out) as file:
            yield _line(file)
    else:
        try:
            out.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"--out: cannot make {out}: {error.strerror}") from error
        yield lambda name, data: _file(out / f"{quote(name, safe='')}.vcon.json", data)


def _line(file: IO[bytes]) -> Put:
    def put(_: ConversationId, data: bytes) -> None:
        file.write(data)

    return put


def _file(path: Path, data: bytes) -> None:
    with created(path) as file:
        file.write(data)


def _tell(done: Done, out: Path, *, sign: bool, unmasked: bool, as_json: bool) -> None:
    """On standard error where the vCons themselves are on standard output."""
    if as_json:
        skipped = [{"conversation": name, "reason": why} for name, why in done.skipped]
        told = {"exported": done.count, "skipped": skipped, "signed": sign, "unmasked": unmasked}
        typer.echo(json.dumps({**told, "out": str(out)}, ensure_ascii=False), err=out == STDOUT)
        return
    to = "" if out == STDOUT else f" to {out}"
    left = f", {len(done.skipped)} left out" if done.skipped else ""
    typer.echo(f"{done.count} conversations exported{to}{left}", err=True)
