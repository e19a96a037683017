"""Figures that published tables have come out as these have them."""

import re
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from services.chassis.clock import FixedClock
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW, FIFE, SCOTLAND = "S12000049", "S12000047", "S92000003"
Headers = dict[str, str]


def rows(client: TestClient, indicator: str, headers: Headers | None, **asked: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/indicators/{indicator}/data", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_the_completion_rate_is_the_published_one_of_both_series(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    ended = {"": 2616, "end_reason=completed": 1744, "end_reason=early_discharge": 57}
    ended |= {"end_reason=transferred_out": 112, "end_reason=died": 31, "end_reason=revoked_review": 672}
    feed([position(GLASGOW), *(cell("orders_ended", GLASGOW, "2026-03", category, n) for category, n in ended.items())])
    asked = {"from": "2026-03", "to": "2026-03"}
    (since,) = rows(client, "completion_rate", national, **asked)
    (until,) = rows(client, "completion_rate_of_all_ended", national, **asked)
    assert (round(since["value"], 1), since["denominator"]) == (71.9, 2504)
    assert (round(until["value"], 1), until["denominator"]) == (68.8, 2616)
    for indicator in INDICATORS.values():
        if indicator.numerator == INDICATORS["completion_rate"].numerator:
            assert indicator.id in {"completion_rate", "completion_rate_of_all_ended"}, "no variant without deaths"


def test_mean_days_to_complete_are_told_by_level(client: TestClient, national: Headers, feed: Feed) -> None:
    days, done = {"": 20500, "level=1": 7850, "level=2": 12650}, {"class=late": 100, "level=1": 50, "level=2": 50}
    feed([position(GLASGOW)])
    feed([cell("unpaid_work_days", GLASGOW, "2026-03", category, n) for category, n in days.items()])
    feed([cell("unpaid_work_completed", GLASGOW, "2026-03", category, n) for category, n in done.items()])
    asked = {"from": "2026-03", "to": "2026-03"}
    assert [row["value"] for row in rows(client, "unpaid_work_days_mean", national, **asked)] == [205]
    by_level = rows(client, "unpaid_work_days_mean", national, by="level", **asked)
    assert {row["category"]: row["value"] for row in by_level} == {"level=1": 157, "level=2": 253}


@pytest.fixture
def people(feed: Feed) -> None:
    """Store people of whom one had orders in April and in June, so that months add up to more than the year."""
    feed([position(code, service=service) for code in (GLASGOW, FIFE) for service in ("orders", "unpaid_work")])
    for code, year in ((GLASGOW, 90), (FIFE, 20)):
        feed([cell("persons_with_new_order", code, month, "", year // 2 + 1) for month in ("2025-04", "2025-06")])
        feed([cell("orders_imposed", code, month, "", year // 2 + 6) for month in ("2025-04", "2025-06")])
        feed([cell("persons_with_new_order_in_year", code, "2025-04-01", "", year)])
        feed([cell("persons_with_new_order_in_year", code, "2026-04-01", "", 7)])


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("first", "last", "by", "expected"),
    [
        ("2025-04", "2026-03", "", {"2025-26": 110}),
        ("2025-06", "2025-06", "month", {"2025-26": 110}),
        ("2025-12", "2026-05", "quarter", {"2025-26": 110, "2026-27": 14}),
        ("2025-04", "2026-05", "", {"2025-26": 110, "2026-27": 14}),
    ],
)
def test_people_in_a_year_are_told_by_years_and_never_added_up(
    client: TestClient, national: Headers, first: str, last: str, by: str, expected: dict[str, int]
) -> None:
    found = rows(client, "persons_with_new_order_in_year", national, by=by, **{"from": first, "to": last})
    assert {row["period"]: row["value"] for row in found} == expected
    assert [row["partial"] for row in found] == [False, True][: len(found)]


@pytest.mark.usefixtures("people")
def test_the_public_is_told_of_people_in_whole_years_only(client: TestClient, database: Engine) -> None:
    clock = FixedClock(NOW)
    name = publication.make(database, date(2026, 4, 1), date(2026, 5, 9), clock)
    publication.publish(database, name, clock)
    asked = {"from": "2025-04", "to": "2026-04", "by": "authority"}
    found = {
        (row["authority"], row["period"]): row["value"]
        for row in rows(client, "persons_with_new_order_in_year", None, **asked)
        if row["numerator"] is not None or row["suppressed"]
    }
    assert found[SCOTLAND, "2025-26"] == 110
    assert (found[GLASGOW, "2025-26"], found[FIFE, "2025-26"]) == (90, 20)
    assert (found[SCOTLAND, "2026-27"], found[GLASGOW, "2026-27"]) == (None, None)


@pytest.mark.usefixtures("people")
def test_pages_tell_of_the_last_year_that_is_over_and_of_which(client: TestClient, database: Engine) -> None:
    """A release ends in most months within a year, and would else show none for ever."""
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, date(2026, 4, 1), date(2026, 5, 9), clock), clock)
    for path in ("/indicators?q=in+a+year", "/indicators/persons_with_new_order_in_year"):
        said = re.sub(r"<[^>]+>|\s+", " ", client.get(path).text.split("<main")[1])
        assert re.search(r"\b110 +2025-26\b", said), path


def test_few_people_in_a_year_are_not_told(client: TestClient, feed: Feed, database: Engine) -> None:
    feed([position(code, service=service) for code in (GLASGOW, FIFE) for service in ("orders", "unpaid_work")])
    for code, count in ((GLASGOW, 90), (FIFE, 3)):
        feed([cell("orders_imposed", code, "2025-06", "", 100), cell("orders_imposed", code, "2026-03", "", 100)])
        feed([cell("persons_with_new_order_in_year", code, "2025-04-01", "", count)])
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, date(2026, 3, 1), date(2026, 5, 9), clock), clock)
    asked = {"from": "2025-04", "to": "2026-03", "by": "authority"}
    found = {row["authority"]: row for row in rows(client, "persons_with_new_order_in_year", None, **asked)}
    assert (found[FIFE]["suppressed"], found[FIFE]["why"]) == (True, "small number")
    assert found[GLASGOW]["numerator"] == 90
    assert found[SCOTLAND]["numerator"] in {90, 95}, "Scotland less the others tells no more"


def test_rates_of_the_population_are_those_of_a_year(client: TestClient, national: Headers, feed: Feed) -> None:
    months = [f"2025-{month:02}" for month in range(4, 13)] + ["2026-01", "2026-02", "2026-03"]
    feed([position(GLASGOW), *(cell("orders_imposed", GLASGOW, month, "", 100) for month in months)])

    def rate(**asked: str) -> set[float]:
        return {row["value"] for row in rows(client, "orders_imposed_per_10000", national, authority=GLASGOW, **asked)}

    year = rate(**{"from": "2025-04", "to": "2026-03"})
    assert len(year) == 1
    for by in ("month", "quarter", "year"):
        assert rate(by=by, **{"from": "2025-04", "to": "2026-03"}) == year, by
    (first,) = rows(
        client,
        "orders_imposed_per_10000",
        national,
        definition="1",
        authority=GLASGOW,
        **{"from": "2026-03", "to": "2026-03"},
    )
    assert first["value"] == pytest.approx(next(iter(year)) / 12, abs=0.01)
    assert "a year" in client.get("/v1/indicators/orders_imposed_per_10000").json()["unit"]


def test_who_did_not_report_makes_no_rate_of_the_population_lower(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    months = [f"2025-{month:02}" for month in range(4, 13)] + ["2026-01", "2026-02", "2026-03"]
    feed([position(GLASGOW), *(cell("orders_imposed", GLASGOW, month, "", 100) for month in months)])
    asked = {"by": "authority", "from": "2025-04", "to": "2026-03"}
    found = {row["authority"]: row for row in rows(client, "orders_imposed_per_10000", national, **asked)}
    assert found[SCOTLAND]["value"] == found[GLASGOW]["value"] > 20
    assert found[SCOTLAND]["denominator"] == found[GLASGOW]["denominator"] > 0
    assert found[FIFE]["value"] is None
    earlier = {
        row["authority"]: row for row in rows(client, "orders_imposed_per_10000", national, definition="2", **asked)
    }
    assert earlier[SCOTLAND]["value"] < earlier[GLASGOW]["value"] / 5, "as releases before were published"


def test_all_periods_of_an_answer_are_named_alike(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), *(cell("orders_imposed", GLASGOW, month, "", 10) for month in ("2025-06", "2026-04"))])
    found = rows(client, "orders_imposed", national, by="year", **{"from": "2025-06", "to": "2026-04"})
    assert [(row["period"], row["value"], row["partial"]) for row in found] == [
        ("2025-26", 10, True),
        ("2026-27", 10, True),
    ]
