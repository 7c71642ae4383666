"""Whose signatures count, by each of the doors: the gateway, the watched folder and `parley calls import`."""

import base64
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from connectors.calls.folder import FolderWatch
from connectors.calls.vcon import signing_keys
from connectors.calls.vcon.signing import Signer, signed
from parley.backends.bus import open_bus
from parley.cli import calls_import
from parley.cli.main import app
from parley.settings import Settings
from schemas.base import AnyEvent, TenantId
from schemas.call_events import TranscriptImported
from schemas.outbound import CallImported
from schemas.parts import SignatureChecked
from tests.support.call_files import VCON
from tests.support.calls import CallCentre, embedded_call_centre
from tests.support.effectors import until
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import TENANT
from workers.wiring import Platform

HOUSE = ed25519.Ed25519PrivateKey.generate()
NOT_KNOWN = "no certificate leads to a given root, and none is made with a given key"


@dataclass(frozen=True)
class Came:
    """What became of a file: what the door told, and the signature that the log has: None where it was not signed, or nothing was written."""

    told: dict[str, Any]
    signature: tuple[bool, str] | None


Door = Callable[[Path, bytes], Came]


def logged(platform: Platform, before: Sequence[AnyEvent] = ()) -> tuple[bool, str] | None:
    """Of the call that was not there before."""
    new = [event.body for event in events_on(platform, "call.events") if event not in before]
    if not new:
        return None
    [body] = new
    assert isinstance(body, TranscriptImported)
    signed = None if body.origin is None else body.origin.signature
    return None if signed is None else (signed.verified, signed.signer)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallCentre]:
    with embedded_call_centre("memory", tmp_path_factory.mktemp("centre")) as opened:
        yield opened


@pytest.fixture(params=["POST", "folder", "import"])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "POST":
        return partial(posted, request.getfixturevalue("centre"))
    return dropped if request.param == "folder" else commanded


def posted(centre: CallCentre, home: Path, data: bytes) -> Came:
    """With the trust of this home: what was there before is forgotten, as it is read anew for each file."""
    theirs = centre.platform.settings.vcon_trust_dir
    shutil.rmtree(theirs, ignore_errors=True)
    if (home / "vcon-trust").exists():
        shutil.copytree(home / "vcon-trust", theirs)
    before = events_on(centre.platform, "call.events")
    answer = centre.imports(data)
    told = answer.json()["calls"][0] if answer.status_code == 202 else {"reason": answer.json()["detail"]}
    return Came(told, logged(centre.platform, before))


def dropped(home: Path, data: bytes) -> Came:
    """The folder tells the log and the file beside what is refused."""
    platform = make_platform(open_bus("memory:"), settings=Settings(home=home))
    folder = home / "calls"
    folder.mkdir(exist_ok=True)
    (folder / "one.json").write_bytes(data)
    watch = FolderWatch("call-folder", platform, folder, TENANT)
    watch.look(Flag())
    watch.look(Flag())
    why = [path.read_text() for path in folder.rglob("*.why.txt")]
    return Came({"reason": why[0]} if why else {}, logged(platform))


def commanded(home: Path, data: bytes) -> Came:
    platform = make_platform(open_bus("memory:"), settings=Settings(home=home))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(calls_import, "platform", lambda: nullcontext(platform))
        done = CliRunner().invoke(app, ["calls", "import", "-", "--json"], input=data)
    return Came(json.loads(done.stdout)["calls"][0], logged(platform))


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    """Two of one name: anybody can write it into a certificate."""
    folder, now = tmp_path_factory.mktemp("signers"), datetime.now(UTC)
    names = [TenantId("alder"), TenantId("stranger")]
    for name in names:
        signing_keys.make(folder, name, "Alder Bank", now)
    return {name: signing_keys.load(folder, name, now) for name in names}


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    folder = tmp_path / "vcon-trust" / TENANT
    folder.mkdir(parents=True)
    return folder


def call() -> dict[str, Any]:
    return {**VCON, "uuid": str(uuid4())}


def by(signer: Signer) -> bytes:
    return json.dumps(signed(call(), signer)).encode()


def by_house() -> bytes:
    """A JWS that names its key and brings no certificate."""
    protected, payload = (
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode()
        for each in ({"alg": "EdDSA", "kid": "house/1"}, call())
    )
    made = base64.urlsafe_b64encode(HOUSE.sign(f"{protected}.{payload}".encode())).decode()
    return json.dumps(
        {"payload": payload, "signatures": [{"protected": protected, "signature": made}]}
    ).encode()


def root(signer: Signer) -> bytes:
    return signer.chain[0].public_bytes(Encoding.PEM)


def key() -> bytes:
    return HOUSE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_without_a_setting_what_is_signed_is_taken_and_not_verified(
    door: Door, tmp_path: Path, signers: dict[str, Signer], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    came = door(tmp_path, by(signers["stranger"]))
    name = "CN=stranger conversations,O=Alder Bank"
    assert came.signature == (False, name)
    if door is not commanded:
        assert "signatures: 1 signed, not verified" in caplog.text and name not in caplog.text
    if door is not dropped:
        assert (came.told["signature"], came.told["signed_by"]) == ("unverified", name)


def test_with_a_root_only_who_leads_to_it_is_taken(
    door: Door, tmp_path: Path, trust: Path, signers: dict[str, Signer], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (trust / "alder.crt").write_bytes(root(signers["alder"]))
    stranger = door(tmp_path, by(signers["stranger"]))
    assert stranger.signature is None and NOT_KNOWN in stranger.told["reason"]
    came = door(tmp_path, by(signers["alder"]))
    name = "CN=alder conversations,O=Alder Bank"
    assert came.signature == (True, name)
    if door is not dropped:
        assert (came.told["signature"], came.told["signed_by"]) == ("verified", name)
    if door is not commanded:
        assert f"signatures: 1 signed by {name}, verified" in caplog.text


def test_with_a_key_no_strangers_certificate_passes(
    door: Door, tmp_path: Path, trust: Path, signers: dict[str, Signer]
) -> None:
    (trust / "house%2F1.pub").write_bytes(key())
    stranger = door(tmp_path, by(signers["stranger"]))
    assert stranger.signature is None and NOT_KNOWN in stranger.told["reason"]


def test_a_key_that_is_only_named_verifies(door: Door, tmp_path: Path, trust: Path) -> None:
    (trust / "house%2F1.pub").write_bytes(key())
    assert door(tmp_path, by_house()).signature == (True, "house/1")


def test_what_is_not_signed_is_taken_and_told_so(door: Door, tmp_path: Path, trust: Path) -> None:
    (trust / "house.pub").write_bytes(key())
    came = door(tmp_path, json.dumps(call()).encode())
    assert came.signature is None and not came.told.get("reason")
    if door is not dropped:
        assert (came.told["signature"], came.told["signed_by"]) == ("unsigned", None)


def test_another_tenants_signers_are_not_this_ones(tmp_path: Path, signers: dict[str, Signer]) -> None:
    (tmp_path / "vcon-trust" / "mobile").mkdir(parents=True)
    (tmp_path / "vcon-trust" / "mobile" / "alder.crt").write_bytes(root(signers["alder"]))
    assert commanded(tmp_path, by(signers["alder"])).told["signature"] == "unverified"


def test_whose_signature_it_was_stands_in_the_history(
    centre: CallCentre, tmp_path: Path, trust: Path
) -> None:
    (trust / "house%2F1.pub").write_bytes(key())
    name = posted(centre, tmp_path, by_house()).told["conversation_id"]
    [told] = until(
        lambda: [
            event.body
            for event in events_on(centre.platform, "chat.outbound")
            if isinstance(event.body, CallImported) and event.envelope.conversation_id == name
        ]
    )
    assert told.origin.signature == SignatureChecked(verified=True, signer="house/1")


def test_a_folder_that_cannot_be_used_stops_imports_and_loses_nothing(
    centre: CallCentre, tmp_path: Path, trust: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is taken unchecked; the file of the watched folder waits."""
    (trust / "root.cer").write_bytes(b"x")
    data = json.dumps(call()).encode()
    came = posted(centre, tmp_path, data)
    assert came == Came({"reason": "signatures cannot be checked just now"}, None)
    assert centre.imports(data).status_code == 503
    assert "root.cer: is neither a root nor a key by its name" in caplog.text
    assert dropped(tmp_path, data) == Came({}, None)
    assert (tmp_path / "calls" / "one.json").exists()
