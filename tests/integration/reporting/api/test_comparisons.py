"""Authorities beside Scotland: the funnel, the profile, and how complete it all is."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from services.chassis.clock import FixedClock
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Kind
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW, FIFE, ORKNEY, MORAY = "S12000049", "S12000047", "S12000023", "S12000020"
SCOTLAND = "S92000003"
INDICATOR = "first_contact_within_1"
MARCH = "from=2026-03&to=2026-03"
IN_TIME = {GLASGOW: (800, 1000), FIFE: (250, 400), ORKNEY: (6, 10)}
"""Within the standard, and all."""
Headers = dict[str, str]


@pytest.fixture
def figures(feed: Feed) -> None:
    feed([position(code, service=service) for code in IN_TIME for service in ("orders", "unpaid_work")])
    for code, (good, whole) in IN_TIME.items():
        bands = (("within_1", good), ("over_5", whole - good))
        feed([cell("first_contact", code, "2026-03", f"band={band}", n) for band, n in bands])
        feed([cell("orders_imposed", code, "2026-03", "", whole)])


def asked(client: TestClient, path: str, headers: Headers | None = None) -> Any:
    answer = client.get(f"/v1/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("figures")
def test_an_authority_is_judged_by_limits_for_its_own_size(client: TestClient, national: Headers) -> None:
    from scipy.stats import binom

    found = asked(client, f"compare/{INDICATOR}?{MARCH}", national)
    share = (800 + 250 + 6) / 1410
    assert found["scotland"]["value"] == round(100 * share, 2)
    places = {each["row"]["authority"]: each for each in found["authorities"]}
    assert places.keys() == AUTHORITIES.keys()
    for code, (good, whole) in IN_TIME.items():
        limits = places[code]["limits"]
        assert limits["lower_95"] == pytest.approx(100 * binom.ppf(0.025, whole, share) / whole, abs=0.01)
        assert limits["upper_998"] == pytest.approx(100 * binom.ppf(0.999, whole, share) / whole, abs=0.01)
        assert places[code]["row"]["value"] == 100 * good / whole
    assert {code: places[code]["place"] for code in IN_TIME} == {GLASGOW: "alarm", FIFE: "alarm", ORKNEY: "within"}
    silent = places[MORAY]
    assert (silent["row"]["value"], silent["limits"], silent["place"]) == (None, None, None)
    assert not silent["row"]["suppressed"]
    chance = found["by_chance"]
    assert (chance["compared"], chance["beyond_95"], chance["beyond_998"]) == (3, 2, 2)
    assert chance["beyond_95_by_chance"] == 0.1
    assert chance["overdispersed"]


@pytest.mark.usefixtures("figures")
def test_nobody_with_fewer_than_ten_is_compared(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(MORAY), cell("first_contact", MORAY, "2026-03", "band=over_5", 9)])
    found = asked(client, f"compare/{INDICATOR}?{MARCH}", national)
    few = next(each for each in found["authorities"] if each["row"]["authority"] == MORAY)
    assert (few["row"]["denominator"], few["limits"], few["place"]) == (9, None, None)
    assert found["by_chance"]["compared"] == 3


@pytest.mark.usefixtures("figures")
def test_a_comparison_shows_nobody_more_than_the_figures_do(client: TestClient, glasgow: Headers) -> None:
    assert client.get(f"/v1/compare/{INDICATOR}?{MARCH}").status_code == 404
    found = asked(client, f"compare/{INDICATOR}?{MARCH}", glasgow)
    assert found["scotland"] is None
    own = [(each["row"]["authority"], each["place"], each["limits"]) for each in found["authorities"]]
    assert own == [(GLASGOW, None, None)], "its own figure, compared with nothing"


def test_only_shares_are_compared(client: TestClient, national: Headers) -> None:
    for indicator in INDICATORS.values():
        status = client.get(f"/v1/compare/{indicator.id}", headers=national).status_code
        assert status == (200 if indicator.kind is Kind.SHARE else 422), indicator.id
    assert client.get("/v1/compare/nothing", headers=national).status_code == 404


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("viewer", ["national", "glasgow"])
def test_several_are_compared_as_each_by_itself(
    viewer: str, client: TestClient, request: pytest.FixtureRequest
) -> None:
    headers: Headers = request.getfixturevalue(viewer)
    shares = [each.id for each in INDICATORS.values() if each.kind is Kind.SHARE][::6]
    asking = "&".join(f"indicator={name}" for name in shares)
    found = asked(client, f"compare?{asking}&indicator={shares[0]}&{MARCH}", headers)
    assert found["comparisons"] == [asked(client, f"compare/{name}?{MARCH}", headers) for name in shares]


def test_several_must_be_shares_that_there_are(client: TestClient, national: Headers) -> None:
    for names, status in (("nothing", 404), (f"{INDICATOR}&indicator=orders_imposed", 422), ("", 404)):
        assert client.get(f"/v1/compare?indicator={names}", headers=national).status_code == status, names
    assert client.get("/v1/compare", headers=national).status_code == 422


@pytest.mark.usefixtures("figures")
def test_a_profile_has_what_each_indicator_says_by_itself(client: TestClient, national: Headers) -> None:
    found = asked(client, f"authorities/{FIFE}/profile?{MARCH}", national)
    assert found["authority"] == FIFE
    assert found["indicators"].keys() == INDICATORS.keys()
    for name, pair in found["indicators"].items():
        for area, code in (("authority", FIFE), ("scotland", SCOTLAND)):
            alone = asked(client, f"indicators/{name}/data?{MARCH}&authority={code}", national)
            assert pair[area] == alone["rows"], (name, area)
    shown = found["indicators"][INDICATOR]
    assert (shown["authority"][0]["value"], shown["scotland"][0]["denominator"]) == (62.5, 1410)


@pytest.mark.usefixtures("figures")
def test_a_profile_shows_an_authority_its_own_and_nothing_live_of_others(client: TestClient, glasgow: Headers) -> None:
    own = asked(client, f"authorities/{GLASGOW}/profile?{MARCH}", glasgow)["indicators"][INDICATOR]
    assert own["authority"][0]["value"] == 80
    assert own["scotland"] == []
    others = asked(client, f"authorities/{FIFE}/profile?{MARCH}", glasgow)["indicators"]
    assert all(not pair["authority"] and not pair["scotland"] for pair in others.values())
    assert client.get(f"/v1/authorities/{GLASGOW}/profile?{MARCH}").status_code == 404


@pytest.mark.usefixtures("figures")
def test_a_profile_can_be_had_month_by_month(client: TestClient, national: Headers) -> None:
    found = asked(client, f"authorities/{GLASGOW}/profile?from=2026-02&to=2026-03&by=month", national)["indicators"]
    assert [(row["period"], row["value"]) for row in found["orders_imposed"]["authority"]] == [
        ("2026-02", 0),
        ("2026-03", 1000),
    ]
    assert client.get(f"/v1/authorities/{GLASGOW}/profile?by=sex", headers=national).status_code == 422
    assert client.get("/v1/authorities/S12000099/profile", headers=national).status_code == 422


def test_quality_tells_who_was_heard_since_the_month_ended(client: TestClient, national: Headers, feed: Feed) -> None:
    long_ago = NOW - timedelta(days=15)
    feed([position(GLASGOW), position(GLASGOW, service="unpaid_work")])
    feed([position(FIFE, heard_at=long_ago), position(FIFE, service="unpaid_work", heard_at=long_ago)])
    feed([position(ORKNEY)])
    numbered = [(code, month) for code in (GLASGOW, FIFE, ORKNEY) for month in ("2026-03", "2026-04")]
    feed([cell("sequence", code, month, "received", 9) for code, month in numbered])
    april = asked(client, "quality", national)
    assert april["month"] == "2026-04"
    states = {each["authority"]: each["state"] for each in april["authorities"]}
    assert states.keys() == AUTHORITIES.keys()
    assert (states[GLASGOW], states[FIFE], states[MORAY]) == ("complete", "partial", "missing")
    assert states[ORKNEY] == "partial", "only one of the two services has heard from it"
    fresh = {each["authority"] for each in april["authorities"] if each["fresh"]}
    assert fresh == {GLASGOW, ORKNEY}
    march = {
        each["authority"]: each["state"] for each in asked(client, "quality?month=2026-03", national)["authorities"]
    }
    assert march[FIFE] == "complete"
    assert set(april["summary"]["complete"]) == {GLASGOW}
    assert client.get("/v1/quality?month=March").status_code == 422
    exactly = {each["authority"]: each["heard_at"] for each in april["authorities"]}
    assert exactly[GLASGOW] == NOW.isoformat().replace("+00:00", "Z")


def test_the_public_is_told_days_and_only_of_months_that_were_released(
    client: TestClient, database: Engine, feed: Feed
) -> None:
    feed([position(code, service=service) for code in (GLASGOW, FIFE) for service in ("orders", "unpaid_work")])
    feed([cell("sequence", GLASGOW, "2026-03", "received", 9)])
    before = asked(client, "quality")["authorities"]
    assert {each["state"] for each in before} == {"not_known", "missing"}, "nothing is released yet"
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, date(2026, 3, 1), date(2026, 5, 9), clock), clock)
    found = asked(client, "quality")
    assert found["month"] == "2026-03", "the last month of the release, not of the calendar"
    states = {each["authority"]: (each["state"], each["doubts"]) for each in found["authorities"]}
    assert (states[GLASGOW], states[FIFE]) == (("complete", []), ("not_known", ["no_expectation"]))
    assert {each["heard_at"] for each in found["authorities"]} == {None}
    assert {each["heard_on"] for each in found["authorities"]} == {None, "2026-05-10"}
    april = {each["authority"]: each["doubts"] for each in asked(client, "quality?month=2026-04")["authorities"]}
    assert (april[GLASGOW], april[MORAY]) == (["not_in_cut"], [])
    assert client.get("/v1/positions").status_code == 401


def test_an_answer_says_who_is_missing_from_it(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 300)])
    found = asked(client, f"indicators/orders_imposed/data?{MARCH}", national)
    assert FIFE in found["quality"]["missing"]
    assert GLASGOW not in found["quality"]["missing"]
