"""Pages name and count the authorities that there were in the period they show: one that has ended is not missed afterwards."""

from datetime import date

import pytest
from fastapi.testclient import TestClient
from msgspec import structs
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from services.reporting.pages.content.tiles import placed
from tests.integration.reporting.nation import CODES, FIRST, MANY, MONTHS, release, write_all
from tests.support.made.released_monthly import cells_of

ENDED = AUTHORITIES[CODES[2]]
LAST_DAY = date(2025, 8, 31)
BEFORE, AFTER = "month-2025-08", "month-2026-02"
PAGES = ("/", "/authorities", "/indicators/placement_within_7", "/compare/placement_within_7")


@pytest.fixture
def site(database: Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return a site on which one of the authorities ended while figures were collected."""
    monkeypatch.setitem(AUTHORITIES, ENDED.code, structs.replace(ENDED, last_day=LAST_DAY))
    write_all(database, cells_of(3, FIRST, MONTHS, MANY), version=1)
    release(database)
    return client


def main_of(client: TestClient, path: str, period: str) -> str:
    return client.get(path, params={"period": period}).text.split("<main")[1].split("</main>")[0]


def test_who_has_ended_is_on_pages_of_its_time_only(site: TestClient) -> None:
    for path in PAGES:
        assert f"/authorities/{ENDED.code}" in main_of(site, path, BEFORE), path
        assert f"/authorities/{ENDED.code}" not in main_of(site, path, AFTER), path
    assert "The 32 authorities" in main_of(site, "/", BEFORE)
    assert "The 31 authorities" in main_of(site, "/", AFTER)


def test_the_number_is_that_of_the_time(site: TestClient) -> None:
    assert "Among the 32" in main_of(site, f"/authorities/{CODES[0]}", BEFORE)
    assert "Among the 31" in main_of(site, f"/authorities/{CODES[0]}", AFTER)
    assert "The 31 authorities" in main_of(site, "/authorities", AFTER)
    assert "each of the 31 local authorities" in site.get("/about").text
    name = site.get("/v1/releases").json()["releases"][0]["id"]
    assert "reported by the 31 local authorities" in site.get(f"/releases/{name}").text


def test_nobody_is_set_beside_one_that_has_ended(site: TestClient) -> None:
    assert f'value="{ENDED.code}"' in main_of(site, f"/authorities/{CODES[0]}", BEFORE)
    assert f'value="{ENDED.code}"' not in main_of(site, f"/authorities/{CODES[0]}", AFTER)


def test_one_that_was_added_has_a_tile_below_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    new = structs.replace(ENDED, code="S12000099", first_name="Westmarch")
    monkeypatch.setitem(AUTHORITIES, new.code, new)
    *known, added = placed([*AUTHORITIES])
    assert len(known) == 32
    assert (added.code, added.short, added.column) == (new.code, "WES", 0)
    assert added.row > max(each.row for each in known)
    assert placed([CODES[0]]) == [each for each in known if each.code == CODES[0]]
