"""Views of national viewers, and sign-ins, are on record before they are answered; nothing is shown that cannot be recorded."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from services.chassis.audit import store
from services.chassis.audit.model import WHOLE_SERVICE, Entry, Kept, Kind, Purpose
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, TokenSettings
from services.operations.rights.audit import wrong
from services.reporting.app import build
from services.reporting.policies import POLICIES
from services.reporting.settings import ApiSettings
from tests.integration.reporting.conftest import NOW
from tests.support.asking import InThisThread
from tests.support.desk import keys, token

NATIONAL = token(None, "national:read")


@pytest.fixture
def asked(database_settings: DatabaseSettings, database: Engine) -> Iterator[TestClient]:
    settings = ApiSettings(database=database_settings, tokens=TokenSettings(public_key=keys().public))
    with TestClient(build(settings, database, new_registry(), FixedClock(NOW))) as client:
        yield client


def entries(database: Engine) -> list[Kept]:
    with transaction(database) as connection:
        assert list(wrong(connection, {})) == []
        return store.search(connection, WHOLE_SERVICE, store.Question(), 1000)


def test_every_figure_that_national_viewers_are_shown_is_on_record(asked: TestClient, database: Engine) -> None:
    addresses = [name.removeprefix("GET ") for name in POLICIES if name.startswith("GET /v1/") and "{" not in name]
    seen = 0
    for address in addresses:
        if address == "/v1/stream":
            continue
        answer = asked.get(address, headers={**NATIONAL, "Payback-Purpose": "statistics"})
        on_record = entries(database)
        if answer.status_code == 200 and not address.startswith("/v1/session"):
            seen += 1
            entry = on_record[0].entry
            assert (entry.what, entry.who, entry.role) == (f"GET {address}", "somebody", "statistician")
            assert entry.purpose == "statistics"
        assert len(on_record) == seen, address
    assert seen >= 5
    asked.get("/v1/indicators/orders_imposed", headers=NATIONAL)
    assert entries(database)[0].entry.detail == {"id": "orders_imposed"}


def test_looks_of_the_public_and_of_authorities_are_not(asked: TestClient, database: Engine) -> None:
    for headers in ({}, token("S12000036", "orders:read")):
        assert asked.get("/v1/indicators", headers=headers).status_code == 200
    assert entries(database) == []


def test_what_cannot_be_put_on_record_is_not_shown(database_settings: DatabaseSettings, database: Engine) -> None:
    hurried = engine(database_settings.model_copy(update={"statement_timeout_seconds": 0.5}))
    settings = ApiSettings(database=database_settings, tokens=TokenSettings(public_key=keys().public))
    asked = InThisThread(build(settings, hurried, new_registry(), FixedClock(NOW)))
    with transaction(database) as connection:
        store.append(connection, Entry(WHOLE_SERVICE, NOW, "x", "", "x", Purpose.OPERATION, Kind.ACT, "x", None))
        withheld = asked.get("/v1/indicators", headers=NATIONAL)
    assert withheld.status_code == 503
    assert "orders_imposed" not in withheld.text
    assert asked.get("/v1/indicators", headers=NATIONAL).status_code == 200
    hurried.dispose()
