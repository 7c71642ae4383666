"""The command line's table of contents, and what happens to an error that reaches it."""

import logging
import os
import sys
import threading
from typing import Annotated

import typer

from parley import __version__
from parley.cli import (
    adapters,
    admin,
    calls,
    customers,
    deadletters,
    evaluating,
    events,
    models,
    privacy,
    probing,
    processes,
    pruning,
    status,
    talk,
    tenants,
)
from parley.cli.run import run
from parley.errors import ParleyError
from parley.runtime.faults import Wordless, describe, frames

log = logging.getLogger("parley")

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""What NumPy's and SciPy's products read when they are loaded: for matrices of a few thousand rows more threads wait for each other longer
than they compute, and each has memory of its own. Processes that are started from here inherit it."""

CLEANED_UP = "ignore::UserWarning:multiprocessing.resource_tracker"
"""What Python's own process for that does not tell: that it freed memory which an engine's processes shared and, killed, could not free."""

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
adapters.app.command("probe")(probing.probe)
adapters.app.command("prune")(pruning.prune)
app.add_typer(adapters.app, name="adapters")
app.add_typer(calls.app, name="calls")
app.add_typer(events.app, name="events")
app.add_typer(deadletters.app, name="dlq")
app.add_typer(privacy.app, name="privacy")
app.add_typer(customers.app, name="customers")
app.add_typer(models.app, name="models")
app.add_typer(evaluating.app, name="eval")


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
    """Run the command. A ParleyError is one line for people, and exit status 2; any other error one line without its words, which
    may quote a customer, and exit status 1 (with `PARLEY_LOG_LEVEL=DEBUG` also the places that it passed through).
    """
    logging.basicConfig(level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Wordless("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    threading.excepthook = _thread_failed
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    os.environ.setdefault("PYTHONWARNINGS", CLEANED_UP)
    try:
        app()
    except ParleyError as error:
        _complain(str(error))
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        log.debug("it came from\n%s", frames(error))
        _complain(f"stopped by an unexpected error: {describe(error)}")
        raise SystemExit(1) from None


def _complain(words: str) -> None:
    typer.secho(f"parley: {words}", err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """Python's own report would quote the error's words."""
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        name = failed.thread.name if failed.thread is not None else "?"
        log.error("thread %s failed: %s", name, describe(failed.exc_value))


if __name__ == "__main__":
    main()
