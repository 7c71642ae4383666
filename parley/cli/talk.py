"""`parley ask` and `parley chat`: a conversation in the terminal, through the whole pipeline.

Without `--url` they run the platform in this process on an in-memory log and a throw-away database; with it they are an HTTP
client of a running gateway.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from parley.cli.common import JsonOption, print_json
from parley.cli.conversing import HttpTalk, LocalTalk, Reply, Talk, writable
from parley.cli.run import TENANTS
from parley.errors import ConfigurationError, RequestRefused

TenantOption = Annotated[str, typer.Option("--tenant", "-t", help="A tenant's id, or a path to its folder.")]
UrlOption = Annotated[
    str | None,
    typer.Option(help="A running gateway, such as http://127.0.0.1:8080.", envvar="PARLEY_ASK_URL"),
]
KeyOption = Annotated[
    str, typer.Option(help="An API key of the tenant (with --url).", envvar="PARLEY_API_KEY")
]


def ask(
    text: Annotated[str, typer.Argument(help="The question.")],
    tenant: TenantOption = "bank",
    url: UrlOption = None,
    key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask one question; prints the answer with its sources."""
    text = writable(text)
    with _open(tenant, url, key) as talk:
        reply = talk.ask(text)
    if as_json:
        print_json(reply.as_dict())
    else:
        _print(reply)


def chat(tenant: TenantOption = "bank", url: UrlOption = None, key: KeyOption = "") -> None:
    """Chat until Ctrl-D; the conversation remembers what was said."""
    with _open(tenant, url, key) as talk:
        typer.secho(talk.greeting, dim=True)
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(
                errors="surrogateescape"
            )  # a line that is not UTF-8 is a line that is refused
        while (text := _read()) is not None:
            if text.strip():
                _say(talk, text)


def _say(talk: Talk, text: str) -> None:
    """What is refused is told, and the chat goes on."""
    try:
        _print(talk.ask(writable(text)))
    except RequestRefused as error:
        typer.secho(f"({error})", err=True)


@contextmanager
def _open(tenant: str, url: str | None, key: str) -> Iterator[Talk]:
    if url is not None:
        with HttpTalk(url, Path(tenant).name, key) as talk:
            yield talk
        return
    folder = tenant_folder(tenant)
    with tempfile.TemporaryDirectory(prefix="parley-") as home, LocalTalk(folder, Path(home)) as talk:
        yield talk


def tenant_folder(tenant: str) -> Path:
    """A shipped tenant's by its id, or a path. Raises `ConfigurationError`."""
    folder = Path(tenant) if os.sep in tenant else TENANTS / tenant
    if not (folder / "tenant.yaml").is_file():
        known = ", ".join(sorted(path.parent.name for path in TENANTS.glob("*/tenant.yaml")))
        raise ConfigurationError(f"--tenant: {tenant!r} is no tenant's folder; allowed: {known}, or a path")
    return folder


def _read() -> str | None:
    try:
        return input("› " if sys.stdin.isatty() else "")
    except (EOFError, KeyboardInterrupt):
        typer.echo("")
        return None


def _print(reply: Reply) -> None:
    typer.echo(reply.text)
    for number, source in enumerate(reply.citations, start=1):
        typer.secho(f"  [{number}] {source['title']}  {source['url']}", dim=True)
    if reply.offer_human:
        typer.secho("  (a human can help: just ask for one)", dim=True)
