"""`parley run`: the whole platform in one process, from an empty folder to an address in the browser."""

import signal
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Flag
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from parley.cli import admin, tenants
from parley.cli.common import load_settings, step
from parley.runtime import heap
from parley.runtime.tidying import Tidying
from parley.settings import Settings
from schemas.base import TenantId

if TYPE_CHECKING:
    from workers.wiring import Platform

TENANTS = Path(__file__).resolve().parents[2] / "tenants"
LOOK_EVERY_S = 0.2
MOMENT_S, READY_WITHIN_S = 0.5, 30.0
"""What is waited for workers before it is said that they are not up: those that load a model take much longer in any case."""
NOT_YET = "\nAnswers come in a moment, which is told here. Who writes before is told that it takes longer."
ENGINE = NOT_YET.replace(
    "Answers come in a moment", "The engine is loading its model: answers come once it is up"
)
LOADING = {
    "vllm": ENGINE,
    "onnx": ENGINE,
    "openai": NOT_YET.replace("Answers come in a moment", "Answers come once the model server is reached"),
}


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 lets the system choose.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where data is kept.")] = None,
    tenant: Annotated[
        list[Path] | None,
        typer.Option("--tenant", help="Tenant folder to import; repeatable. Default: all of tenants/."),
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(
            help="Who writes answers: extractive (quotes; the default), vllm or onnx (in this process), openai (any compatible server)."
        ),
    ] = None,
) -> None:
    """Start everything in this process: gateway, all workers, embedded log and database. Ctrl-C stops it."""
    began = perf_counter()
    settings = load_settings(host=host, port=port, home=home, generator=generator)
    settings.ensure_home()
    typer.echo(f"Parley keeps its data in {settings.home}", err=True)
    _check_port(settings)
    if settings.generator != "extractive":
        with step("what writes answers"):
            _check_generator(settings)
    with step("databases"):
        admin.upgrade(settings)
    with step("loading the platform"):
        from services.gateway import GatewayServer, create_gateway
        from workers.embedded import Embedded
        from workers.wiring import BUILDERS, classifier, configured_connectors, forgetting, open_platform
        from workers.writers import loads_adapters

        connectors = configured_connectors()
        platform = open_platform(settings)
    with ExitStack() as stack:  # whatever was begun is stopped, also where it is interrupted half-way
        stack.callback(platform.close)
        with step("topics"):
            bus_admin = platform.bus.admin()
            bus_admin.apply(admin.specs(settings))
            bus_admin.close()
        names = []
        intents = classifier(platform)
        for folder in tenant or sorted(path.parent for path in TENANTS.glob("*/tenant.yaml")):
            with step(f"tenant {folder.name}"):
                found = tenants.load(folder)
                tenants.import_version(platform, found)
                # Fitted here and kept in a file, or the first customer would wait for it.
                intents.prepare(found.config.id, found.version, found.config, found.content)
                names.append(found.config.id)
        if loads_adapters(settings):
            _ship_adapters(platform, names)
        embedded = Embedded(platform, (*BUILDERS, *connectors))
        stack.callback(embedded.stop)
        with step(", ".join(("workers and gateway", *connectors))):
            embedded.start()
            server = GatewayServer(create_gateway(platform), settings.host, settings.port)
            stack.callback(server.stop)
            server.start()
            server.wait_ready()
        heap.settle()
        asked = _asked_to_stop()
        start = Start(settings, embedded, asked, began)
        start.announce(names, server.port)
        with Tidying(platform.store, platform.keys, platform.media, platform.clock), forgetting(platform):
            while not (embedded.ended.is_set() or asked.wait(LOOK_EVERY_S)):
                start.look()
        if asked.is_set():
            typer.echo("stopping … (Ctrl-C again: at once; nothing is lost)", err=True)
    # Whatever was asked since: Ctrl-C may come while the other workers are stopped.
    if embedded.ended.is_set() and embedded.failed is not None:
        raise embedded.failed
    typer.echo("stopped; every conversation is kept", err=True)


def _ship_adapters(platform: "Platform", names: list[TenantId]) -> None:
    """On the starter model, tenants that have no adapter yet get the one that it ships for them."""
    from parley.backends.base_folder import find_base
    from parley.cli.adapters import put_shipped
    from parley.engine_settings import STARTER, engine_settings

    chosen = engine_settings()
    if not chosen.max_loras or chosen.folder is None or chosen.folder.resolve() != STARTER.resolve():
        return
    base = find_base(str(STARTER), chosen.revision or None)
    for name in names:
        if put_shipped(platform, name, base) is not None:
            typer.echo(f"  {name} is answered with the adapter of models/starter", err=True)


def _check_generator(settings: Settings) -> None:
    """Before tenants are imported: what is missing for a language model is known by then."""
    from workers.engine_checks import check_generator

    check_generator(settings)


def _check_port(settings: Settings) -> None:
    """Say at once that a port is taken, before anything slow is done."""
    import socket

    from parley.errors import ConfigurationError

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"PARLEY_PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
                "choose another with --port, or 0 for any free one"
            ) from error


class Workers(Protocol):
    """Those of this process, `workers.embedded.Embedded`."""

    ended: Flag

    @property
    def ready(self) -> bool: ...


class Start:
    """What is told of a start: where the platform is reached, and since when it answers, which with a language model is much later."""

    def __init__(self, settings: Settings, embedded: "Workers", asked: Flag, began: float) -> None:
        self._settings = settings
        self._embedded = embedded
        self._asked = asked
        self._began = began
        self._answers = False

    def announce(self, names: list[TenantId], port: int) -> None:
        """Waits a moment for workers that need no model. Nothing is told where it is to stop meanwhile."""
        until = perf_counter() + (MOMENT_S if self._settings.generator in LOADING else READY_WITHIN_S)
        while not (self._embedded.ready or self._embedded.ended.is_set() or perf_counter() >= until):
            if self._asked.wait(0.02):
                return
        self._answers = self._embedded.ready
        since = "answers" if self._answers else "is reachable"
        typer.echo(f"\nParley {since} after {self._seconds:.1f} s:")
        _addresses(self._settings, names, port)
        if not self._answers:
            typer.echo(LOADING.get(self._settings.generator, NOT_YET))
        typer.echo("\nCtrl-C stops it.")

    def look(self) -> None:
        """Tell once that answers come, where that was not so at first."""
        if not self._answers and self._embedded.ready:
            self._answers = True
            typer.echo(f"Parley answers after {self._seconds:.1f} s.")

    @property
    def _seconds(self) -> float:
        return perf_counter() - self._began


def _addresses(settings: Settings, names: list[TenantId], port: int) -> None:
    from services.gateway.demo_calls import examples

    url = settings.public_url or f"http://{settings.host}:{port}"
    for name in names if settings.demo else ():
        typer.echo(f"  {url}/demo/{name}")
        if examples(name):
            typer.echo(f"  {url}/demo/{name}/call   (a phone call, with help for its agent)")
    typer.echo(f"  {url}/openapi.json   (HTTP API)\n  {url}/metrics")


def _asked_to_stop() -> Flag:
    """Set by a signal; the next such signal ends the process at once."""
    asked = Flag()

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return asked
