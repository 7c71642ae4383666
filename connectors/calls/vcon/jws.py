"""Signed vCons: JSON Web Signatures (RFC 7515) checked by `cryptography` alone.

A signature is checked with a given key, else with the certificate that it brings along (`x5c`). What brings its own certificate proves
that nothing was changed since, but not by whom: the signer counts as verified only by a given key or a chain to a given root. Where either is
given, a signature of nobody else's is taken.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import Certificate, load_der_x509_certificate
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from connectors.calls.fields import Object, object_at, objects, parse_json, placed, text_at
from connectors.calls.transcript import Signature, TranscriptRefused

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", *_CURVES, "EdDSA", "Ed25519", "Ed448")
RSA_BITS = (2_048, 8_192)
MOST_CERTIFICATES = 10
MOST_SIGNATURES = 10
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}")


@dataclass(frozen=True, slots=True)
class Trust:
    """What signatures are checked against: public keys by their names (`kid`), root certificates, and the time at which a certificate
    must be valid (now, if it is None). Without keys and roots nobody is known, and everybody's signature is taken as not verified."""

    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    roots: Sequence[Certificate] = ()
    at: datetime | None = None


def is_key(key: object) -> TypeGuard[PublicKey]:
    """Whether a public key is of a kind that signs vCons."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES.values()
    return isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def is_compact(text: str) -> bool:
    """Whether a text is a JWS (three parts) or JWE (five) in the compact form."""
    stripped = text.strip()
    return (
        stripped.startswith("eyJ")
        and _COMPACT.fullmatch(stripped) is not None
        and stripped.count(".") in (2, 4)
    )


def expanded(text: str) -> Object:
    """The compact form as JSON has it."""
    parts = text.split(".")
    if len(parts) == 5:
        return {"ciphertext": parts[3]}
    return {"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]}


def verified(document: Object, trust: Trust) -> tuple[bytes, Signature]:
    """The signed bytes, and whose signature they have. Raises `TranscriptRefused` where no signature can be checked, where one that can
    does not hold, and where keys or roots are given and none is by one of them.
    """
    payload = text_at(document, "payload", "")
    entries = list(objects(document.get("signatures"), "signatures")) or [("", document)]
    if len(entries) > MOST_SIGNATURES:
        raise TranscriptRefused(f"signatures: {len(entries)}; allowed are {MOST_SIGNATURES}")
    checked = [_checked(entry, at, payload, trust) for at, entry in entries]
    found = [signature for signature in checked if signature is not None]
    if not found:
        raise TranscriptRefused(
            "signatures: none has an x5c certificate or a kid of a given key; without either none can be checked"
        )
    if (trust.keys or trust.roots) and not any(signature.verified for signature in found):
        raise TranscriptRefused(
            "signatures: no certificate leads to a given root, and none is made with a given key; allowed are signers that the tenant knows"
        )
    return unbase64(payload, "payload"), max(found, key=lambda signature: signature.verified)


def _checked(entry: Object, at: str, payload: str, trust: Trust) -> Signature | None:
    """One signature; None where there is nothing to check it with."""
    protected = text_at(entry, "protected", at)
    header = _header(entry, at, protected)
    certificates = _certificates(header, placed(at, "x5c"))
    kid = header.get("kid")
    key = trust.keys.get(kid) if isinstance(kid, str) else None
    if key is None and not certificates:
        return None
    used = key if key is not None else _key_of(certificates[0], placed(at, "x5c"))
    signature = unbase64(text_at(entry, "signature", at), placed(at, "signature"))
    _verify(used, header.get("alg"), signature, f"{protected}.{payload}".encode(), at)
    name = str(kid) if key is not None else _name_of(used, trust)
    if name is not None:
        return Signature(verified=True, signer=name)
    return Signature(verified=_leads_to_root(certificates, trust), signer=_subject(certificates[0]))


def _name_of(key: Any, trust: Trust) -> str | None:
    """A given key's name where a certificate is that key's."""
    return next((name for name, known in trust.keys.items() if known == key), None)


def _header(entry: Object, at: str, protected: str) -> Object:
    """Protected fields go before unprotected ones; the algorithm must be protected."""
    where = placed(at, "protected")
    try:
        text = unbase64(protected, where).decode()
    except UnicodeDecodeError as error:
        raise TranscriptRefused(f"{where} must be JSON in base64url") from error
    signed = object_at(parse_json(text, where), where)
    if "crit" in signed:
        raise TranscriptRefused(f"{where}.crit names what is not supported; allowed is none")
    if signed.get("alg") not in ALGORITHMS:
        raise TranscriptRefused(f"{where}.alg must be one of {', '.join(ALGORITHMS)}")
    return {**object_at(entry.get("header"), placed(at, "header")), **signed}


def _certificates(header: Object, at: str) -> list[Certificate]:
    chain = header.get("x5c")
    if chain is None:
        return []
    if (
        not isinstance(chain, list)
        or len(chain) > MOST_CERTIFICATES
        or not all(isinstance(each, str) for each in chain)
    ):
        raise TranscriptRefused(f"{at} must be a list of at most {MOST_CERTIFICATES} certificates in base64")
    try:
        return [load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in chain]
    except ValueError as error:
        raise TranscriptRefused(f"{at} must hold certificates in base64 of DER") from error


def _key_of(certificate: Certificate, at: str) -> Any:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TranscriptRefused(f"{at}[0] has a public key of a kind that is not supported") from error


def _verify(key: Any, algorithm: Any, signature: bytes, signed: bytes, at: str) -> None:
    try:
        _verify_with(key, str(algorithm), signature, signed, at)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise TranscriptRefused(
            f"{at or 'the signature'} does not hold: the content is not what was signed"
        ) from error


def _verify_with(key: Any, algorithm: str, signature: bytes, signed: bytes, at: str) -> None:
    if (
        algorithm in _CURVES
        and isinstance(key, ec.EllipticCurvePublicKey)
        and key.curve.name == _CURVES[algorithm]
    ):
        key.verify(_der(signature, key.key_size), signed, ec.ECDSA(_HASHES[algorithm[2:]]))
    elif algorithm[:2] in ("RS", "PS") and isinstance(key, rsa.RSAPublicKey):
        _verify_rsa(key, algorithm, signature, signed, at)
    elif isinstance(key, _edwards(algorithm)):
        key.verify(signature, signed)
    else:
        raise TranscriptRefused(
            f"{placed(at, 'alg')} {algorithm} does not fit the key; a key is used with its own algorithms alone"
        )


def _edwards(algorithm: str) -> tuple[type[Any], ...]:
    """RFC 8037's `EdDSA` is of either curve; RFC 9864 names the curve."""
    named: dict[str, tuple[type[Any], ...]] = {
        "Ed25519": (ed25519.Ed25519PublicKey,),
        "Ed448": (ed448.Ed448PublicKey,),
    }
    return named["Ed25519"] + named["Ed448"] if algorithm == "EdDSA" else named.get(algorithm, ())


def _verify_rsa(key: rsa.RSAPublicKey, algorithm: str, signature: bytes, signed: bytes, at: str) -> None:
    if not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        raise TranscriptRefused(
            f"{at or 'the signature'}: an RSA key of {key.key_size} bits; allowed are {RSA_BITS[0]} to {RSA_BITS[1]}"
        )
    digest = _HASHES[algorithm[2:]]
    if algorithm.startswith("PS"):
        key.verify(signature, signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    else:
        key.verify(signature, signed, padding.PKCS1v15(), digest)


def _der(signature: bytes, bits: int) -> bytes:
    """JWS has an elliptic curve's two numbers side by side; `cryptography` wants them in ASN.1."""
    size = (bits + 7) // 8
    if len(signature) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))


def _leads_to_root(chain: Sequence[Certificate], trust: Trust) -> bool:
    """By the rules of the web's PKI for the chain; the signer's own certificate may be for whatever purpose."""
    if not trust.roots:
        return False
    policy = PolicyBuilder().store(Store(list(trust.roots))).time(trust.at or datetime.now(UTC))
    policy = policy.extension_policies(
        ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
    )
    try:
        policy.build_client_verifier().verify(chain[0], list(chain[1:]))
    except (VerificationError, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _subject(certificate: Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string()[:400]
    except ValueError:
        return "a certificate whose subject cannot be read"


def unbase64(text: str, at: str) -> bytes:
    """base64url without padding, as JOSE and vCon write it; padding is allowed."""
    try:
        return base64.b64decode(
            text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True
        )
    except (ValueError, binascii.Error) as error:
        raise TranscriptRefused(f"{at} must be base64url") from error
