"""Signed vCons, each signed here with a key made here."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from connectors.calls.formats import read
from connectors.calls.transcript import Signature, Transcript, TranscriptRefused
from connectors.calls.vcon.jws import Trust
from tests.support.call_files import VCON

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RSA = rsa.generate_private_key(65_537, 2_048)
EC = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _ecdsa(key: ec.EllipticCurvePrivateKey, algorithm: str) -> Callable[[bytes], bytes]:
    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(HASHES[algorithm[2:]])))
        size = (key.key_size + 7) // 8
        return r.to_bytes(size) + s.to_bytes(size)

    return sign


def signer(algorithm: str) -> tuple[Callable[[bytes], bytes], Any]:
    """What signs by an algorithm, and the public key."""
    if algorithm in EC:
        curve = ec.generate_private_key(EC[algorithm])
        return _ecdsa(curve, algorithm), curve.public_key()
    if algorithm.startswith("RS"):
        return lambda data: RSA.sign(data, padding.PKCS1v15(), HASHES[algorithm[2:]]), RSA.public_key()
    if algorithm.startswith("PS"):
        digest = HASHES[algorithm[2:]]
        return lambda data: RSA.sign(
            data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest
        ), RSA.public_key()
    edwards = (
        ed448.Ed448PrivateKey.generate() if algorithm == "Ed448" else ed25519.Ed25519PrivateKey.generate()
    )
    return edwards.sign, edwards.public_key()


def signed(sign: Callable[[bytes], bytes], payload: Any = VCON, **header: Any) -> dict[str, Any]:
    body, protected = b64(json.dumps(payload).encode()), b64(json.dumps(header).encode())
    return {
        "payload": body,
        "signatures": [{"protected": protected, "signature": b64(sign(f"{protected}.{body}".encode()))}],
    }


def one(document: Any, **trust: Any) -> Transcript:
    (call,) = read(json.dumps(document).encode(), trust=Trust(at=NOW, **trust))
    return call


@pytest.mark.parametrize(
    "algorithm",
    ["RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"],
)
def test_a_given_key_verifies(algorithm: str) -> None:
    sign, public = signer(algorithm)
    call = one(signed(sign, alg=algorithm, kid="house"), keys={"house": public})
    assert call.signature == Signature(verified=True, signer="house")
    assert len(call.turns) == 2 and call.source == "vcon"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_changed_payload_does_not_hold(algorithm: str) -> None:
    sign, public = signer(algorithm)
    document = signed(sign, alg=algorithm, kid="house")
    document["payload"] = b64(json.dumps({**VCON, "uuid": "other"}).encode())
    with pytest.raises(TranscriptRefused, match=r"signatures\[0\] does not hold"):
        one(document, keys={"house": public})


def test_the_compact_and_the_flattened_form() -> None:
    sign, public = signer("ES256")
    document = signed(sign, alg="ES256", kid="house")
    (entry,) = document["signatures"]
    compact = ".".join((entry["protected"], document["payload"], entry["signature"])).encode()
    (call,) = read(compact, trust=Trust({"house": public}))
    flattened = one({"payload": document["payload"], **entry}, keys={"house": public})
    assert call == flattened and call.signature == Signature(True, "house")
    with pytest.raises(TranscriptRefused, match=r"encrypted \(JWE\)"):
        read(b"eyJhbGciOiJSU0EifQ.a.b.c.d")


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(
    subject: str, key: Any, issuer: str, issuer_key: Any, ca: bool, days: int = 30
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if ca:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
        )
        usage |= dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
        built = built.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        built = built.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    else:
        built = built.add_extension(
            x509.SubjectAlternativeName([x509.DNSName("calls.example")]), critical=False
        )
    return built.sign(issuer_key, hashes.SHA256())


ROOT_KEY, MIDDLE_KEY, LEAF_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
ROOT = certificate("root", ROOT_KEY, "root", ROOT_KEY, ca=True)
MIDDLE = certificate("middle", MIDDLE_KEY, "root", ROOT_KEY, ca=True)
LEAF = certificate("calls", LEAF_KEY, "middle", MIDDLE_KEY, ca=False)


def x5c(*chain: x509.Certificate) -> list[str]:
    return [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain]


def by_leaf(*chain: x509.Certificate) -> dict[str, Any]:
    return signed(_ecdsa(LEAF_KEY, "ES256"), alg="ES256", x5c=x5c(*chain))


def test_a_certificate_alone_leaves_the_signer_unverified() -> None:
    assert one(by_leaf(LEAF, MIDDLE)).signature == Signature(verified=False, signer="CN=calls")


def test_a_chain_to_a_given_root_verifies() -> None:
    assert one(by_leaf(LEAF, MIDDLE), roots=[ROOT]).signature == Signature(verified=True, signer="CN=calls")
    assert one(by_leaf(LEAF, MIDDLE, ROOT), roots=[ROOT]).signature == Signature(
        verified=True, signer="CN=calls"
    )


def test_chains_that_lead_nowhere_are_refused() -> None:
    other = certificate("root", MIDDLE_KEY, "root", MIDDLE_KEY, ca=True)
    no_ca = certificate("middle", MIDDLE_KEY, "root", ROOT_KEY, ca=False)
    past = certificate("calls", LEAF_KEY, "middle", MIDDLE_KEY, ca=False, days=0)
    for document, root in (
        (by_leaf(LEAF), ROOT),
        (by_leaf(LEAF, MIDDLE), other),
        (by_leaf(LEAF, no_ca), ROOT),
        (by_leaf(past, MIDDLE), ROOT),
    ):
        with pytest.raises(TranscriptRefused, match="no certificate leads to a given root"):
            read(json.dumps(document).encode(), trust=Trust(roots=[root], at=NOW + timedelta(hours=1)))


def test_a_certificate_in_the_unprotected_header() -> None:
    document = signed(_ecdsa(LEAF_KEY, "ES256"), alg="ES256")
    document["signatures"][0]["header"] = {"x5c": x5c(LEAF), "alg": "none"}
    assert one(document).signature == Signature(False, "CN=calls")
    document["signatures"][0]["header"] = {"x5c": x5c(MIDDLE)}
    with pytest.raises(TranscriptRefused, match="does not hold"):
        one(document)


def test_all_signatures_that_can_be_checked_must_hold() -> None:
    sign, public = signer("ES256")
    first = signed(sign, alg="ES256", kid="house")
    unknown = signed(sign, alg="ES256", kid="stranger")["signatures"][0]
    broken = {**first["signatures"][0], "signature": b64(bytes(64))}
    assert one(
        {**first, "signatures": [unknown, *first["signatures"]]}, keys={"house": public}
    ).signature == Signature(True, "house")
    with pytest.raises(TranscriptRefused, match=r"signatures\[1\] does not hold"):
        one({**first, "signatures": [*first["signatures"], broken]}, keys={"house": public})


def hs256(data: bytes) -> bytes:
    mac = hmac.HMAC(b"secret", hashes.SHA256())
    mac.update(data)
    return mac.finalize()


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ({"alg": "none", "kid": "house"}, r"signatures\[0\]\.protected\.alg must be one of RS256"),
        ({"alg": "HS256", "kid": "house"}, r"protected\.alg must be one of"),
        ({"kid": "house"}, r"protected\.alg must be one of"),
        ({"alg": "RS256", "kid": "house"}, r"RS256 does not fit the key"),
        ({"alg": "ES384", "kid": "house"}, r"ES384 does not fit the key"),
        (
            {"alg": "ES256", "kid": "house", "crit": ["b64"], "b64": False},
            r"protected\.crit names what is not supported",
        ),
        ({"alg": "ES256", "kid": "stranger"}, "none has an x5c certificate or a kid of a given key"),
        ({"alg": "ES256", "x5c": ["xx"]}, r"signatures\[0\]\.x5c must hold certificates"),
        ({"alg": "ES256", "x5c": "xx"}, r"signatures\[0\]\.x5c must be a list of at most 10"),
        ({"alg": "ES256", "kid": "house"}, r"signatures\[0\] does not hold"),
    ],
)
def test_headers_that_are_refused(header: dict[str, Any], named: str) -> None:
    _, public = signer("ES256")
    with pytest.raises(TranscriptRefused, match=named):
        one(signed(hs256, **header), keys={"house": public})


def test_short_rsa_keys_and_payloads_that_are_no_plain_vcon() -> None:
    weak = rsa.generate_private_key(65_537, 1_024)
    document = signed(
        lambda data: weak.sign(data, padding.PKCS1v15(), hashes.SHA256()), alg="RS256", kid="house"
    )
    with pytest.raises(TranscriptRefused, match="an RSA key of 1024 bits; allowed are 2048 to 8192"):
        one(document, keys={"house": weak.public_key()})
    sign, public = signer("ES256")
    for payload, named in (
        (signed(sign, alg="ES256"), "payload must be a plain vCon"),
        ([1], "payload must be an object"),
    ):
        with pytest.raises(TranscriptRefused, match=named):
            one(signed(sign, payload, alg="ES256", kid="house"), keys={"house": public})
