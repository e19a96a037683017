"""Why a figure differs between two days: the parts add up to the difference, whatever happened between them."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.cells import Cell
from tests.integration.reporting.conftest import Feed, cell, position
from tests.support.generated.thorough import examples

GLASGOW, FIFE = "S12000049", "S12000047"
BAND, OTHER = "band=within_1", "band=over_5"
EARLY = datetime(2026, 4, 12, 9, tzinfo=UTC)
HUNDRED_A_MONTH = (("2026-03", "2026-03-30"), ("2026-04", "2026-05-01"))
Headers = dict[str, str]


def difference(client: TestClient, headers: Headers, indicator: str, **asked: str) -> dict[str, Any]:
    parameters = {"from": "2026-03", "to": "2026-04", "first_day": "2026-04-20", "last_day": "2026-05-08"} | asked
    answer = client.get(f"/v1/indicators/{indicator}/difference", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["difference"]
    return found


@pytest.fixture
def heard(feed: Feed) -> None:
    """Have Glasgow heard before the first day."""
    feed([position(GLASGOW, heard_at=EARLY), position(GLASGOW)])


def by_cause(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {part["cause"]: part[name] for part in found["parts"] if part[name]}


@pytest.mark.usefixtures("heard")
def test_each_cause_has_its_part(client: TestClient, national: Headers, feed: Feed) -> None:
    history = (
        ("2026-03", BAND, 80, "2026-04-10"),
        ("2026-03", OTHER, 20, "2026-04-10"),
        ("2026-03", BAND, 79, "2026-04-25"),  # one was corrected
        ("2026-03", OTHER, 21, "2026-04-25"),
        ("2026-03", BAND, 85, "2026-05-01"),  # six came late
        ("2026-03", OTHER, 19, "2026-05-02"),  # two were withdrawn
        ("2026-04", BAND, 50, "2026-05-03"),  # a month that was not over
    )
    feed([cell("first_contact", GLASGOW, m, c, n, day, i) for i, (m, c, n, day) in enumerate(history, 1)])
    found = difference(client, national, "first_contact_within_1")
    assert by_cause(found, "numerator") == {"new": 50, "late": 6, "corrected": -1}
    assert by_cause(found, "denominator") == {"new": 50, "late": 6, "withdrawn": -2}
    assert (found["value"], sum(p["value"] for p in found["parts"])) == ([80, 87.66], pytest.approx(7.66))


@pytest.mark.usefixtures("heard")
def test_a_new_definition_is_a_cause_of_its_own(client: TestClient, national: Headers, feed: Feed) -> None:
    ended = {"": 100, "end_reason=completed": 60, "end_reason=revoked_review": 20, "end_reason=transferred_out": 20}
    feed([cell("orders_ended", GLASGOW, "2026-03", category, n, "2026-04-10") for category, n in ended.items()])
    found = difference(client, national, "completion_rate", definition_before="1", definition="2")
    assert by_cause(found, "denominator") == {"definition": -20}
    assert by_cause(found, "value") == {"definition": 15}


def test_a_rate_is_of_the_months_that_count_in_the_figure_of_each_day(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    """On the first day, of March alone, whatever the months that are asked for."""
    feed([position(GLASGOW, heard_at=datetime(2026, 3, 30, 9, tzinfo=UTC)), position(GLASGOW)])
    feed([cell("orders_imposed", GLASGOW, month, "", 100, day) for month, day in HUNDRED_A_MONTH])
    asked = {"from": "2026-03", "to": "2026-04", "authority": GLASGOW}
    figures = [
        client.get("/v1/indicators/orders_imposed_per_10000/data", params=asked | {"as_of": day}, headers=national)
        for day in ("2026-03-31", "2026-05-08")
    ]
    shown = [answer.json()["rows"][0]["value"] for answer in figures]
    assert shown[0] == shown[1] > 0
    found = difference(
        client, national, "orders_imposed_per_10000", first_day="2026-03-31", last_day="2026-05-08", authority=GLASGOW
    )
    assert found["value"] == shown
    assert sum(part["value"] for part in found["parts"]) == pytest.approx(0)


def test_who_may_not_see_the_day_may_not_see_why_it_moved(client: TestClient, glasgow: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 9, "2026-05-01")])
    path = "/v1/indicators/orders_imposed/difference?from=2026-03&to=2026-03&first_day=2026-04-20&last_day=2026-05-08"
    assert client.get(path).status_code == 403
    assert client.get(path, headers=glasgow).status_code == 403
    assert client.get(f"{path}&authority={FIFE}", headers=glasgow).status_code == 403
    own = client.get(f"{path}&authority={GLASGOW}", headers=glasgow).json()
    assert own["difference"]["numerator"] == [None, 9], "nothing had been heard of it by the first day"
    assert by_cause(own["difference"], "numerator") == {"late": 9}


def test_what_is_no_sum_of_cells_is_not_explained(client: TestClient, national: Headers) -> None:
    rest = "from=2026-03&to=2026-03&first_day=2026-04-20&last_day=2026-05-08"
    for indicator in ("overdue_plan", "control_totals_orders"):
        assert client.get(f"/v1/indicators/{indicator}/difference?{rest}", headers=national).status_code == 422
    wrong = rest.replace("2026-05-08", "2026-04-19")
    assert client.get(f"/v1/indicators/orders_imposed/difference?{wrong}", headers=national).status_code == 422


FIRST = date(2026, 4, 1)
days = st.integers(0, 20).map(lambda n: FIRST + timedelta(days=n))
CELLS = (
    *(
        ("first_contact", BAND),
        ("first_contact", OTHER),
        ("orders_ended", ""),
        ("orders_ended", "end_reason=completed"),
    ),
    *(("orders_ended", "end_reason=transferred_out"), ("orders_opened", ""), ("orders_closed", "")),
    *(("first_contact", "missed"), ("awaited_first_contact", "months_before=0")),
)
values = st.tuples(
    st.sampled_from(CELLS),
    st.sampled_from([GLASGOW, FIFE]),
    st.sampled_from(["2026-02", "2026-03", "2026-04"]),
    days,
    st.integers(0, 40),
)
versions = count(1)


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(values, min_size=1, max_size=15),
    ends=st.tuples(days, days),
    area=st.sampled_from([GLASGOW, FIFE, "S92000003"]),
)
def test_the_parts_always_add_up(
    client: TestClient, national: Headers, feed: Feed, told: list[Any], ends: tuple[date, date], area: str
) -> None:
    feed([position(code, version=next(versions)) for code in (GLASGOW, FIFE)])
    feed([_cell(*each) for each in told])
    first_day, last_day = (f"{day}" for day in sorted(ends))
    for indicator, asked in (
        ("first_contact_within_1", {}),
        ("completion_rate", {"definition_before": "1", "definition": "2"}),
        ("open_orders", {}),
    ):
        found = difference(client, national, indicator, authority=area, first_day=first_day, last_day=last_day, **asked)
        for name in ("numerator", "denominator", "value"):
            before, after = found[name]
            parts = [part[name] for part in found["parts"]]
            if None not in {before, after, *parts}:
                assert sum(parts) == pytest.approx(after - before, abs=0.001), (indicator, name)
        shown = client.get(
            f"/v1/indicators/{indicator}/data",
            params={"from": "2026-03", "to": "2026-04", "as_of": last_day, "authority": area}
            | ({"definition": "2"} if asked else {}),
            headers=national,
        ).json()["rows"]
        assert [row["numerator"] for row in shown] == [found["numerator"][1]]


def _cell(what: tuple[str, str], authority: str, period: str, day: date, value: int) -> Cell:
    return cell(what[0], authority, period, what[1], value, f"{day}", next(versions))
