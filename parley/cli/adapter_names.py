"""Which version a command means: its digest or the beginning of it, alone or behind its tenant's name, as answers and logs have it."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from parley.cli.common import known_tenant
from parley.errors import ConfigurationError
from parley.ports.adapters import AdapterVersion
from schemas.base import TenantId
from workers.wiring import Platform

BEGINNING = re.compile(r"[0-9a-f]{4,64}")
CANDIDATES = 10

DigestArgument = Annotated[
    str,
    typer.Argument(
        metavar="DIGEST",
        help="A version's digest or its beginning (4 digits or more), also as TENANT@DIGEST.",
    ),
]
OneTenantOption = Annotated[str | None, typer.Option("--tenant", "-t", help="Only this tenant's.")]


def named_version(opened: Platform, name: str, tenant: str | None) -> AdapterVersion:
    """Raises `ConfigurationError` for none and for several."""
    owner, begins = _parts(name)
    only = _tenant(opened, owner, tenant)
    found = [each for each in opened.store.adapters.versions(only) if each.digest.startswith(begins)]
    if not found:
        raise ConfigurationError(
            f"DIGEST: no adapter's digest begins with {name}; allowed: one that `parley adapters list` shows"
        )
    if len(found) > 1:
        raise ConfigurationError(
            f"DIGEST: {name} begins {len(found)} of them ({_candidates(found, begins)}); allowed: more digits, or --tenant"
        )
    return found[0]


def _parts(name: str) -> tuple[str, str]:
    """The tenant, empty where none is named, and the digest's beginning; the dots are those of a name that was shortened."""
    owner, at, digest = name.rpartition("@")
    begins = digest.lower().removesuffix("…").removesuffix("...")
    if not BEGINNING.fullmatch(begins) or (at and not owner):
        raise ConfigurationError(
            f"DIGEST: is {name!r}; allowed: 4 to 64 hexadecimal digits, or TENANT@ before them"
        )
    return owner, begins


def _tenant(opened: Platform, owner: str, tenant: str | None) -> TenantId | None:
    if owner and tenant not in (None, owner):
        raise ConfigurationError(f"DIGEST: names the tenant {owner!r}, and --tenant {tenant!r}; allowed: one")
    named = owner or tenant
    return None if named is None else known_tenant(opened, named, "DIGEST" if owner else "--tenant")


def _candidates(found: Sequence[AdapterVersion], begins: str) -> str:
    """Each with as many digits as tell it from the others of its tenant, and never fewer than lists show."""
    digests = sorted({each.digest for each in found})
    shown = next(
        (
            length
            for length in range(max(12, len(begins)), 64)
            if len({digest[:length] for digest in digests}) == len(digests)
        ),
        64,
    )
    names = [f"{each.tenant}@{each.digest[:shown]}" for each in found[:CANDIDATES]]
    return ", ".join([*names, "…"] if len(found) > CANDIDATES else names)
