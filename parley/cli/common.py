"""What commands share: settings, an open platform, progress lines, JSON output."""

import getpass
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Annotated, Any, TypeVar

import typer

from parley.errors import ConfigurationError
from parley.settings import Settings
from schemas.base import TenantId
from workers.wiring import Platform, open_platform

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")
]
TenantOption = Annotated[str, typer.Option("--tenant", "-t", help="The tenant's id.")]

TELL_EVERY_S = 3.0

T = TypeVar("T")


def load_settings(**overrides: object) -> Settings:
    """From the environment; also sets the log level. Raises `ConfigurationError`."""
    settings = Settings.load(**overrides)
    logging.getLogger().setLevel(settings.log_level)
    for noisy in ("kafka", "httpx", "alembic", "uvicorn", "weaviate-client"):
        logging.getLogger(noisy).setLevel("WARNING" if settings.log_level != "DEBUG" else "DEBUG")
    return settings


@contextmanager
def platform(**overrides: object) -> Iterator[Platform]:
    """An open platform on the configured bus and databases, closed at the end."""
    settings = load_settings(**overrides)
    settings.ensure_home()
    opened = open_platform(settings)
    try:
        yield opened
    finally:
        opened.close()


def known_tenant(opened: Platform, tenant: str, told_by: str = "--tenant") -> TenantId:
    """Raises `ConfigurationError`, naming the option that told it, for a tenant that was never imported."""
    known = sorted({each.tenant for each in opened.store.versions()})
    if tenant not in known:
        raise ConfigurationError(
            f"{told_by}: {tenant!r} was never imported; allowed: {', '.join(known) or 'none yet'}"
        )
    return TenantId(tenant)


def actor() -> str:
    """Who is at the terminal, as the system knows it."""
    try:
        return f"cli:{getpass.getuser()}"[:128]
    except (OSError, KeyError):  # a container's user without a name
        return f"cli:{os.getuid()}"


@contextmanager
def step(what: str) -> Iterator[None]:
    """A progress line: what is being done, and how long it took."""
    typer.echo(f"  {what} … ", nl=False, err=True)
    began = perf_counter()
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise
    except BaseException:
        typer.echo("failed", err=True)
        raise
    typer.echo(f"{perf_counter() - began:.1f} s", err=True)


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """Pass the items on, and say every few seconds on standard error how many there have been."""
    told_at = perf_counter()
    for count, item in enumerate(items, start=1):
        yield item
        if count % 1000 == 0 and perf_counter() - told_at >= TELL_EVERY_S:
            told_at = perf_counter()
            typer.echo(f"  {count:,} {what} …", err=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...]) -> None:
    """Plain columns, as wide as their widest cell."""
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    for row in [header, *rows]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
