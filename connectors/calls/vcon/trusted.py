"""Whose signatures a tenant believes: files of a folder of the tenant's name, roots (`NAME.crt`) and keys (`KID.pub`), PEM. Read anew for each file that is
imported, so that a change counts at once.

A tenant without a folder believes nobody: what is signed is taken, and told to be not verified. With one, what is signed by others is refused.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

from connectors.calls.vcon.jws import RSA_BITS, PublicKey, Trust, is_key
from parley.errors import ConfigurationError
from parley.settings import Settings
from schemas.base import TenantId

ALLOWED = "NAME.crt with root certificates and KID.pub with a public key, both PEM"
T = TypeVar("T")


def trusted(settings: Settings, tenant: TenantId) -> Trust:
    """Raises `ConfigurationError` for a folder that cannot be read, is empty, or holds what is neither: what was meant to be believed is not to be passed over
    without a word.
    """
    folder = settings.vcon_trust_dir
    if settings.vcon_trust and not folder.is_dir():
        raise ConfigurationError(
            f"PARLEY_VCON_TRUST: {folder} is no folder; allowed: one with a folder for each tenant"
        )
    try:
        files = sorted(each for each in (folder / tenant).iterdir() if not each.name.startswith("."))
    except FileNotFoundError:
        return Trust()
    except OSError as error:
        raise ConfigurationError(f"{folder / tenant}: cannot be read ({error.strerror})") from error
    if not files:
        raise ConfigurationError(f"{folder / tenant}: is empty; allowed: {ALLOWED}, or no such folder")
    return _trust(files)


def roots_of(file: Path) -> list[Certificate]:
    """Raises `ConfigurationError`."""
    return _loaded(file, load_pem_x509_certificates, "no certificate in PEM")


def _trust(files: list[Path]) -> Trust:
    roots: list[Certificate] = []
    keys: dict[str, PublicKey] = {}
    for file in files:
        if file.suffix == ".crt":
            roots += roots_of(file)
        elif file.suffix == ".pub":
            keys[unquote(file.stem)] = _key(file)
        else:
            raise ConfigurationError(f"{file}: is neither a root nor a key by its name; allowed: {ALLOWED}")
    return Trust(keys, roots)


def _key(file: Path) -> PublicKey:
    key = _loaded(file, load_pem_public_key, "no public key in PEM")
    fits = not isinstance(key, rsa.RSAPublicKey) or RSA_BITS[0] <= key.key_size <= RSA_BITS[1]
    if not is_key(key) or not fits:
        raise ConfigurationError(
            f"{file}: a key that signs no vCon; allowed are RSA keys of {RSA_BITS[0]} to {RSA_BITS[1]} bits, P-256, P-384, P-521, Ed25519 and Ed448"
        )
    return key


def _loaded(file: Path, load: Callable[[bytes], T], nothing: str) -> T:
    try:
        return load(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{file}: holds {nothing}") from error
