"""A platform with its gateway, and the ways that calls come into it, as a telephone system and an agent's screen use them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.ports.bus import Bus
from parley.ports.store import AccessKey, Store
from parley.settings import Settings
from schemas.base import TenantId
from services.gateway import GatewayServer, create_gateway
from services.gateway.directory import key_hash
from tests.support.doors import running
from tests.support.platform import WAIT_S, make_platform
from tests.support.small_tenant import TENANT
from workers.embedded import Embedded
from workers.wiring import Platform

KEY = "ak_calls"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}
AGENT = {"id": "mei", "name": "Mei"}


class Phone:
    """One running call's connection; frames that came are in `got`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.got: list[dict[str, Any]] = []

    def tell(self, **frame: Any) -> None:
        self.tell_raw(json.dumps(frame))

    def tell_raw(self, text: str) -> None:
        self._socket.send(text)

    def says(self, speaker: str, text: str, name: str, *, final: bool = True, start_ms: int = 0) -> None:
        self.tell(
            type="segment",
            segment_id=name,
            speaker=speaker,
            text=text,
            final=final,
            start_ms=start_ms,
            end_ms=start_ms + 900,
        )

    def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first frame of this kind with these fields, waited for where it has not come yet."""
        until = monotonic() + WAIT_S
        seen = 0
        while True:
            for frame in self.got[seen:]:
                if frame["type"] == kind and fields.items() <= frame.items():
                    return frame
            seen = len(self.got)
            assert monotonic() < until, f"no {kind} {fields} among {[each['type'] for each in self.got]}"
            self.got.append(json.loads(self._socket.recv(WAIT_S)))


class CallCentre:
    """`platform` with all workers, and its gateway at `url`."""

    def __init__(self, platform: Platform, url: str) -> None:
        self.platform = platform
        self.url = url
        self.http = httpx.Client(base_url=url, headers=AUTHORIZED, timeout=WAIT_S, trust_env=False)

    @contextmanager
    def call(self, call_id: str = "call-1", **opening: Any) -> Iterator[Phone]:
        with self.socket() as phone:
            phone.tell(type="start", call_id=call_id, agent=AGENT, language="en", **opening)
            yield phone

    @contextmanager
    def socket(self, **headers: str) -> Iterator[Phone]:
        address = f"ws{self.url.removeprefix('http')}/v1/calls/live"
        told = AUTHORIZED | headers
        with connect(address, additional_headers=told, open_timeout=WAIT_S, proxy=None) as opened:
            yield Phone(opened)

    def imports(self, data: bytes, **params: Any) -> httpx.Response:
        return self.http.post("/v1/calls", content=data, params=params)

    def watched(self, conversation_id: str, last: str = "", token: str = KEY) -> Iterator[dict[str, Any]]:
        """Frames of the event stream, as they come."""
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
        with self.http.stream("GET", f"/v1/calls/{conversation_id}/events", headers=headers) as stream:
            assert stream.status_code == 200, stream.read()
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def frames(self, conversation_id: str, until: str, last: str = "") -> list[dict[str, Any]]:
        """All frames up to the first of this kind."""
        found = []
        for frame in self.watched(conversation_id, last):
            found.append(frame)
            if frame["type"] == until:
                return found
        raise AssertionError(f"no {until} among {[each['type'] for each in found]}")


@contextmanager
def call_centre(bus: Bus, store: Store, settings: Settings) -> Iterator[CallCentre]:
    platform = make_platform(bus, store, settings=settings)
    store.put_key(AccessKey(key_hash(KEY), TenantId(TENANT), "api", "calls", (), datetime.now(UTC)))
    embedded = Embedded(platform)
    embedded.start()
    try:
        with running(GatewayServer(create_gateway(platform), "127.0.0.1", 0)) as server:
            centre = CallCentre(platform, server.url)
            yield centre
            centre.http.close()
    finally:
        embedded.stop()
        platform.close()
    assert embedded.failed is None


@contextmanager
def embedded_call_centre(form: str, home: Path) -> Iterator[CallCentre]:
    """`memory` or `sqlite`."""
    settings = Settings(home=home)
    if form == "memory":
        with call_centre(open_bus("memory:"), MemoryStore(), settings) as centre:
            yield centre
        return
    upgrade_store(settings.database)
    with call_centre(open_bus(settings.bus), open_store(settings.database), settings) as centre:
        yield centre
