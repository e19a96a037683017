"""Pages tell the truth about their figures, and their links lead to figures that are shown."""

import csv
import re
from html import unescape
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.chassis.api.auth import COOKIE
from services.chassis.api.problems import MEDIA_TYPE
from services.reporting.registry.catalogue import INDICATORS
from tests.integration.reporting.nation import CODES, database_settings, published, released_nation

__all__ = ["database_settings", "published", "released_nation"]

OWN = f"/authorities/{CODES[0]}"
Headers = dict[str, str]


def csv_links(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]+/figures\.csv[^"]*)"', page)]


@pytest.mark.parametrize("period", ["12-months", "month-2026-02"])
@pytest.mark.parametrize("page", [OWN, f"/releases/2026-03.1{OWN}"])
def test_files_beside_the_figures_of_an_authority_have_figures(published: TestClient, page: str, period: str) -> None:
    told = published.get(page, params={"period": period}).text
    (link,) = (each for each in csv_links(told) if "/orders_imposed/" in each)
    assert "the standards, by quarter" in told
    found = list(csv.DictReader(StringIO(published.get(link).text)))
    assert found
    assert all(row["value"] and "-Q" in row["period"] for row in found), found


def test_who_sees_the_area_whole_gets_months(published: TestClient, national: Headers) -> None:
    published.cookies.set(COOKIE, national["authorization"].removeprefix("Bearer "))
    assert all("by=month" in each for each in csv_links(published.get(OWN).text))


def test_over_time_is_told_by_what_it_is_by(published: TestClient) -> None:
    quarters = published.get("/indicators/orders_imposed", params={"area": CODES[0]}).text
    assert "<h2>By quarter</h2>" in quarters
    assert not re.search(r"By month|>Month<|of the (other )?months|by=month", quarters)
    assert "<h2>By month</h2>" in published.get("/indicators/orders_imposed").text


@pytest.mark.parametrize("page", ["/", "/indicators/completion_rate"])
def test_the_completion_rate_is_not_said_to_be_published_otherwise(published: TestClient, page: str) -> None:
    """Since 2017-18 published tables leave out transfers, as it does."""
    assert "completion_rate_of_all_ended" not in published.get(page).text


@pytest.mark.parametrize("page", [OWN, f"/indicators/orders_imposed?area={CODES[0]}"])
def test_an_authority_is_told_how_complete_it_is_itself(published: TestClient, page: str) -> None:
    told = published.get(page).text
    assert "authorities complete" not in told
    assert re.search(r"(Complete|May lack something|Not known)[^<]*Reports about orders", told)
    assert "of 32 authorities complete" in published.get("/").text


@pytest.mark.parametrize("path", ["/indicators/nonsense", "/authorities/S99", "/releases/1999-01.1", "/v1/releases/no"])
def test_programs_get_a_problem_and_people_a_page(published: TestClient, path: str) -> None:
    told = published.get(path, headers={"Accept": "application/json"})
    assert (told.status_code, told.headers["content-type"]) == (404, MEDIA_TYPE)
    assert told.json()["detail"]
    page = published.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, "<h1" in page.text) == (404, not path.startswith("/v1/"))


@pytest.mark.parametrize("page", ["/", OWN, "/indicators", "/indicators/orders_imposed", "/authorities", "/quality"])
def test_a_period_that_is_not_offered_is_not_another_in_silence(published: TestClient, page: str) -> None:
    assert "asked for is not offered" in published.get(page, params={"period": "xyz"}).text
    assert "asked for is not offered" not in published.get(page).text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"from": "2026-13"}, "a month such as 2026-03"),
        ({"release": "last"}, "the name of a release such as 2026-03.1"),
    ],
)
def test_how_to_write_it_is_said_by_an_example(published: TestClient, asked: dict[str, str], said: str) -> None:
    told = published.get("/v1/indicators/orders_imposed/data", params=asked)
    assert told.status_code == 422
    assert said in told.json()["errors"][0]["message"]
    assert "^" not in told.text


def test_the_fault_is_told_before_the_format(published: TestClient) -> None:
    path = "/v1/indicators/orders_imposed/data?authority=S99"
    assert published.get(path, headers={"Accept": "text/html"}).status_code == 422


def test_shares_of_reasons_add_up_with_those_of_whom_none_is_known(published: TestClient) -> None:
    page = published.get("/indicators/placement_within_7").text
    (table,) = re.findall(r"<caption>[^<]*: reason for lateness</caption>.*?</table>", page, re.DOTALL)
    shares = [float(each) for each in re.findall(r">([0-9.]+)%<", table)]
    assert "No reason reported" in table
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares) + 0.01)


def test_what_is_never_public_is_on_no_public_list(published: TestClient) -> None:
    """Nothing that the public is shown of lists says that it is not for them."""
    for page in ("/indicators", "/authorities", OWN, "/", "/compare/placement_within_7"):
        told = re.sub(r'<p class="pb_symbols">.*?</p>', "", published.get(page).text)
        assert "[a]" not in told, page
    listed = set(re.findall(r'href="/indicators/(\w+)', published.get("/indicators").text))
    assert listed == {each.id for each in INDICATORS.values() if any(map(is_shown, public_rows(published, each.id)))}


def test_search_leads_the_public_to_nothing_that_is_never_public(published: TestClient, national: Headers) -> None:
    found = published.get("/search", params={"q": "placement"}).text
    assert "/indicators/placement_within_7" in found
    assert "/indicators/overdue_placement" not in found
    published.cookies.set(COOKIE, national["authorization"].removeprefix("Bearer "))
    assert "/indicators/overdue_placement" in published.get("/search", params={"q": "placement"}).text


def public_rows(client: TestClient, indicator: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/v1/indicators/{indicator}/data?by=year").json()["rows"]
    return rows


def is_shown(row: dict[str, Any]) -> bool:
    return bool(row["why"] != "not published for this audience")
