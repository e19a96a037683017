"""Clocks tell the truth about those who still wait: met, of all that fell due, in every format and for every reader."""

import csv
import io
from collections import Counter
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import Engine

from contracts.periods import add_months
from services.chassis.clock import FixedClock
from services.records.model.bank_holidays import scotland
from services.records.model.calendar import Calendar
from services.records.model.counting import merge
from services.records.model.deadlines import Cells, from_imposition
from services.records.model.standards import in_force
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.deadlines import AWAITED, FROM_IMPOSITION
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position
from tests.support.lives import Plain

GLASGOW, FIFE, SCOTLAND = "S12000049", "S12000047", "S92000003"
HERE = "months_before=0"
Headers = dict[str, str]


def data(client: TestClient, indicator: str, headers: Headers | None, **asked: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/indicators/{indicator}/data", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def counts(row: dict[str, Any]) -> tuple[float | None, float | None]:
    return row["numerator"], row["denominator"]


@pytest.fixture
def waiting(feed: Feed) -> None:
    """Store clocks: of March 60 met, 20 late, 8 missed and 12 overdue; of April 40 met, 5 overdue and 9 not due yet."""
    feed([position(code, service=service) for code in (GLASGOW, FIFE) for service in ("orders", "unpaid_work")])
    told = (("2026-03", "band=within_7", 60), ("2026-03", "band=to_1_month", 20), ("2026-03", "missed", 8))
    feed([cell("placement", GLASGOW, month, category, n) for month, category, n in told])
    feed([cell("placement", GLASGOW, "2026-04", "band=within_7", 40)])
    dues = {"2026-03-20": 5, "2026-04-10": 7, "2026-05-08": 5, "2026-05-10": 4, "2026-05-12": 5}
    feed([cell("awaited_placement", GLASGOW, due, f"months_before={due > '2026-04':d}", n) for due, n in dues.items()])
    feed([cell("orders_imposed", GLASGOW, month, "", 100) for month in ("2026-03", "2026-04")])


@pytest.mark.usefixtures("waiting")
def test_the_headline_is_met_of_all_that_fell_due(client: TestClient, national: Headers) -> None:
    march, april = data(client, "placement_within_7", national, by="month", **{"from": "2026-03", "to": "2026-04"})
    assert counts(march) == (60, 100), "what was due on 10 April was imposed on the last day of March"
    assert counts(april) == (40, 45), "on 10 May, what is due that day is not overdue yet"
    assert (march["provisional"], april["provisional"]) == (False, True)
    (whole,) = data(client, "placement_within_7", national, **{"from": "2026-03", "to": "2026-04"})
    assert counts(whole) == (100, 145)
    bands = {
        row["category"]: row["numerator"]
        for row in data(client, "placement_within_7", national, by="band", **{"from": "2026-03", "to": "2026-03"})
    }
    assert (bands["missed"], bands["overdue"], sum(bands.values())) == (8, 12, 100)


@pytest.mark.usefixtures("waiting")
def test_the_published_definition_leaves_out_whoever_waits_and_says_so(client: TestClient, national: Headers) -> None:
    described = client.get("/v1/indicators/placement_within_7").json()
    (row,) = data(client, described["published_as"], national, **{"from": "2026-03", "to": "2026-03"})
    assert counts(row) == (60, 80)
    earlier = data(client, "placement_within_7", national, definition="1", **{"from": "2026-03", "to": "2026-03"})
    assert [counts(each) for each in earlier] == [(60, 80)]


def test_an_authority_that_never_does_it_does_not_look_best(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), position(FIFE)])
    feed(
        [
            cell("placement", GLASGOW, "2026-03", "band=within_7", 1),
            cell("awaited_placement", GLASGOW, "2026-03-20", HERE, 99),
        ]
    )
    feed([cell("placement", FIFE, "2026-03", f"band={band}", 50) for band in ("within_7", "to_1_month")])
    asked = {"from": "2026-03", "to": "2026-03", "by": "authority"}
    rows = {row["authority"]: row["value"] for row in data(client, "placement_within_7", national, **asked)}
    assert (rows[GLASGOW], rows[FIFE]) == (1, 50)
    published = "placement_within_7_of_those_begun"
    rows = {row["authority"]: row["value"] for row in data(client, published, national, **asked)}
    assert (rows[GLASGOW], rows[FIFE]) == (100, 50)


@pytest.mark.usefixtures("waiting")
def test_what_was_overdue_on_a_day_is_told_of_that_day(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([cell("awaited_placement", GLASGOW, "2026-03-20", HERE, 0, "2026-05-09", version=2)])
    feed([cell("placement", GLASGOW, "2026-03", "band=to_2_months", 5, "2026-05-09", version=2)])
    asked = {"from": "2026-03", "to": "2026-03"}
    (now,) = data(client, "placement_within_7", national, **asked)
    assert counts(now) == (60, 100), "done late: it has moved from overdue to late, and stays in the whole"
    (then,) = data(client, "placement_within_7", national, as_of="2026-05-08", **asked)
    assert counts(then) == (60, 100)
    (bands,) = [
        row
        for row in data(client, "placement_within_7", national, by="band", as_of="2026-05-08", **asked)
        if row["category"] == "overdue"
    ]
    assert bands["numerator"] == 12


@pytest.mark.parametrize("measure", sorted(AWAITED))
def test_every_clock_counts_what_is_overdue(client: TestClient, national: Headers, feed: Feed, measure: str) -> None:
    indicator = next(
        each
        for each in INDICATORS.values()
        if each.denominator and each.denominator.measure == measure and "overdue" in each.denominator.categories
    )
    feed([position(GLASGOW), cell(AWAITED[measure], GLASGOW, "2026-03-15", HERE, 7)])
    (row,) = data(client, indicator.id, national, **{"from": "2026-02", "to": "2026-03"})
    assert counts(row) == (0, 7)


LOCAL = scotland().without([date(2026, 2, 2), date(2026, 2, 3), date(2026, 4, 30)], "own closed days")
IMPOSED = (
    *(date(2026, 1, 29), date(2026, 1, 30), date(2026, 1, 31)),  # a Saturday
    *(date(2026, 2, 1), date(2026, 2, 2), date(2026, 3, 31), date(2026, 4, 30)),
)


@pytest.mark.parametrize("calendar", [scotland(), LOCAL], ids=["of Scotland", "with closed days of its own"])
@pytest.mark.parametrize("measure", FROM_IMPOSITION)
def test_what_is_overdue_counts_in_the_month_of_imposition(
    client: TestClient, national: Headers, feed: Feed, measure: str, calendar: Calendar
) -> None:
    """As the service's clock says it, at weekends and with an authority's own closed days; and as many as are listed by day due."""
    cells: Cells = {}
    for imposed in IMPOSED:
        merge(cells, from_imposition(measure, Plain(imposed), None, calendar).cells)
    feed([position(GLASGOW), *(cell(name, GLASGOW, f"{on}", category, n) for (name, on, category), n in cells.items())])
    clock = next(name for name in INDICATORS if name.startswith(f"{measure}_within") and "begun" not in name)
    asked = {"from": "2026-01", "to": "2026-05"}
    rows = data(client, clock, national, by="month", **asked)
    due = {imposed: in_force(measure, imposed).limit.after(imposed, calendar) for imposed in IMPOSED}
    late = Counter(f"{imposed:%Y-%m}" for imposed in IMPOSED if due[imposed] < NOW.date())
    assert {row["period"]: row["denominator"] for row in rows if row["denominator"]} == late
    listed = data(client, f"overdue_{measure}", national, by="month", **asked)
    assert sum(row["numerator"] for row in listed) == late.total()


@pytest.mark.usefixtures("waiting")
def test_provisional_months_are_marked_in_every_format(client: TestClient, national: Headers) -> None:
    address = "/v1/indicators/placement_within_7/data"
    asked = {"by": "month", "from": "2026-03", "to": "2026-05"}

    def get(extension: str) -> Any:
        answer = client.get(f"{address}.{extension}", params=asked, headers=national)
        assert answer.status_code == 200
        return answer

    expected = {"2026-03": (False, False), "2026-04": (True, False), "2026-05": (True, True)}
    assert {row["period"]: (row["provisional"], row["partial"]) for row in get("json").json()["rows"]} == expected
    lines = csv.DictReader(io.StringIO(get("csv").text))
    in_words = {each["period"]: (each["provisional"], each["partial"]) for each in lines}
    assert in_words == {month: tuple(str(mark).lower() for mark in marks) for month, marks in expected.items()}
    cube = get("jsonstat").json()
    marked = {int(place) // 5 for place, mark in cube["status"].items() if mark == "p"}
    assert marked == {1, 2}
    assert "Provisional" in cube["extension"]["status"]["label"]["p"]
    book = load_workbook(io.BytesIO(get("xlsx").content))
    header, *rows = book["Figures"].iter_rows(values_only=True)
    found = {row[header.index("period")]: row for row in rows}
    for month, marks in expected.items():
        assert (found[month][header.index("provisional")], found[month][header.index("partial")]) == marks
    cover = {str(row[0]): str(row[1]) for row in book["Cover"].iter_rows(values_only=True)}
    assert "7 working days" in cover["provisional"]


@pytest.mark.usefixtures("waiting")
def test_a_release_freezes_what_was_overdue(client: TestClient, database: Engine, feed: Feed) -> None:
    clock = FixedClock(NOW)
    name = publication.make(database, date(2026, 3, 1), date(2026, 5, 9), clock)
    publication.publish(database, name, clock)
    feed([cell("awaited_placement", GLASGOW, "2026-03-20", HERE, 0, version=3)])
    (row,) = data(client, "placement_within_7", None, by="month", **{"from": "2026-03", "to": "2026-03"})
    assert counts(row) == (60, 100)
    assert not row["provisional"]


@pytest.mark.usefixtures("waiting")
def test_why_a_headline_moved_adds_up_when_days_pass(client: TestClient, national: Headers) -> None:
    asked = {"from": "2026-04", "to": "2026-04", "first_day": "2026-05-02", "last_day": "2026-05-09"}
    found = client.get("/v1/indicators/placement_within_7/difference", params=asked, headers=national).json()
    moved = {part["cause"]: part["denominator"] for part in found["difference"]["parts"] if part["denominator"]}
    assert moved == {"due": 5}
    assert found["difference"]["denominator"] == [40, 45]
    assert "overdue" in found["rules"]["due"]


@pytest.mark.parametrize(
    ("indicator", "measure", "late"),
    [
        ("unpaid_work_completed_in_time", "unpaid_work_completed", "class=late"),
        ("breach_lodged_on_time", "breach_lodged", "late"),
        ("transfer_answered_on_time", "transfer_answered", "late"),
        ("placement_within_7", "placement", "band=over_2_months"),
    ],
)
def test_reasons_are_told_of_every_clock_that_takes_one(
    client: TestClient, national: Headers, feed: Feed, indicator: str, measure: str, late: str
) -> None:
    feed([position(GLASGOW), cell(measure, GLASGOW, "2026-03", late, 20)])
    feed([cell(measure, GLASGOW, "2026-03", f"reason={r}", n) for r, n in (("ill", 5), ("no_suitable_work", 10))])
    asked = {"from": "2026-03", "to": "2026-03"}
    sides = {row["category"]: row["value"] for row in data(client, indicator, national, by="reason_side", **asked)}
    assert sides == {"client_based": 25, "service_based": 50}
    reasons = {
        row["category"]: row["numerator"] for row in data(client, indicator, national, by="late_reason", **asked)
    }
    assert (reasons["reason=ill"], reasons["reason=no_suitable_work"], sum(reasons.values())) == (5, 10, 15)


def test_a_month_before_the_day_is_over_or_not(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-05", "", 9)])
    rows = data(client, "orders_imposed", national, by="month", **{"from": "2026-04", "to": "2026-05"})
    assert [(row["provisional"], row["partial"]) for row in rows] == [(False, False), (True, True)]
    asked = {"from": "2026-04", "to": "2026-05", "as_of": f"{add_months(NOW.date(), -1)}"}
    assert [row["partial"] for row in data(client, "orders_imposed", national, by="month", **asked)] == [True, True]
