"""That an authority told anything of a month is public only where anything is published of it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.categories import DELAY_BANDS, of
from services.chassis.api.auth import Identity
from services.chassis.clock import FixedClock
from services.reporting.disclosure.rounding import CellKey, rounded
from services.reporting.figures import answers, quality
from services.reporting.figures.answers import Enquiry, Question
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW = "S12000049"
DATA = "/v1/indicators/orders_imposed/data"
MONTHS = "from=2019-10&to=2020-03&by=authority,month"


def all_but_the_first_month(*arguments: Any) -> Mapping[CellKey, int]:
    """Return rounded cells as a key may have them by which two orders are published as none."""
    return {key: value for key, value in rounded(*arguments).items() if key.period > date(2019, 11, 1)}


@pytest.fixture
def told_late(feed_only: Feed, database: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a release that publishes nothing of two orders of November 2019: reports began in 2020, and told of these late."""
    cells = [cell("events", GLASGOW, "2020-01", "outcome=applied", 42, "2026-05-01")]
    for month, orders in (("2019-11", 2), ("2020-02", 40)):
        cells += [cell(measure, GLASGOW, month, "", orders) for measure in ("orders_opened", "orders_imposed")]
        cells.append(cell("reporting_delay", GLASGOW, month, of("delay_band", DELAY_BANDS)[-1], orders))
    feed_only([*cells, position(GLASGOW)])
    monkeypatch.setattr(publication, "rounded", all_but_the_first_month)
    clock = FixedClock(NOW)
    name = publication.make(database, date(2020, 3, 1), NOW.date() - timedelta(days=1), clock)
    publication.publish(database, name, clock)
    return name


def test_a_month_of_which_something_small_was_told_reads_like_one_of_which_nothing_was(
    told_late: str, client: TestClient, national: dict[str, str]
) -> None:
    public, whole = (
        {
            row["period"]: row
            for row in client.get(f"{DATA}?{MONTHS}&release={told_late}", headers=who).json()["rows"]
            if row["authority"] == GLASGOW
        }
        for who in ({}, national)
    )
    assert whole["2019-11"]["numerator"] == 2
    assert public["2019-11"] == public["2019-10"] | {"period": "2019-11"}
    assert public["2020-02"]["why"] == "not published for so short a period"


def test_nor_is_it_said_who_is_lacking(told_late: str, client: TestClient) -> None:
    quality = client.get(f"{DATA}?{MONTHS}&release={told_late}").json()["quality"]
    by_period = {each["period"]: each["authorities"] for each in quality["lacking"]}
    assert by_period["2019-11"] == by_period["2019-10"]


@pytest.mark.usefixtures("told_late")
def test_an_authority_is_not_said_to_lack_what_it_sees_of_itself(database: Engine) -> None:
    """Above its own figures of a month of which the release has nothing; of Scotland it sees what is published."""
    manager, month = Identity("manager", frozenset({"orders:read"}), GLASGOW), date(2019, 11, 1)
    with database.connect() as connection:
        enquiry = Enquiry(connection, manager, NOW.date())
        for area, lacks in ((GLASGOW, False), ("S92000003", True)):
            answer = answers.answer(enquiry, INDICATORS["orders_imposed"], Question(month, month, area=area))
            named = {code for each in quality.lacking(enquiry, answer) for code in each.authorities}
            assert (GLASGOW in named) is lacks
