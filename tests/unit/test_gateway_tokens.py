"""Conversation tokens: what is signed comes back, and nothing else passes."""

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.runtime.digests import derive_key, text_digest
from schemas.base import ConversationId, CustomerId, TenantId
from services.gateway.tokens import Grant, TokenRefused, TokenSigner

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GRANT = Grant(
    ConversationId("6b0a4d5e-0f3e-4f57-9d7e-5d0c8a3f2b11"),
    TenantId("bank"),
    CustomerId("0c9c8a57-13c1-4f0e-8f0b-5a4e6d7c8b9a"),
    "web",
    "0123456789ab",
    NOW + timedelta(hours=1),
)
SIGNER = TokenSigner(b"a secret that is long enough to be one")


def test_a_token_says_whose_it_is() -> None:
    assert SIGNER.verify(SIGNER.sign(GRANT), NOW) == GRANT


def test_the_channel_is_part_of_it() -> None:
    api = replace(GRANT, tenant=TenantId("mobile-operator-x"), channel="api")
    assert SIGNER.verify(SIGNER.sign(api), NOW) == api


def test_a_token_is_short_and_safe_in_a_header() -> None:
    token = SIGNER.sign(GRANT)
    assert len(token) < 128
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_it_expires() -> None:
    token = SIGNER.sign(GRANT)
    SIGNER.verify(token, GRANT.expires_at - timedelta(seconds=1))
    with pytest.raises(TokenRefused, match="expired"):
        SIGNER.verify(token, GRANT.expires_at)


def test_another_secret_signs_other_tokens() -> None:
    with pytest.raises(TokenRefused):
        TokenSigner(b"another secret that is long enough too").verify(SIGNER.sign(GRANT), NOW)


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "x" * 300, "é.é", SIGNER.sign(GRANT).replace(".", ""), "..."]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        SIGNER.verify(token, NOW)


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    token = SIGNER.sign(GRANT)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.= ").filter(lambda character: character != token[place]))
    with pytest.raises(TokenRefused):
        SIGNER.verify(token[:place] + other + token[place + 1 :], NOW)


def test_a_token_of_the_layout_before_is_none_of_ours() -> None:
    before = SIGNER.sign(GRANT)
    key = derive_key(b"a secret that is long enough to be one", "conversation-token")
    payload = base64.urlsafe_b64decode(before.partition(".")[0] + "==")
    signature = base64.urlsafe_b64encode(hmac.digest(key, payload, "sha256")).rstrip(b"=").decode()
    with pytest.raises(TokenRefused):
        SIGNER.verify(f"{before.partition('.')[0]}.{signature}", NOW)


def test_purposes_have_keys_of_their_own() -> None:
    assert derive_key(b"secret", "one") != derive_key(b"secret", "other")


def test_a_digest_tells_texts_and_conversations_apart() -> None:
    assert text_digest(b"k", "c1", "text") == text_digest(b"k", "c1", "text")
    assert (
        len({text_digest(k, c, t) for k in (b"k", b"l") for c in ("c1", "c2") for t in ("text", "texts")})
        == 8
    )
