"""The command line's table of contents, and what happens to an error that reaches it."""

import logging
import sys
from typing import Annotated

import typer

from parley import __version__
from parley.cli import admin, deadletters, events, processes, status, talk, tenants
from parley.cli.run import run
from parley.errors import ParleyError

app = typer.Typer(
    name="parley",
    help="Parley: an event-driven customer-service chatbot platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run")(run)
app.command("worker")(processes.worker)
app.command("gateway")(processes.gateway)
app.command("ask")(talk.ask)
app.command("chat")(talk.chat)
app.command("status")(status.status)
app.command("replay")(events.replay)
app.add_typer(admin.topics, name="topics")
app.add_typer(admin.database, name="db")
app.add_typer(admin.keys, name="keys")
app.add_typer(tenants.app, name="tenants")
app.add_typer(events.app, name="events")
app.add_typer(deadletters.app, name="dlq")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Settings come from the environment (PARLEY_…); docs/operations.md lists them."""


def main() -> None:
    """Run the command; a ParleyError is one line for people, and exit status 2."""
    logging.basicConfig(format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", level=logging.WARNING)
    try:
        app()
    except ParleyError as error:
        typer.secho(f"parley: {error}", err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
