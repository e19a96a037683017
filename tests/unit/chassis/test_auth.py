"""Only tokens of our issuer prove anything, and they prove no more than they say."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.api import auth
from services.chassis.api.auth import Identity, InvalidToken, generate_keys, mint, require, verify
from services.chassis.clock import FixedClock, system_clock
from services.chassis.settings import TokenSettings

KEYS = generate_keys()
SETTINGS = TokenSettings(public_key=KEYS.public)
HOUR = timedelta(hours=1)
WRITER = Identity("acme-case", frozenset({"events:write", "orders:read"}), "S12000033")


def _claims(**changed: object) -> dict[str, Any]:
    claims = {"sub": "acme", "iss": "payback", "aud": "payback", "exp": system_clock() + HOUR, "scope": "orders:read"}
    return {name: value for name, value in (claims | changed).items() if value is not None}


def _signed(**changed: object) -> str:
    return jwt.encode(_claims(**changed), KEYS.private, "EdDSA")


def _unsigned() -> str:
    return jwt.encode(_claims(), "", "none")


def _signed_with_the_public_key_as_a_secret() -> str:
    """The classic confusion: the public key, which everybody has, taken for the secret of an HMAC."""
    parts = [{"alg": "HS256", "typ": "JWT"}, _claims(exp=4_000_000_000)]
    encoded = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = hmac.digest(KEYS.public.encode(), encoded, "sha256")
    return (encoded + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def test_a_token_speaks_for_whom_it_was_made() -> None:
    assert verify(mint(KEYS.private, WRITER, HOUR, system_clock), SETTINGS) == WRITER


def test_a_token_without_authority_speaks_for_none() -> None:
    analyst = Identity("analyst", frozenset({"national:read"}))
    assert verify(mint(KEYS.private, analyst, HOUR, system_clock), SETTINGS) == analyst


def test_scopes_that_nobody_knows_give_nothing() -> None:
    assert verify(_signed(scope="orders:read everything"), SETTINGS).scopes == {"orders:read"}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: _signed(exp=system_clock() - HOUR), "has expired"),
        (lambda: _signed(nbf=system_clock() + HOUR), "not valid yet"),
        (lambda: _signed(iss="elsewhere"), "another issuer"),
        (lambda: _signed(aud="elsewhere"), "another audience"),
        (lambda: _signed(exp=None), "lacks the claim exp"),
        (lambda: _signed(sub=None), "lacks the claim sub"),
        (lambda: _signed(iss=None), "lacks the claim iss"),
        (lambda: _signed(aud=None), "lacks the claim aud"),
        (lambda: _signed(scope=["orders:read"]), "not text"),
        (lambda: _signed(authority=12), "not text"),
        (lambda: jwt.encode(_claims(), Ed25519PrivateKey.generate(), "EdDSA"), "another key"),
        (_unsigned, "not signed with EdDSA"),
        (_signed_with_the_public_key_as_a_secret, "not signed with EdDSA"),
        (lambda: "not.a.token", "cannot be read"),
        (lambda: "", "cannot be read"),
    ],
)
def test_other_tokens_prove_nothing(make: Callable[[], str], reason: str) -> None:
    with pytest.raises(InvalidToken, match=reason):
        verify(make(), SETTINGS)


def test_a_minted_token_expires() -> None:
    yesterday = FixedClock(datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(InvalidToken, match="has expired"):
        verify(mint(KEYS.private, WRITER, HOUR, yesterday), SETTINGS)


def test_what_was_believed_once_is_not_believed_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    token, clock = mint(KEYS.private, WRITER, HOUR, system_clock), FixedClock(system_clock())
    monkeypatch.setattr(auth, "system_clock", clock)
    assert verify(token, SETTINGS) == verify(token, SETTINGS) == WRITER
    clock.move(HOUR + auth.LEEWAY)
    with pytest.raises(InvalidToken, match="has expired"):
        verify(token, SETTINGS)


def test_what_was_believed_once_is_not_believed_with_other_keys_or_another_audience() -> None:
    token = mint(KEYS.private, WRITER, HOUR, system_clock)
    assert verify(token, SETTINGS) == WRITER
    for other in (TokenSettings(public_key=generate_keys().public), SETTINGS.model_copy(update={"audience": "other"})):
        with pytest.raises(InvalidToken):
            verify(token, other)


def test_while_keys_change_both_are_believed() -> None:
    new = generate_keys()
    both = TokenSettings(public_key=KEYS.public + new.public)
    for keys in (KEYS, new):
        assert verify(mint(keys.private, WRITER, HOUR, system_clock), both) == WRITER
    with pytest.raises(InvalidToken, match="another key"):
        verify(mint(generate_keys().private, WRITER, HOUR, system_clock), both)


@pytest.mark.parametrize(
    ("identity", "audience"),
    [
        (Identity(""), "public"),
        (Identity("someone", frozenset({"operations"})), "public"),
        (WRITER, "authority"),
        (Identity("analyst", frozenset({"national:read"})), "national"),
    ],
)
def test_what_a_caller_may_see_follows_from_scope_and_authority(identity: Identity, audience: str) -> None:
    assert identity.audience == audience


def test_a_scope_that_nobody_knows_cannot_be_required() -> None:
    with pytest.raises(ValueError, match="nobody knows"):
        require("orders:write")
