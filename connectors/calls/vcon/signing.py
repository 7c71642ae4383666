"""Signing a vCon: the general JSON serialisation of a JWS (RFC 7515, section 7.2.1), RS256, with the certificates beside it.

As the draft wants it, `x5c` and the vCon's `uuid` stand in the unprotected header; `alg` is protected, and stands in one of the two only.
Keys are not read here (`signing_keys`).
"""

import base64
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from connectors.calls.fields import Object

ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class Signer:
    """A tenant's key, and the certificates that lead from it to a root: the key's own comes first."""

    key: RSAPrivateKey
    chain: tuple[Certificate, ...]


def signed(document: Object, signer: Signer) -> Object:
    """The same document and key give the same bytes: RS256 uses no randomness (RFC 8017, section 8.2)."""
    payload = _base64url(orjson.dumps(document))
    protected = _base64url(orjson.dumps({"alg": ALGORITHM}))
    signature = signer.key.sign(f"{protected}.{payload}".encode(), padding.PKCS1v15(), hashes.SHA256())
    header = {
        "x5c": [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in signer.chain],
        "uuid": document["uuid"],
    }
    return {
        "payload": payload,
        "signatures": [{"header": header, "protected": protected, "signature": _base64url(signature)}],
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
