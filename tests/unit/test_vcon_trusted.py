"""The folder that says whose signatures a tenant believes: what is in it, and what cannot be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.calls.transcript import Signature, TranscriptRefused
from connectors.calls.vcon.jws import PublicKey, Trust
from connectors.calls.vcon.trusted import trusted
from parley.errors import ConfigurationError
from parley.settings import Settings
from tests.support.small_tenant import TENANT
from tests.unit.test_call_formats_signed import LEAF, LEAF_KEY, MIDDLE, ROOT, by_leaf, one, signed, signer


def pem(key: object) -> bytes:
    public: PublicKey = key.public_key()  # type: ignore[attr-defined]  # any private key
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "vcon-trust" / TENANT
    made.mkdir(parents=True)
    return made


@pytest.fixture
def read(tmp_path: Path) -> Callable[[], Trust]:
    return lambda: trusted(Settings(home=tmp_path), TENANT)


def test_roots_and_keys_by_their_names(folder: Path, read: Callable[[], Trust]) -> None:
    (folder / "roots.crt").write_bytes(ROOT.public_bytes(Encoding.PEM) + MIDDLE.public_bytes(Encoding.PEM))
    (folder / "did%3Aexample%231.pub").write_bytes(pem(LEAF_KEY))
    (folder / ".hidden").write_bytes(b"x")
    found = read()
    assert list(found.roots) == [ROOT, MIDDLE]
    assert found.keys == {"did:example#1": LEAF_KEY.public_key()}


def test_a_tenant_without_a_folder_believes_nobody(tmp_path: Path) -> None:
    assert trusted(Settings(home=tmp_path), TENANT) == Trust()
    (tmp_path / "there").mkdir()
    assert trusted(Settings(home=tmp_path, vcon_trust=str(tmp_path / "there")), TENANT) == Trust()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("root.cer", b"x", "root.cer: is neither a root nor a key by its name; allowed: NAME.crt"),
        ("root.crt", b"x", "root.crt: holds no certificate in PEM"),
        ("house.pub", b"x", "house.pub: holds no public key in PEM"),
        ("house.pub", pem(rsa.generate_private_key(65_537, 1_024)), "allowed are RSA keys of 2048 to 8192"),
        ("house.pub", pem(ec.generate_private_key(ec.SECP256K1())), "a key that signs no vCon"),
        ("", b"", "is empty; allowed: NAME.crt"),
    ],
)
def test_what_cannot_be_is_named(
    folder: Path, read: Callable[[], Trust], name: str, data: bytes, told: str
) -> None:
    if name:
        (folder / name).write_bytes(data)
    with pytest.raises(ConfigurationError, match=told):
        read()


def test_a_folder_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"PARLEY_VCON_TRUST: .*/nowhere is no folder"):
        trusted(Settings(home=tmp_path, vcon_trust=str(tmp_path / "nowhere")), TENANT)


def test_with_keys_alone_a_strangers_certificate_is_refused() -> None:
    _, public = signer("ES256")
    with pytest.raises(TranscriptRefused, match="none is made with a given key"):
        one(by_leaf(LEAF, MIDDLE), keys={"house": public})


def test_a_certificate_of_a_given_key_is_that_keys() -> None:
    call = one(by_leaf(LEAF), keys={"house": LEAF_KEY.public_key()})
    assert call.signature == Signature(verified=True, signer="house")


def test_a_key_that_nobody_gave_checks_nothing() -> None:
    sign, _ = signer("ES256")
    with pytest.raises(TranscriptRefused, match="none has an x5c certificate or a kid of a given key"):
        one(signed(sign, alg="ES256", kid="house"))
