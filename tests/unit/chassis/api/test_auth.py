"""Only tokens of our issuer prove anything, and they prove no more than they say."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import APIRouter
from fastapi.testclient import TestClient
from jwt.algorithms import OKPAlgorithm

from services.chassis.api import auth, issuer_keys
from services.chassis.api.auth import Identity, InvalidToken, Keys, generate_keys, mint, verify
from services.chassis.api.http import application
from services.chassis.api.policy import Policy
from services.chassis.clock import FixedClock, system_clock
from services.chassis.metrics import new_registry
from services.chassis.settings import HttpSettings, TokenSettings

KEYS = generate_keys()
SETTINGS = TokenSettings(public_key=KEYS.public)
HOUR = timedelta(hours=1)
WRITER = Identity("acme-case", frozenset({"events:write", "orders:read"}), "S12000033", "Case system of Acme")


def _claims(**changed: object) -> dict[str, Any]:
    now = system_clock()
    claims = {"sub": "acme", "iss": "payback", "aud": "payback", "iat": now, "exp": now + HOUR, "scope": "orders:read"}
    return {name: value for name, value in (claims | changed).items() if value is not None}


def _signed(**changed: object) -> str:
    return jwt.encode(_claims(**changed), KEYS.private, "EdDSA")


def _unsigned() -> str:
    return jwt.encode(_claims(), "", "none")


def _signed_with_the_public_key_as_a_secret() -> str:
    """Return a token of the classic confusion: the public key, which everybody has, taken for the secret of an HMAC."""
    parts = [{"alg": "HS256", "typ": "JWT"}, _claims(iat=1_000_000_000, exp=4_000_000_000)]
    encoded = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = hmac.digest(KEYS.public.encode(), encoded, "sha256")
    return (encoded + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def test_a_token_speaks_for_whom_it_was_made() -> None:
    assert verify(mint(KEYS.private, WRITER, HOUR, system_clock), SETTINGS) == WRITER


def test_a_token_without_authority_speaks_for_none() -> None:
    analyst = Identity("analyst", frozenset({"national:read"}))
    assert verify(mint(KEYS.private, analyst, HOUR, system_clock), SETTINGS) == analyst


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Morag MacLeod", "Morag MacLeod"),
        (" Morag ", "Morag"),
        ("", "acme"),
        (None, "acme"),
        (7, "acme"),
        ("a\nb", "acme"),
        ("x" * 201, "acme"),
    ],
)
def test_a_name_is_only_shown(name: object, called: str) -> None:
    identity = verify(_signed(name=name), SETTINGS)
    assert (identity.called, identity.subject) == (called, "acme")


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


def test_an_authority_is_meant_by_the_code_that_it_had_before_and_by_no_other() -> None:
    assert verify(_signed(authority="S12000024"), SETTINGS).authority == "S12000048"
    assert verify(_signed(authority="S99999999"), SETTINGS).authority is None


def test_a_token_says_when_it_was_made_and_lasts_no_longer_than_tokens_may() -> None:
    with pytest.raises(InvalidToken, match="iat"):
        verify(_signed(iat=None), SETTINGS)
    a_day = TokenSettings(public_key=KEYS.public, longest_hours=24)
    for settings, hours in ((a_day, 24), (SETTINGS, 366 * 24)):
        verify(mint(KEYS.private, WRITER, timedelta(hours=hours), system_clock), settings)
        with pytest.raises(InvalidToken, match=f"longer than {hours} hours"):
            verify(mint(KEYS.private, WRITER, timedelta(hours=hours + 1), system_clock), settings)


def test_a_token_that_was_withdrawn_is_believed_no_more(tmp_path: Path) -> None:
    denied = tmp_path / "denied"
    denied.write_text("another\n")
    settings = TokenSettings(public_key=KEYS.public, denied_path=denied)
    token = mint(KEYS.private, WRITER, HOUR, system_clock)
    assert verify(token, settings) == WRITER
    denied.write_text(f"another\n{jwt.decode(token, options={'verify_signature': False})['jti']}\n")
    with pytest.raises(InvalidToken, match="withdrawn"):
        verify(token, settings)
    assert verify(mint(KEYS.private, WRITER, HOUR, system_clock), settings) == WRITER
    with pytest.raises(InvalidToken, match="withdrawn"):  # it could not be
        verify(_signed(), settings)
    denied.unlink()
    with pytest.raises(InvalidToken, match="cannot be read"):
        verify(token, settings)


def _public(pair: Keys) -> Ed25519PublicKey:
    key = load_pem_public_key(pair.public.encode())
    assert isinstance(key, Ed25519PublicKey)
    return key


class Issuer:
    """An issuer that publishes its keys, on a real port."""

    def __init__(self) -> None:
        self.keys: dict[str, Keys] = {}
        self.asked, self.pause = 0, 0.0
        self.others: Sequence[object] = ()
        issuer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                time.sleep(issuer.pause)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(issuer.published())

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def published(self) -> bytes:
        listed = [
            {**OKPAlgorithm.to_jwk(_public(pair), as_dict=True), "kid": name, "use": "sig"}
            for name, pair in self.keys.items()
        ]
        secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}
        return json.dumps({"keys": [*listed, *self.others, secret]}).encode()

    def sign(self, name: str) -> str:
        return jwt.encode(_claims(), self.keys[name].private, "EdDSA", headers={"kid": name})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with made.server:
        serving = Thread(target=made.server.serve_forever, args=(0.01,))
        serving.start()
        yield made
        made.server.shutdown()
        serving.join()


def test_keys_that_the_issuer_publishes_change_without_a_restart(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "AGAIN_SECONDS", 0.0)
    settings = TokenSettings(jwks_url=issuer.url)
    issuer.keys["old"] = generate_keys()
    token = issuer.sign("old")
    assert verify(token, settings).subject == "acme"
    asked = issuer.asked
    assert verify(token, settings).subject == "acme"
    assert issuer.asked == asked, "the keys are remembered"
    issuer.keys["new"] = generate_keys()
    assert verify(issuer.sign("new"), settings).subject == "acme"
    del issuer.keys["old"]
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", -1.0)
    with pytest.raises(InvalidToken):
        verify(token, settings)


def test_unknown_keys_do_not_make_us_ask_the_issuer_again_and_again(issuer: Issuer) -> None:
    settings = TokenSettings(jwks_url=issuer.url)
    issuer.keys["one"] = generate_keys()
    assert verify(issuer.sign("one"), settings).subject == "acme"
    for number in range(20):
        stranger = jwt.encode(_claims(), generate_keys().private, "EdDSA", headers={"kid": f"{number}"})
        with pytest.raises(InvalidToken):
            verify(stranger, settings)
    assert issuer.asked == 1


def test_a_secret_that_the_issuer_publishes_by_mistake_signs_nothing(issuer: Issuer) -> None:
    settings = TokenSettings(jwks_url=issuer.url)
    forged = jwt.encode(_claims(), "secretsecretsecretsecretsecretse", "HS256", headers={"kid": "secret"})
    with pytest.raises(InvalidToken):
        verify(forged, settings)


def test_while_the_issuer_is_away_the_last_keys_hold(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer_keys, "AGAIN_SECONDS", 0.0)
    settings = TokenSettings(jwks_url=issuer.url)
    issuer.keys["one"] = generate_keys()
    assert verify(issuer.sign("one"), settings).subject == "acme"
    issuer.server.server_close()
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", -1.0)
    assert verify(issuer.sign("one"), settings).subject == "acme"


def test_a_key_that_the_issuer_replaces_under_its_name_is_not_believed_any_more(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "AGAIN_SECONDS", 0.0)
    settings = TokenSettings(jwks_url=issuer.url)
    issuer.keys["one"] = generate_keys()
    stolen = issuer.sign("one")
    assert verify(stolen, settings).subject == "acme"
    issuer.keys["one"] = generate_keys()
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", -1.0)
    assert verify(issuer.sign("one"), settings).subject == "acme"
    with pytest.raises(InvalidToken):
        verify(stolen, settings)


UNUSABLE = [
    {"kty": "OKP", "crv": "X25519", "x": "A" * 43, "kid": "for secrets"},
    {"kty": "RSA", "alg": "RSA-OAEP", "n": "AQAB" * 80, "e": "AQAB", "kid": "for secrets too"},
    {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "of a curve nobody has"},
    {"kty": "OKP", "kid": "half"},
    "no key",
]


def test_a_key_of_no_use_that_the_issuer_publishes_leaves_the_others_as_they_are(issuer: Issuer) -> None:
    settings = TokenSettings(jwks_url=issuer.url)
    issuer.keys["one"], issuer.others = generate_keys(), UNUSABLE
    assert verify(issuer.sign("one"), settings).subject == "acme"


def test_nobody_waits_for_an_issuer_that_hangs(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can name a key that nobody knows. On the loop that answers all, only they wait until the issuer was asked."""
    settings = TokenSettings(jwks_url=issuer.url)
    issuer.keys["one"] = generate_keys()
    known = issuer.sign("one")
    assert verify(known, settings).subject == "acme"
    monkeypatch.setattr(issuer_keys, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", -1.0)
    issuer.pause = 3.0
    stranger = jwt.encode(_claims(), generate_keys().private, "EdDSA", headers={"kid": "two"})

    async def asked() -> float:
        asking = asyncio.create_task(auth.ready_for(stranger, settings))
        await asyncio.sleep(0)
        begun = time.perf_counter()
        await auth.ready_for(known, settings)
        assert verify(known, settings).subject == "acme"
        with pytest.raises(InvalidToken):
            verify(stranger, settings)
        took = time.perf_counter() - begun
        await asking
        return took

    assert asyncio.run(asked()) < issuer_keys.FETCH_SECONDS - 0.5


def test_the_first_request_with_a_new_key_is_answered(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer_keys, "AGAIN_SECONDS", 0.0)
    routes = APIRouter()

    @routes.get("/who")
    async def who(caller: auth.Caller) -> str:
        return caller.subject

    tokens = TokenSettings(jwks_url=issuer.url)
    app = application("who", HttpSettings(port=0), new_registry(), [routes], {"GET /who": Policy()}, tokens=tokens)
    with TestClient(app) as client:
        for name in ("one", "two"):
            issuer.keys[name] = generate_keys()
            token = {"Authorization": f"Bearer {issuer.sign(name)}"}
            assert client.get("/who", headers=token).json() == "acme"
