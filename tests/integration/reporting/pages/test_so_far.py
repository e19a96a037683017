"""The current month of an authority: for those who see it live, marked as provisional, and for nobody else."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.periods import month_of
from services.chassis.api.auth import COOKIE
from tests.integration.reporting.conftest import NOW, cell
from tests.integration.reporting.nation import CODES, database_settings, published, released_nation, write_all

__all__ = ["database_settings", "published", "released_nation"]

MONTH = f"{month_of(NOW.date()):%Y-%m}"
Headers = dict[str, str]


@pytest.fixture
def told_since(published: TestClient, database: Engine) -> TestClient:
    now = [cell("orders_imposed", code, MONTH, "", 6781, known_on=f"{NOW.date()}", version=2) for code in CODES]
    taken = [cell("events", code, MONTH, "outcome=applied", 9, known_on=f"{NOW.date()}", version=2) for code in CODES]
    write_all(database, [*now, *taken], version=2)
    return published


def table(page: str) -> str:
    found = re.search(r'id="so-far".*?</table>', page, re.DOTALL)
    return found.group() if found else ""


def test_who_sees_it_live_sees_the_month_so_far(told_since: TestClient, national: Headers) -> None:
    signed_in(told_since, national)
    told = table(told_since.get(f"/authorities/{CODES[0]}").text)
    assert "May 2026 so far" in told
    assert "6,781" in told
    assert "Provisional" in told


def test_the_public_and_other_authorities_do_not(told_since: TestClient, glasgow: Headers) -> None:
    assert "so far" not in told_since.get(f"/authorities/{CODES[0]}").text
    signed_in(told_since, glasgow)
    page = told_since.get(f"/authorities/{CODES[0]}").text
    assert "so far" not in page
    assert "6,781" not in page


def test_a_release_that_is_read_through_has_none(told_since: TestClient, national: Headers) -> None:
    signed_in(told_since, national)
    assert not table(told_since.get(f"/releases/2026-03.1/authorities/{CODES[0]}").text)


def signed_in(client: TestClient, headers: Headers) -> None:
    client.cookies.set(COOKIE, headers["authorization"].removeprefix("Bearer "))
