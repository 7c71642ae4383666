"""The `parley` command when something is wrong: one line that says so, and never a traceback."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from infra.contracts import ROOT
from parley.cli import talk
from parley.cli.conversing import Reply, writable
from parley.cli.main import main
from parley.errors import RequestRefused
from tests.support.sse import WAIT_S
from workers import engine_checks

Told = tuple[int, str, str]
Command = Callable[..., Told]


@pytest.fixture
def parley(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in an empty home; returns its exit status and what it wrote to standard output and error."""
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # main sets its own

    def run(*args: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["parley", *args])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert code is None or isinstance(code, int)
        return code or 0, *capfd.readouterr()

    return run


def one_line(told: Told, words: str, status: int = 2) -> None:
    code, _, error = told
    assert code == status, error
    (line,) = error.splitlines()
    assert line.startswith("parley: ") and words in line


# --- ask and chat ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * 5_000, "allowed: 1 to 4000 characters"),
        ("", "text: "),
        (" \u200b", "text: is empty or only white space"),
        (os.fsdecode(b"caf\xe9"), "text: is not UTF-8"),
    ],
)
@pytest.mark.parametrize("url", [(), ("--url", "http://127.0.0.1:9", "--key", "sk_x")], ids=["here", "there"])
def test_a_question_that_no_door_takes_is_refused(
    parley: Command, text: str, words: str, url: tuple[str, ...]
) -> None:
    one_line(parley("ask", *url, text), words)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9 does not answer"),
        ("nonsense", "--url: 'nonsense' is no address; for example http://127.0.0.1:8080"),
        ("ftp://127.0.0.1", "is no address"),
        ("http://127.0.0.1:port", "is no address"),
        ("http://[", "http://[ does not answer"),
        ("", "is no address"),
    ],
)
def test_a_gateway_that_cannot_be_reached_is_one_line(parley: Command, url: str, words: str) -> None:
    one_line(parley("ask", "--url", url, "--key", "sk_x", "hello"), words)


class Stranger(BaseHTTPRequestHandler):
    """Some other server on the port."""

    answers: tuple[int, bytes] = (200, b"<html>hello</html>")

    def do_POST(self) -> None:
        status, body = self.answers
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    handler = type("Answering", (Stranger,), {"answers": (status, body)})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(WAIT_S)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>hello</html>", "not as a gateway of Parley does"),
        (200, b"[]", "not as a gateway of Parley does"),
        (502, b"Bad Gateway", "not as a gateway of Parley does"),
        (
            401,
            b'{"detail": "Authorization: is not a valid key"}',
            "HTTP 401: Authorization: is not a valid key",
        ),
    ],
)
def test_a_server_that_refuses_or_is_another_one_is_one_line(
    parley: Command, status: int, body: bytes, words: str
) -> None:
    with answering(status, body) as url:
        one_line(parley("ask", "--url", url, "--key", "sk_x", "hello"), words)


def test_the_chat_goes_on_after_a_line_that_is_refused(
    parley: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Echo:
        greeting = "Hi!"

        def ask(self, text: str) -> Reply:
            if text == "refuse me":
                raise RequestRefused("HTTP 422: text: is not nice")
            return Reply(f"<{text}>", "answer")

    @contextmanager
    def opened(*_: object) -> Iterator[Echo]:
        yield Echo()

    lines = b"one\n" + b"x" * 5_000 + b"\ncaf\xe9\n\nrefuse me\ntwo\n"
    monkeypatch.setattr(talk, "_open", opened)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines), encoding="utf-8"))
    code, out, error = parley("chat")
    assert code == 0
    assert out.splitlines() == ["Hi!", "<one>", "<two>", ""]
    assert [line[:25] for line in error.splitlines()] == [
        "(text: String should have",
        "(text: is not UTF-8)",
        "(HTTP 422: text: is not n",
    ]


def test_what_a_door_takes_may_be_asked() -> None:
    assert writable("\U0001f600" * 4_000) == "\U0001f600" * 4_000


# --- status, keys, tenants -------------------------------------------------------------------------------------------


def test_the_status_of_nothing_says_what_to_do(parley: Command) -> None:
    code, out, error = parley("status")
    assert (code, error) == (1, "")
    rows = dict(line.split(maxsplit=1) for line in out.splitlines() if " " in line)
    assert rows["bus"].startswith("not ready: ") and rows["bus"].endswith("run: parley topics apply")
    assert rows["database"].endswith("run: parley db upgrade")
    assert rows["gateway"].endswith("does not answer")


def test_a_broker_that_is_down_is_one_line_of_the_status(
    parley: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PARLEY_BUS_URL", "kafka://127.0.0.1:9")
    parley("db", "upgrade")
    caplog.clear()
    code, out, error = parley("status")
    assert (code, error, caplog.messages) == (1, "", [])
    (bus,) = (line for line in out.splitlines() if line.startswith("bus"))
    assert bus.split(maxsplit=1)[1].startswith("down: Kafka: KafkaTimeoutError: Unable to bootstrap")
    assert "database  up" in out


def test_a_key_is_bound_to_origins_as_browsers_send_them(parley: Command) -> None:
    code, _, error = parley("keys", "create", "-t", "bank", "--origin", "https://www.bank.example/")
    assert code == 2
    assert "without a path or a slash at the end" in " ".join(error.replace("│", " ").split())


def test_a_version_with_a_mistake_never_becomes_current(parley: Command, tmp_path: Path) -> None:
    folder = tmp_path / "mobile"
    shutil.copytree(ROOT / "tenants" / "mobile", folder)
    parley("db", "upgrade")
    parley("topics", "apply")
    _, out, _ = parley("tenants", "import", "--json", str(folder))
    version = json.loads(out)["version"]
    text = (folder / "tenant.yaml").read_text("utf-8")
    (folder / "tenant.yaml").write_text(text.replace("  en: Pollo Mobile\n", ""), "utf-8")
    one_line(parley("tenants", "import", str(folder)), "mobile/tenant.yaml:2: name.en: missing")
    (folder / "tenant.yaml").write_text(text, "utf-8")
    _, out, _ = parley("tenants", "import", "--json", str(folder))
    assert json.loads(out) == {"tenant": "mobile", "version": version, "changed": False, "chunks_written": 0}


def test_a_gateway_without_tables_says_what_to_do(parley: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_PORT", "0")
    one_line(parley("gateway"), "run: parley db upgrade")


@pytest.mark.parametrize(
    ("generator", "variable"),
    [("vllm", "PARLEY_ENGINE_MODEL"), ("onnx", "PARLEY_ENGINE_MODEL"), ("openai", "PARLEY_OPENAI_URL")],
)
def test_what_cannot_write_answers_is_refused_before_anything_is_made(
    parley: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, generator: str, variable: str
) -> None:
    monkeypatch.setattr(engine_checks, "find_spec", lambda name: name)  # installed or not
    monkeypatch.setenv("PARLEY_PORT", "0")
    monkeypatch.setenv(variable, "/no/such")
    code, said, error = parley("run", "--generator", generator)
    assert code == 2 and error.splitlines()[-1].startswith(f"parley: {variable}: ")
    assert said == "" and list((tmp_path / "home").iterdir()) == []


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------

INTERRUPTED = """
import signal
import parley.cli.main as commands
from parley.cli import entry

def work():
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        if {twice}:
            signal.raise_signal(signal.SIGINT)

commands.app = work
entry.main()
"""

INTERRUPTED_LOADING = """
import signal, sys
from parley.cli import entry

class Loading:
    def find_spec(self, name, path=None, target=None):
        if name == "parley.cli.main":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Loading())
entry.main()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (INTERRUPTED_LOADING, -signal.SIGINT),
        (INTERRUPTED.format(twice=False), 130),
        (INTERRUPTED.format(twice=True), -signal.SIGINT),
    ],
    ids=["while it is loaded", "once", "twice"],
)
def test_ctrl_c_leaves_no_traceback(program: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, "")


FAILED_AND_INTERRUPTED = """
import os, signal, sys
from threading import Event

from parley.cli import entry
from parley.errors import ConfigurationError
from workers import wiring

class Failing:
    name, ready = "failing", Event()

    def run(self, stop):
        raise ConfigurationError("the engine does not start: no room")

class Draining:
    name, ready = "draining", Event()

    def run(self, stop):
        stop.wait()
        os.kill(os.getpid(), signal.SIGINT)

wiring.BUILDERS = {"failing": lambda _: Failing(), "draining": lambda _: Draining()}
sys.argv = ["parley", "run", "--port", "0", "--home", sys.argv[1], "--tenant", sys.argv[2]]
entry.main()
"""


def test_why_a_worker_failed_is_told_also_after_ctrl_c_while_the_others_stop(tmp_path: Path) -> None:
    program = [sys.executable, "-c", FAILED_AND_INTERRUPTED, str(tmp_path), str(ROOT / "tenants" / "mobile")]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == "parley: the engine does not start: no room"
