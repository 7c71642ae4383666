"""`parley calls key`: a tenant's key for signed exports."""

from typing import Annotated

import typer

from connectors.calls.vcon import signing_keys
from parley.cli.common import JsonOption, known_tenant, platform, print_json


def key(
    tenant: Annotated[str, typer.Argument(help="The tenant's id.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where there is a key: nothing is signed with it any more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key for `parley calls export --sign`, with a certificate that it signs itself, valid for two years.

    To sign with a key of your own, put it into the same folder (PARLEY_VCON_KEYS; below home: vcon-keys) as TENANT.key (RSA, PEM, without a
    passphrase) and its certificates as TENANT.crt (PEM, the key's own first). Keep certificates of replaced keys: what was signed is checked with them.
    """
    with platform() as opened:
        name = known_tenant(opened, tenant, "TENANT")
        config = opened.configs.get(name, opened.store.current(name))
        made = signing_keys.make(
            opened.settings.vcon_keys_dir,
            name,
            config.name.get(config.default_language) or next(iter(config.name.values())),
            opened.clock.now(),
            replace=replace,
        )
    fingerprint = signing_keys.fingerprint(made)
    if as_json:
        print_json({"tenant": tenant, "certificate": str(made), "sha256": fingerprint})
        return
    typer.echo(f"{made}  SHA-256 {fingerprint}")
    typer.echo("give this certificate to whoever checks your exports; the key beside it to nobody", err=True)
