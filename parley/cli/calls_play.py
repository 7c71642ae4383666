"""`parley calls play`: a recorded call as if it ran now, with what the agent is shown.

Without `--url` it runs the platform in this process on an in-memory log and a throw-away database; with it the call is played into a
running gateway, where whoever may watch it sees it too.
"""

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from textwrap import indent
from threading import Thread
from time import monotonic, sleep
from typing import Annotated, Any
from uuid import uuid4

import typer

from connectors.calls.book import Segment
from connectors.calls.parts import agent_of, id_of, name_of
from connectors.calls.playing import SPEEDS, Step, steps
from connectors.calls.transcript import Transcript
from parley.cli.calls_import import FormOption, SpeakerOption, one_call
from parley.cli.common import JsonOption, load_settings, print_json, step
from parley.cli.conversing import Throwaway
from parley.cli.talk import KeyOption, UrlOption, tenant_folder
from parley.errors import ConfigurationError, RequestRefused, TransientError

END_WITHIN_S = 30.0
"""What is waited for the results once the call is hung up."""


class Speed(Enum):
    """How fast a call is played."""

    ONCE = "1x"
    TEN = "10x"
    AT_ONCE = "at-once"

    @property
    def factor(self) -> float | None:
        return SPEEDS[self.value]


def play(
    file: Annotated[Path, typer.Argument(help="A file with a finished call, in any form that import takes.")],
    speed: Annotated[
        Speed, typer.Option(help="As it was, ten times as fast, or without waiting.")
    ] = Speed.ONCE,
    tenant: Annotated[
        str, typer.Option("--tenant", "-t", help="A tenant's id, or a path to its folder.")
    ] = "bank",
    url: UrlOption = None,
    key: KeyOption = "",
    form: FormOption = None,
    speaker: SpeakerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play a recorded call, and show what helps its agent: suggested answers with sources, intents, risks; at the end the results."""
    call = one_call(file, form, speaker or ())
    with _gateway(url, key, tenant) as (address, presented):
        Player(call, speed, as_json=as_json).run(address, presented)


@contextmanager
def _gateway(url: str | None, key: str, tenant: str) -> Iterator[tuple[str, str]]:
    """The address and an API key of a running gateway, or of one in this process."""
    if url is not None:
        if not key:
            raise ConfigurationError("--key: an API key is needed with --url (parley keys create --kind api)")
        yield url, key
        return
    load_settings()
    with tempfile.TemporaryDirectory(prefix="parley-") as home:
        with step("starting the platform"):
            running = Throwaway(tenant_folder(tenant), Path(home))
        with running, _served(running) as address:
            yield address


@contextmanager
def _served(running: Throwaway) -> Iterator[tuple[str, str]]:
    from parley.ports.store import AccessKey
    from services.gateway import GatewayServer, create_gateway
    from services.gateway.directory import key_hash

    key = f"sk_{secrets.token_urlsafe(24)}"
    opened = running.platform
    row = AccessKey(key_hash(key), running.tenant.config.id, "api", "play", (), opened.clock.now())
    opened.store.put_key(row)
    server = GatewayServer(create_gateway(opened), "127.0.0.1", 0)
    server.start()
    try:
        server.wait_ready()
        yield server.url, key
    finally:
        server.stop()


class Player:
    """Tells a gateway what was said, each at its time, and prints what comes back."""

    def __init__(self, call: Transcript, speed: Speed, *, as_json: bool) -> None:
        self._call = call
        self._factor = speed.factor
        self._steps = steps(call, partials=self._factor is not None)
        self._as_json = as_json
        self._over = False

    def run(self, url: str, key: str) -> None:
        """Raises `RequestRefused` in the gateway's words, `TransientError` where it does not answer."""
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
        from websockets.sync.client import connect

        address = f"ws{url.rstrip('/').removeprefix('http')}/v1/calls/live"
        try:
            with connect(address, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
                socket.send(json.dumps(self._start()))
                talking = Thread(target=self._talk, args=(socket,), daemon=True)
                until = None
                for frame in _frames(socket):
                    if frame["type"] == "started":
                        talking.start()
                    self._show(frame)
                    if frame["type"] == "closed":
                        until = monotonic() + END_WITHIN_S
                    if frame["type"] == "analysis" or (until is not None and monotonic() > until):
                        return
        except InvalidURI as error:
            raise ConfigurationError(
                f"--url: {url!r} is no address; for example http://127.0.0.1:8080"
            ) from error
        except ConnectionClosed as error:
            reason = error.rcvd.reason if error.rcvd is not None else ""
            raise RequestRefused(reason or "the gateway ended the call") from error
        except (InvalidHandshake, OSError) as error:
            raise TransientError(f"{url} does not answer ({type(error).__name__})") from error

    def _start(self) -> dict[str, Any]:
        agent = agent_of(self._call)
        return {
            "type": "start",
            "call_id": f"play-{uuid4()}",  # played twice, it is two calls
            "agent": {"id": id_of(agent), "name": name_of(agent)},
            "language": self._call.language,
            "source": "play",
        }

    def _talk(self, socket: Any) -> None:
        began = monotonic()
        for each in self._steps:
            if self._factor is not None:
                sleep(max(0.0, began + each.at_ms / 1000 / self._factor - monotonic()))
            socket.send(json.dumps(_told(each)))

    def _show(self, frame: dict[str, Any]) -> None:
        if self._as_json:
            print_json(frame)
        else:
            for line in shown(frame):
                typer.echo(line)


def _frames(socket: Any) -> Iterator[dict[str, Any]]:
    """Until the gateway says nothing for a while."""
    while True:
        try:
            yield json.loads(socket.recv(END_WITHIN_S))
        except TimeoutError:
            yield {"type": "silence"}


def _told(each: Step) -> dict[str, Any]:
    told = each.told
    if isinstance(told, Segment):
        return {"type": "segment", **asdict(told)}
    frame: dict[str, Any] = {"type": told.kind, "at_ms": told.at_ms, "by": told.by}
    if told.kind == "transfer":
        frame["agent"] = {"id": told.human_agent_id, "name": told.human_agent_name}
    return frame


def shown(frame: dict[str, Any]) -> Iterator[str]:
    """A frame as lines for people; none for what is only for programs."""
    match frame:
        case {"type": "message", "from": side, "text": text, "start_ms": at}:
            who = "customer" if side == "customer" else frame.get("name") or "agent"
            yield f"{_clock(at)}  {typer.style(who, bold=True)}: {text}"
        case {"type": "read", "intents": intents, "risks": risks} if intents or risks:
            best = [f"{each['title']} {each['probability']:.0%}" for each in intents[:1]]
            warned = [typer.style(f"⚠ {each['kind']}", fg="red") for each in risks]
            yield "       " + "  ".join([*best, *warned])
        case {"type": "suggestion", "text": text, "citations": sources, "next_articles": others}:
            if text:
                yield typer.style(indent(text, " " * 9).replace(" " * 9, "       → ", 1), fg="green")
            elif not others:
                yield typer.style("         (the articles say nothing about this)", dim=True)
            for source in (*sources, *others):
                yield typer.style(f"         {source['title']}  {source['url']}", dim=True)
        case {"type": "state", "kind": kind, "at_ms": at} if kind != "joined":
            yield typer.style(f"{_clock(at)}  ({kind})", dim=True)
        case {"type": "owner", "name": name} if name:
            yield typer.style(f"       ({name} has the call)", dim=True)
        case {"type": "closed"}:
            yield typer.style("       (the call has ended)", dim=True)
        case {"type": "analysis", "analysis": found}:
            yield from results(found)
        case {"type": "error", "detail": detail}:
            yield typer.style(f"       {detail}", fg="yellow")


def results(found: dict[str, Any]) -> Iterator[str]:
    """What was found out about the whole call."""
    yield ""
    yield found["summary"] or "(nothing to sum up)"
    if found["topics"]:
        yield "Topics: " + ", ".join(each["label"] for each in found["topics"])
    for promise in found["promises"]:
        due = f" (by {promise['due']})" if promise["due"] else ""
        yield f"Promise, {promise['by'].replace('_', ' ')}: {promise['text']}{due}"
    yield f"Customer's sentiment: {found['sentiment']['customer']:+.2f}"
    for check in found["checks"]:
        yield f"{'✓' if check['passed'] else '✗'} {check['id'].replace('_', ' ')}"


def _clock(at_ms: int) -> str:
    minutes, seconds = divmod(at_ms // 1000, 60)
    return f"{minutes:02}:{seconds:02}"
