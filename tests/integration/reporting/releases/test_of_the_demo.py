"""The two releases of the demo: the newer tells what came late for the older."""

from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from deploy.local.demo import publish_two, vintages
from services.chassis.clock import FixedClock
from tests.integration.reporting.conftest import Feed, cell, position

FIFE = "S12000047"
CLOCK = FixedClock(datetime(2026, 5, 10, 9, tzinfo=UTC))
AUGUST, SEPTEMBER, YESTERDAY = date(2026, 8, 1), date(2026, 9, 1), date(2026, 11, 25)


def test_the_newer_release_shows_what_came_between(feed: Feed, database: Engine, client: TestClient) -> None:
    heard = cell("events", FIFE, "2026-02", "outcome=applied", 300, "2026-03-05")
    feed([heard, cell("orders_imposed", FIFE, "2026-02", "", 300, "2026-03-05")])
    feed([cell("orders_imposed", FIFE, "2026-02", "", 340, "2026-04-20", version=2), position(FIFE)])
    names = publish_two(database, date(2025, 5, 1), CLOCK)
    asked = "/v1/indicators/orders_imposed/data?from=2026-02&to=2026-02&release="
    older, newer = (client.get(asked + name).json()["rows"][0]["numerator"] for name in names)
    assert (older, newer) == (300, 340)


@pytest.mark.parametrize("first", [date(2025, 11, 26), date(2026, 8, 31)])
def test_the_older_release_is_as_known_a_month_later(first: date) -> None:
    assert vintages(SEPTEMBER, YESTERDAY, first) == ((AUGUST, date(2026, 9, 30)), (SEPTEMBER, YESTERDAY))


def test_a_short_demo_shows_all_that_it_has() -> None:
    """Of months before the first that was told, nothing had been known a month later."""
    assert vintages(SEPTEMBER, YESTERDAY, date(2026, 10, 26)) == ((AUGUST, YESTERDAY), (SEPTEMBER, YESTERDAY))
