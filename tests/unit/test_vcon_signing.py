"""Signed vCons and the tenants' keys: what we sign our own importer verifies, and keys that cannot be used are refused with the reason."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from connectors.calls.formats import read
from connectors.calls.transcript import Signature, TranscriptRefused
from connectors.calls.vcon import signing_keys
from connectors.calls.vcon.jws import Trust, unbase64
from connectors.calls.vcon.signing import signed
from parley.errors import ConfigurationError
from tests.support.call_files import VCON
from tests.support.small_tenant import TENANT
from tests.unit.test_call_formats_signed import certificate

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tenant's key; it takes a second to make one."""
    folder = tmp_path_factory.mktemp("keys") / "vcon"
    signing_keys.make(folder, TENANT, "Test Bank", NOW)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to spoil."""
    for file in made.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def root(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{TENANT}.crt").read_bytes())


def test_what_is_signed_is_verified_by_its_certificate(made: Path) -> None:
    document = signed(VCON, signing_keys.load(made, TENANT, NOW))
    data = json.dumps(document).encode()
    (call,) = read(data, trust=Trust(roots=[root(made)], at=NOW))
    assert call.signature == Signature(verified=True, signer="CN=bank conversations,O=Test Bank")
    assert read(data, trust=Trust(at=NOW))[0].signature == Signature(
        False, "CN=bank conversations,O=Test Bank"
    )
    assert read(json.dumps(VCON).encode())[0].turns == call.turns


def test_the_form_is_the_drafts(made: Path) -> None:
    """General JSON; the certificates and the uuid unprotected, the algorithm protected, and no name in both."""
    document = signed(VCON, signing_keys.load(made, TENANT, NOW))
    [entry] = document["signatures"]
    protected = json.loads(unbase64(entry["protected"], "protected"))
    assert set(document) == {"payload", "signatures"} and set(entry) == {"header", "protected", "signature"}
    assert protected == {"alg": "RS256"}
    assert set(entry["header"]) == {"x5c", "uuid"} and entry["header"]["uuid"] == VCON["uuid"]
    assert json.loads(unbase64(document["payload"], "payload")) == VCON
    assert document == signed(VCON, signing_keys.load(made, TENANT, NOW))


def test_another_root_and_a_changed_payload_are_refused(made: Path, tmp_path: Path) -> None:
    document = signed(VCON, signing_keys.load(made, TENANT, NOW))
    signing_keys.make(tmp_path, TENANT, "Test Bank", NOW)
    with pytest.raises(TranscriptRefused, match="no certificate leads to a given root"):
        read(json.dumps(document).encode(), trust=Trust(roots=[root(tmp_path)], at=NOW))
    other = signed({**VCON, "subject": "another"}, signing_keys.load(made, TENANT, NOW))
    with pytest.raises(TranscriptRefused, match="does not hold"):
        read(json.dumps({**document, "payload": other["payload"]}).encode())


def test_a_chain_of_the_banks_own(tmp_path: Path) -> None:
    """The key's own certificate first, then those that lead to the root, which others have already."""
    leaf_key, root_key = (rsa.generate_private_key(65_537, 2_048) for _ in range(2))
    ca = certificate("root", root_key, "root", root_key, ca=True)
    leaf = certificate("calls", leaf_key, "root", root_key, ca=False)
    (tmp_path / "bank.key").write_bytes(pem_of(leaf_key))
    (tmp_path / "bank.crt").write_bytes(leaf.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))
    document = signed(VCON, signing_keys.load(tmp_path, TENANT, NOW))
    assert len(document["signatures"][0]["header"]["x5c"]) == 2
    (call,) = read(json.dumps(document).encode(), trust=Trust(roots=[ca], at=NOW))
    assert call.signature == Signature(verified=True, signer="CN=calls")


def pem_of(key: Any, password: bytes | None = None) -> bytes:
    how = NoEncryption() if password is None else BestAvailableEncryption(password)
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    return data


def test_a_new_key_is_its_owners_alone_and_never_overwritten(folder: Path) -> None:
    before = (folder / "bank.key").read_bytes()
    with pytest.raises(ConfigurationError, match=r"bank\.key is there already; allowed: --replace"):
        signing_keys.make(folder, TENANT, "Test Bank", NOW)
    (folder / "bank.key").unlink()
    with pytest.raises(ConfigurationError, match=r"bank\.crt is there already"):
        signing_keys.make(folder, TENANT, "Test Bank", NOW)
    signing_keys.make(folder, TENANT, "Test Bank", NOW, replace=True)
    assert (folder / "bank.key").read_bytes() != before
    assert (folder / "bank.key").stat().st_mode & 0o777 == 0o600
    assert signing_keys.load(folder, TENANT, NOW).chain[0] == root(folder)


def test_a_new_key_is_of_mode_600_in_a_folder_of_mode_700(made: Path) -> None:
    assert made.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in made.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bank.key", None, r"--sign: there is no .*bank\.key; `parley calls key bank` makes one"),
        ("bank.crt", None, r"--sign: there is no .*bank\.crt"),
        ("bank.key", b"nonsense", r"bank\.key: holds no private key; allowed: PEM"),
        ("bank.crt", b"nonsense", r"bank\.crt: holds no certificate; allowed: PEM, the key's own first"),
        (
            "bank.key",
            pem_of(rsa.generate_private_key(65_537, 2_048), b"secret"),
            r"bank\.key: has a passphrase; allowed",
        ),
        (
            "bank.key",
            pem_of(ec.generate_private_key(ec.SECP256R1())),
            r"bank\.key: allowed are RSA keys of 2048 to 8192 bits",
        ),
        ("bank.key", pem_of(rsa.generate_private_key(65_537, 1_024)), r"allowed are RSA keys of 2048"),
        (
            "bank.key",
            pem_of(rsa.generate_private_key(65_537, 2_048)),
            r"bank\.crt: its first certificate is not bank\.key's",
        ),
    ],
)
def test_what_cannot_be_signed_with_is_named(
    folder: Path, name: str, content: bytes | None, words: str
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        signing_keys.load(folder, TENANT, NOW)


def test_a_folder_in_a_files_place_cannot_be_read(folder: Path) -> None:
    (folder / "bank.key").unlink()
    (folder / "bank.key").mkdir()
    with pytest.raises(ConfigurationError, match=r"--sign: cannot read .*bank\.key: Is a directory"):
        signing_keys.load(folder, TENANT, NOW)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW + timedelta(days=731), r"CN=bank conversations,O=Test Bank expired on 2028-02-29; allowed"),
        (NOW - timedelta(days=1), r"is valid from 2026-02-28 on"),
    ],
)
def test_a_certificate_out_of_its_time_is_named(made: Path, at: datetime, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        signing_keys.load(made, TENANT, at)


def test_keys_are_made_where_a_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"PARLEY_VCON_KEYS: cannot make .*/file"):
        signing_keys.make(tmp_path / "file", TENANT, "Test Bank", NOW)
