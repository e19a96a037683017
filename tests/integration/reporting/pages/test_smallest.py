"""Rounding protects the smallest authorities, and each still has a page that says something."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import get_args

import pytest
from fastapi.testclient import TestClient

from contracts.authorities import AUTHORITIES
from contracts.cells import Service
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings
from services.reporting.app import build
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.reporting.conftest import NOW, position, taken
from tests.support.asking import UNLIMITED, InThisThread
from tests.support.generated.openapi import TOKENS, nowhere
from tests.support.made.released_monthly import cells_of
from tests.unit.reporting.disclosure.test_budget import SMALLEST

FIRST, MONTHS, LAST = date(2024, 4, 1), 24, date(2026, 3, 1)
GLASGOW = "S12000049"


@pytest.fixture(scope="module")
def released(migrated: Callable[[], str]) -> Iterator[TestClient]:
    """Yield two years of the smallest three authorities and of the largest."""
    database = engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA))
    shown = [position(code, service=each) for code in (*SMALLEST, GLASGOW) for each in get_args(Service)]
    cells = [cell for cell in cells_of(3, FIRST, MONTHS, len(AUTHORITIES)) if cell.authority in {*SMALLEST, GLASGOW}]
    with transaction(database) as connection:
        write(connection, fold([*cells, *(heard for each in shown for heard in taken(each)), *shown]))
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, LAST, NOW.date() - timedelta(days=1), clock), clock)
    told = ApiSettings(
        database=nowhere(SCHEMA), tokens=TOKENS, http=UNLIMITED, site=SiteSettings(simulated=True, insecure_cookie=True)
    )
    yield InThisThread(build(told, database, new_registry(), FixedClock(NOW)))
    database.dispose()


@pytest.mark.parametrize("code", SMALLEST)
def test_the_smallest_have_a_page_that_says_something(released: TestClient, code: str) -> None:
    page = released.get(f"/authorities/{code}?period=year-2025-26").raise_for_status().text
    compared = re.search(rf"Of the (\d+) standards on which {AUTHORITIES[code].name} can be compared", page)
    assert compared
    assert int(compared[1]) >= 5
    standards = page.split('id="standards"')[1].split("</table>")[0]
    shown = re.findall(r"<strong>([^<]+)</strong>", standards)
    assert sum(each.endswith("%") for each in shown) > len(shown) / 2
    orders = re.search(r">Orders imposed</a>.*?pb_strong\">([^<]+)", page, re.DOTALL)
    assert orders
    assert int(orders[1]) % 5 == 0
    assert "too few cases to tell of any standard" not in page, "years are set side by side where quarters tell nothing"


def test_a_column_of_which_nothing_is_known_is_left_out(released: TestClient) -> None:
    """Whatever period is chosen: of the first year there is no year before."""
    periods = re.findall(r'<option value="([^"]+)"', released.get("/indicators").text)
    told = set()
    for period in periods:
        page = released.get(f"/indicators?period={period}").raise_for_status().text
        cells = re.findall(r'<td data-label="Since a year before">(.*?)</td>', page)
        assert ("Since a year before</th>" in page) == any(cells)
        told.add(any(cells))
    assert told == {True, False}
