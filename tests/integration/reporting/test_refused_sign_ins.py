"""Entries that anybody can have put on record, or say of a session, are bounded: no sign-in is needed for them."""

from base64 import b64encode
from typing import NoReturn

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select, text

from services.chassis.api.auth import Keys
from services.chassis.api.issuer_keys import PublishedKeys
from services.chassis.clock import FixedClock
from services.chassis.guarding.guessing import MOST_WRONG
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, OidcSettings, SiteSettings, TokenSettings
from services.chassis.web import oidc
from services.reporting.app import build
from services.reporting.read.tables import sessions
from services.reporting.settings import ApiSettings
from tests.integration.reporting.conftest import NOW
from tests.support.asking import InThisThread, in_one_minute

PROVIDER = OidcSettings(
    issuer="https://provider.example", client_id="figures", client_secret="secret", address="https://figures.example"
)
ON_RECORD = "SELECT count(*) FROM reporting_audit.audit_entries WHERE what = 'sign in refused'"


async def known(_: object) -> oidc._Provider:
    """Return what would be known of a provider that is away."""
    address = "https://provider.example/"
    return oidc._Provider(address, address, PublishedKeys(address), names_itself=False)


@pytest.fixture
def signing_in(
    database_settings: DatabaseSettings, database: Engine, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    monkeypatch.setattr(oidc.SignIn, "_provider", known)
    settings = ApiSettings(
        database=database_settings,
        tokens=TokenSettings(public_key=keys.public, development=True),
        site=SiteSettings(insecure_cookie=True),
        oidc=PROVIDER,
    )
    app = build(settings, database, new_registry(), FixedClock(NOW))
    in_one_minute(app)
    return InThisThread(app)


def test_so_many_sign_ins_that_fail_are_on_record_and_no_more(signing_in: TestClient, database: Engine) -> None:
    address = "/sign-in/done?error=access_denied&state=guessed"
    statuses = [signing_in.get(address).status_code for _ in range(3 * MOST_WRONG)]
    assert statuses == [403] * MOST_WRONG + [429] * 2 * MOST_WRONG
    with database.connect() as connection:
        assert connection.scalar(text(ON_RECORD)) == MOST_WRONG


def test_the_provider_is_not_asked_for_more_sign_ins_than_may_fail(
    signing_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can make up a secret with its state, and have us ask: the provider might shut us out, and with us everybody."""
    asked: list[str] = []

    async def refuses(_: object, __: object, ___: str, code: str) -> NoReturn:
        asked.append(code)
        raise oidc.NotSignedIn("The provider does not accept this sign-in. Start again.")

    monkeypatch.setattr(oidc.SignIn, "_tokens", refuses)
    cookie = {"Cookie": "payback_signing_in=made-up"}
    address = f"/sign-in/done?code=guessed&state={oidc._made('made-up', 'state')}"
    statuses = [signing_in.get(address, headers=cookie).status_code for _ in range(3 * MOST_WRONG)]
    assert statuses == [403] * MOST_WRONG + [429] * 2 * MOST_WRONG
    assert len(asked) == MOST_WRONG


def test_nobody_takes_over_a_session_that_is_there(
    client: TestClient, database: Engine, national: dict[str, str], glasgow: dict[str, str]
) -> None:
    """Nor is it a fault of ours to say twice that one began."""
    told = {"handle": "a" * 64, "site": "Desk", "browser": "Firefox"}
    for who, sealed in ((national, b"first"), (national, b"again"), (glasgow, b"another")):
        body = told | {"sealed": b64encode(sealed).decode()}
        assert client.post("/v1/sessions", json=body, headers=who).status_code == 204
    assert client.get("/v1/session", headers={"Payback-Session": "a" * 64}).content == b"first"
    with database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(sessions)) == 1
