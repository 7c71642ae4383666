"""Keys and digests that the doors make of the platform's own secret."""

import hashlib
import hmac


def derive_key(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, so that a signature made for one never counts for another."""
    return hmac.digest(secret, purpose.encode(), "sha256")


def text_digest(key: bytes, conversation_id: str, text: str) -> str:
    """A keyed digest of a (masked) text: tells whether a repeated client's id came with the same words, and no more."""
    return hmac.new(key, f"{conversation_id}\x1f{text}".encode(), hashlib.sha256).hexdigest()
