"""A channel that is reached by HTTP: what a receiver's answer says became of a message."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from connectors.kit import posting
from connectors.kit.channel import Gone, NotSent, Refused, Unsure


@contextmanager
def receiver(status: int, **headers: str) -> Iterator[str]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The tests' own output is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def posted(url: str) -> httpx.Response:
    async def once() -> httpx.Response:
        async with posting.client() as client:
            return await posting.post(client, url, b"hello", {})

    return asyncio.run(once())


def test_what_was_taken_is_sent() -> None:
    with receiver(204) as url:
        assert posted(url).status_code == 204
    with pytest.raises(NotSent, match="not reached"):
        posted(url)


@pytest.mark.parametrize(
    ("status", "fault"),
    [(0, Unsure), (302, Refused), (400, Refused), (410, Gone), (500, Unsure), (504, Unsure)],
)
def test_every_other_answer_says_what_became_of_it(status: int, fault: type[Exception]) -> None:
    with receiver(status) as url, pytest.raises(fault) as raised:
        posted(url)
    assert type(raised.value) is fault


@pytest.mark.parametrize(
    ("wait", "seconds"), [("7", 7.0), ("soon", None), ("Fri, 31 Dec 1999 23:59:59 GMT", None)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_one_that_asks_to_wait_is_waited_for(status: int, wait: str, seconds: float | None) -> None:
    with receiver(status, Retry_After=wait) as url, pytest.raises(NotSent) as raised:
        posted(url)
    assert raised.value.retry_after_s == seconds
