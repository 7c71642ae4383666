"""Tenants' signing keys: files of a folder, `TENANT.key` and `TENANT.crt`, both PEM. They are never in a database.

The certificate file has the key's own certificate first and then those that lead to a root, as web servers take it.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from connectors.calls.vcon.jws import MOST_CERTIFICATES, RSA_BITS
from connectors.calls.vcon.signing import Signer
from parley.errors import ConfigurationError
from parley.runtime.exports import created
from schemas.base import TenantId

NEW_BITS = 3_072
"""NIST SP 800-57 part 1, table 4: what is signed today is to hold beyond 2030."""
VALID_FOR = timedelta(days=2 * 365)
_CLOCKS_DIFFER = timedelta(hours=1)
_LONGEST_NAME = 64  # of an organisation in a certificate (X.520)


def files_of(folder: Path, tenant: TenantId) -> tuple[Path, Path]:
    """The key's file and the certificates'."""
    return folder / f"{tenant}.key", folder / f"{tenant}.crt"


def load(folder: Path, tenant: TenantId, now: datetime) -> Signer:
    """Raises `ConfigurationError`: no key, one that cannot be read, a certificate that is not valid now or is another key's."""
    key_file, chain_file = files_of(folder, tenant)
    key, chain = _key(key_file, tenant), _chain(chain_file, tenant)
    if chain[0].public_key() != key.public_key():
        raise ConfigurationError(
            f"{chain_file}: its first certificate is not {key_file.name}'s; allowed: the certificate made for this key"
        )
    for certificate in chain:
        _check_time(certificate, chain_file, now)
    return Signer(key, chain)


def make(folder: Path, tenant: TenantId, name: str, now: datetime, *, replace: bool = False) -> Path:
    """A new key with a certificate that it signs itself; returns the certificate's file.

    Raises `ConfigurationError` where there is a key already and it is not to be replaced, and where the folder cannot be written.
    """
    key_file, chain_file = files_of(folder, tenant)
    for file in (key_file, chain_file):
        if file.exists() and not replace:
            raise ConfigurationError(
                f"{file} is there already; allowed: --replace, after which nothing is signed with it any more"
            )
    key = rsa.generate_private_key(65_537, NEW_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = _self_signed(key, tenant, name, now)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"PARLEY_VCON_KEYS: cannot make {folder}: {error.strerror}") from error
    _write(key_file, pem, replace=replace)
    _write(chain_file, certificate.public_bytes(Encoding.PEM), replace=replace)
    return chain_file


def fingerprint(file: Path) -> str:
    """SHA-256 of a certificate file's first certificate, as people compare it."""
    [first, *_] = x509.load_pem_x509_certificates(file.read_bytes())
    return first.fingerprint(hashes.SHA256()).hex(":").upper()


def _write(file: Path, data: bytes, *, replace: bool) -> None:
    """Readable by its owner only. Where another one has made the file meanwhile, it is left as it is."""
    if replace:
        with created(file) as out:
            out.write(data)
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
    except OSError as error:
        raise ConfigurationError(f"cannot write to {file}: {error.strerror}") from error


def _read(file: Path, tenant: TenantId) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"--sign: there is no {file}; `parley calls key {tenant}` makes one, or put your own there"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"--sign: cannot read {file}: {error.strerror}") from error


def _key(file: Path, tenant: TenantId) -> rsa.RSAPrivateKey:
    pem = _read(file, tenant)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ConfigurationError(
            f"{file}: has a passphrase; allowed: a key without one, readable by its owner only"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{file}: holds no private key; allowed: PEM") from error
    if not isinstance(key, rsa.RSAPrivateKey) or not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        raise ConfigurationError(f"{file}: allowed are RSA keys of {RSA_BITS[0]} to {RSA_BITS[1]} bits")
    return key


def _chain(file: Path, tenant: TenantId) -> tuple[x509.Certificate, ...]:
    pem = _read(file, tenant)
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise ConfigurationError(
            f"{file}: holds no certificate; allowed: PEM, the key's own first"
        ) from error
    if len(chain) > MOST_CERTIFICATES:
        raise ConfigurationError(f"{file}: {len(chain)} certificates; allowed are {MOST_CERTIFICATES}")
    return chain


def _check_time(certificate: x509.Certificate, file: Path, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= now <= ends:
        told = f"expired on {ends:%Y-%m-%d}" if now > ends else f"is valid from {begins:%Y-%m-%d} on"
        raise ConfigurationError(
            f"{file}: the certificate of {certificate.subject.rfc4514_string()} {told}; allowed: one that is valid now"
        )


def _self_signed(key: rsa.RSAPrivateKey, tenant: TenantId, name: str, now: datetime) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:_LONGEST_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{tenant} conversations"),
        ]
    )
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                **usage,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
