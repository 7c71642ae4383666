"""`parley worker` and `parley gateway`: the deployables of the distributed form, a process each."""

import logging
import os
import signal
from threading import Event as Flag
from threading import Thread
from typing import Annotated

import typer

from parley.cli.common import load_settings, platform
from parley.errors import ConfigurationError
from parley.runtime import heap
from parley.runtime.faults import summary
from parley.settings import Settings
from workers.wiring import BUILDERS, Platform, Runner, build_worker, check_name, forgetting

log = logging.getLogger("parley")


def worker(
    names: Annotated[
        list[str],
        typer.Argument(help=f"Any of: {', '.join(BUILDERS)}; or a channel's connector, such as telegram."),
    ],
) -> None:
    """Run one or more workers in this process until SIGTERM, then drain and leave the group in good order."""
    settings = load_settings()
    for name in names:
        check_name(name)
    stop = Flag()
    _stop_on_signals(stop)
    with platform() as opened:
        _serve_metrics(opened, settings)
        log.warning("workers %s start (pid %d)", ", ".join(names), os.getpid())
        workers = [build_worker(name, opened) for name in names]
        heap.settle()
        with forgetting(opened):
            failures = _run_all(workers, stop)
    log.warning("workers %s stopped", ", ".join(names))
    if failures:
        raise failures[0]


def _run_all(workers: list[Runner], stop: Flag) -> list[BaseException]:
    """Each worker in a thread; the first to fail stops the others too."""
    failures: list[BaseException] = []

    def run(each: Runner) -> None:
        try:
            each.run(stop)
        except BaseException as error:
            log.error("worker %s stopped: %s", each.name, summary(error))
            failures.append(error)
        finally:
            stop.set()

    threads = [Thread(target=run, args=(each,), name=each.name) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def gateway() -> None:
    """Serve the HTTP doors until SIGTERM."""
    settings = load_settings()
    settings.ensure_home()
    from services.gateway import serve

    serve(settings)


def _serve_metrics(opened: Platform, settings: Settings) -> None:
    if settings.metrics_port < 0:
        return
    from prometheus_client import start_http_server

    try:
        server, _ = start_http_server(settings.metrics_port, addr=settings.host, registry=opened.registry)
    except OSError as error:
        raise ConfigurationError(f"PARLEY_METRICS_PORT: {settings.metrics_port}: {error.strerror}") from error
    log.warning("metrics on http://%s:%d/metrics", settings.host, server.server_port)


def _stop_on_signals(stop: Flag) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
