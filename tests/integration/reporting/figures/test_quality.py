"""Notes beside figures: how complete they are and why, and how much is still likely to arrive."""

import io
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import Engine

from contracts.periods import months_between
from services.chassis.clock import FixedClock
from services.reporting.figures.evidence import DOUBTS, Doubt
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position
from tests.support.checking.formats import from_tables

GLASGOW, FIFE, ORKNEY, SCOTLAND = "S12000049", "S12000047", "S12000023", "S92000003"
FIFE_BOARD = "S08000029"
DATA = "/v1/indicators/orders_imposed/data"
ASKED = "by=authority,month&from=2025-04&to=2026-04"
Headers = dict[str, str]


@pytest.fixture
def reported(feed: Feed) -> None:
    """Store reports: Glasgow has a past, Fife has sent one month, Orkney nothing but a sign of life."""
    feed([position(code, service=service) for code in (GLASGOW, FIFE, ORKNEY) for service in ("orders", "unpaid_work")])
    months = months_between(date(2023, 1, 1), date(2026, 4, 1))
    for month in months:
        feed([cell("orders_imposed", GLASGOW, f"{month:%Y-%m}", "", 200)])
        bands = {"to_1_day": 300, "to_7_days": 60, "to_1_month": 40}
        if month == months[-1]:
            bands = {"to_1_day": 290, "to_7_days": 50, "to_1_month": 10}
        feed([cell("reporting_delay", GLASGOW, f"{month:%Y-%m}", f"delay_band={b}", n) for b, n in bands.items()])
    feed([cell("reporting_delay", FIFE, "2026-04", "delay_band=to_1_day", 120)])


def to_come(client: TestClient, headers: Headers | None = None, asked: str = ASKED) -> dict[tuple[str, str], Any]:
    quality = client.get(f"{DATA}?{asked}", headers=headers).json()["quality"]
    assert "chain" in quality["method"]
    return {(row["authority"], row["period"]): row for row in quality["still_to_come"]}


@pytest.mark.usefixtures("reported")
def test_each_area_and_period_says_how_much_is_likely_to_come(client: TestClient, national: Headers) -> None:
    found = to_come(client, national)
    april = found[GLASGOW, "2026-04"]
    assert 1 <= april["share"] <= 8
    assert april["reports"] == pytest.approx(350 * april["share"] / (100 - april["share"]), abs=3)
    assert (GLASGOW, "2026-01") not in found
    assert (found[FIFE, "2026-04"]["share"], found[FIFE, "2026-04"]["why"]) == (
        None,
        "no history of how long reports take",
    )
    assert found[SCOTLAND, "2026-04"]["why"] == "without 2 authorities for which nothing can be estimated"
    boards = to_come(client, national, "by=health_board&from=2026-04&to=2026-04")
    assert boards[FIFE_BOARD, "2026-04"]["why"] == "no history of how long reports take", (
        "else the reason is whom it leaves out"
    )
    whole = to_come(client, national, "from=2026-04&to=2026-04")
    assert whole[SCOTLAND, "2026-04"]["share"] == april["share"]


@pytest.mark.usefixtures("reported")
def test_what_was_expected_on_a_past_day(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([cell("events", GLASGOW, "2026-03", "outcome=applied", 1, "2026-04-20")])
    assert to_come(client, national, ASKED + "&as_of=2026-05-01")[GLASGOW, "2026-04"]["share"] is not None
    assert to_come(client, national, ASKED + "&as_of=2026-04-30")[GLASGOW, "2026-04"]["share"] is None
    assert to_come(client, national, ASKED + "&as_of=2026-04-19") == {}, "nobody had been heard"


@pytest.mark.usefixtures("reported")
def test_the_public_is_told_shares_of_the_release_and_no_numbers(
    client: TestClient, database: Engine, glasgow: Headers
) -> None:
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, date(2026, 4, 1), date(2026, 5, 9), clock), clock)
    public, own = to_come(client), to_come(client, glasgow)
    assert public[GLASGOW, "2026-04"]["share"] >= 1
    assert all(row["reports"] is None for row in public.values())
    assert own[GLASGOW, "2026-04"]["reports"] > 0
    assert own[FIFE, "2026-04"]["reports"] is None


@pytest.mark.usefixtures("reported")
def test_files_say_it_too(client: TestClient, national: Headers) -> None:
    described = client.get(f"{DATA}.csv-metadata.json?{ASKED}", headers=national).json()
    stat = client.get(f"{DATA}.jsonstat?{ASKED}", headers=national).json()
    for quality in (described["notes"][0]["quality"], stat["extension"]["quality"]):
        assert {(GLASGOW, "2026-04"), (FIFE, "2026-04")} <= {
            (row["authority"], row["period"]) for row in quality["still_to_come"]
        }
    cover = load_workbook(io.BytesIO(client.get(f"{DATA}.xlsx?{ASKED}", headers=national).content))["Cover"]
    lines = [row[1] for row in cover.iter_rows(values_only=True) if row[0] == "Likely still to arrive"]
    assert "Fife, 2026-04: not known (no history of how long reports take)" in lines
    assert any(str(line).startswith("Glasgow City, 2026-04: ") for line in lines)


def doubts(client: TestClient, headers: Headers | None = None, asked: str = "") -> dict[str, list[str]]:
    answer = client.get(f"{DATA}?from=2026-04&to=2026-04{asked}", headers=headers)
    found: dict[str, list[str]] = answer.json()["quality"]["doubts"]
    return found


@pytest.fixture
def doubted(feed: Feed) -> None:
    """Store reports: Glasgow does all as it should; four others each lack something, of which nobody has told."""
    codes = (GLASGOW, FIFE, ORKNEY, "S12000005", "S12000006")
    feed([position(code, service=service) for code in codes for service in ("orders", "unpaid_work")])
    for month in months_between(date(2025, 4, 1), date(2026, 4, 1)):
        at = f"{month:%Y-%m}"
        feed([cell("events", code, at, "outcome=applied", 100) for code in codes if code != FIFE or at != "2026-04"])
    feed([cell("orders_imposed", code, "2026-04", "", 30) for code in codes])
    feed([cell("control_totals", code, "2026-04", "total=orders_imposed", 30) for code in (GLASGOW, FIFE)])
    feed([cell("control_totals", ORKNEY, "2026-04", "total=orders_imposed", 31)])
    feed([cell("sequence", "S12000005", "2026-04", category, 10) for category in ("received", "missing")])
    feed([cell("events", "S12000006", "2026-04", "outcome=rejected", 3)])
    feed([cell("sequence", "S12000006", "2026-03", "missing", 1)])


FOUND = {
    FIFE: ["fewer_than_usual"],
    ORKNEY: ["totals_differ"],
    "S12000005": ["missing_events"],
    "S12000006": ["refused"],
}


@pytest.mark.usefixtures("doubted")
def test_an_authoritys_own_numbers_show_what_its_figures_lack(client: TestClient, national: Headers) -> None:
    assert doubts(client, national) == FOUND
    quality = client.get(f"{DATA}?from=2026-04&to=2026-04", headers=national).json()["quality"]
    assert quality["complete"] == [GLASGOW]
    assert sorted(quality["partial"]) == sorted(FOUND)
    listed = client.get("/v1/quality?month=2026-04", headers=national).json()
    assert {each["authority"]: each["doubts"] for each in listed["authorities"] if each["doubts"]} == FOUND


@pytest.mark.usefixtures("doubted")
def test_doubts_are_those_of_the_day_and_of_what_the_viewer_sees(
    client: TestClient, national: Headers, glasgow: Headers, database: Engine, feed: Feed
) -> None:
    assert doubts(client, glasgow) == {code: ["not_in_cut"] for code in FOUND}, "nothing of others before a release"
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, date(2026, 4, 1), date(2026, 5, 9), clock), clock)
    feed([cell("control_totals", ORKNEY, "2026-04", "total=orders_imposed", 30, "2026-05-10", version=2)])
    assert doubts(client) == doubts(client, glasgow) == FOUND, "a release keeps what was known on its day"
    assert ORKNEY not in doubts(client, national)
    assert doubts(client, national, "&as_of=2026-05-09") == FOUND


@pytest.mark.usefixtures("doubted")
def test_the_page_says_why(client: TestClient, database: Engine) -> None:
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, date(2026, 4, 1), date(2026, 5, 9), clock), clock)
    page = client.get("/quality").text
    lines = {line[0]: line[2] for line in from_tables(page) if len(line) == 4}
    assert lines["Orkney Islands"] == f"{DOUBTS[Doubt.TOTALS_DIFFER]}."
    assert (lines["Fife"], lines["Glasgow City"]) == (f"{DOUBTS[Doubt.FEWER]}.", "")
