"""Definitions have versions: a proposed one runs beside the current over the whole history, and a release freezes those in force."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from services.chassis.clock import FixedClock
from services.reporting.disclosure import linked_tables
from services.reporting.registry import catalogue
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.indicators import Status
from services.reporting.releases import changes, freezing, publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position
from tests.support.made.proposals import propose

GLASGOW, FIFE, EDINBURGH = "S12000049", "S12000047", "S12000036"
DATA = "/v1/indicators/completion_rate/data"
ENDED = {"completed": 60, "early_discharge": 10, "revoked_review": 20, "transferred_out": 8, "died": 6}
Headers = dict[str, str]


@pytest.fixture(autouse=True)
def proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    propose(monkeypatch)


@pytest.fixture
def ended(feed: Feed) -> None:
    codes = (GLASGOW, FIFE, EDINBURGH)
    feed([position(code, service=service) for code in codes for service in ("orders", "unpaid_work")])
    for month in ("2024-03", "2026-02", "2026-03"):
        for code in codes:
            reasons = [cell("orders_ended", code, month, f"end_reason={reason}", n) for reason, n in ENDED.items()]
            feed([*reasons, cell("orders_ended", code, month, "", sum(ENDED.values()))])
            feed([cell("orders_imposed", code, month, "", 90)])


def answer(client: TestClient, headers: Headers | None = None, **asked: str) -> dict[str, object]:
    found = client.get(DATA, params={"from": "2026-03", "to": "2026-03"} | asked, headers=headers)
    assert found.status_code == 200, found.text
    body = found.json()
    (row,) = body["rows"]
    return {"denominator": row["denominator"], **{name: body["indicator"][name] for name in ("version", "status")}}


@pytest.mark.usefixtures("ended")
def test_a_proposed_version_answers_beside_the_current_one(client: TestClient, national: Headers) -> None:
    assert answer(client, national) == {"denominator": 288, "version": 2, "status": "current"}
    assert answer(client, national, definition="3") == {"denominator": 312, "version": 3, "status": "proposed"}
    past = {"from": "2024-03", "to": "2024-03"}
    assert answer(client, national, definition="3", **past)["denominator"] == 312


@pytest.mark.usefixtures("ended")
def test_a_proposed_version_is_for_national_viewers(
    client: TestClient, national: Headers, glasgow: Headers, database: Engine
) -> None:
    publish(database)
    for headers, status in ((None, 403), (glasgow, 403), (national, 200)):
        for form in ("", ".csv", ".jsonstat", ".xlsx", ".csv-metadata.json"):
            found = client.get(f"{DATA}{form}?definition=3", headers=headers)
            assert found.status_code == status, form
    assert client.get(f"{DATA}?definition=4", headers=national).status_code == 404


def test_all_versions_are_listed_to_everybody(client: TestClient) -> None:
    listed = client.get("/v1/indicators/completion_rate").json()
    assert [(v["version"], v["status"]) for v in listed["versions"]] == [
        (1, "earlier"),
        (2, "current"),
        (3, "proposed"),
    ]
    assert all(each["change"] for each in listed["versions"][1:])
    earlier = client.get("/v1/indicators/control_totals_orders").json()["versions"]
    assert [(v["version"], v["status"]) for v in earlier] == [(1, "earlier"), (2, "current")]


@pytest.mark.usefixtures("ended")
def test_a_release_answers_by_the_version_that_it_froze(
    client: TestClient, database: Engine, national: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(database)
    adopt_the_proposal(monkeypatch)
    assert about(288, client) == {"version": 2, "status": "earlier"}
    assert answer(client, national)["version"] == 3
    assert answer(client, national, release=first)["version"] == 2
    second = publish(database, NOW + timedelta(days=1))
    assert about(312, client) == {"version": 3, "status": "current"}
    assert about(288, client, definition="2")["version"] == 2
    assert about(288, client, release=first)["version"] == 2
    told = client.get(f"/v1/releases/{second}/changes/cells", headers=national).json()
    assert told["release"]["definitions"]["completion_rate"] == 3
    assert {(c["measure"], c["category"], c["before"], c["after"], c["why"]) for c in told["changes"]} == {
        ("completion_rate", "denominator/2/3", 96, 104, "definition")
    }
    public = client.get(f"/v1/releases/{second}/changes/cells").json()["changes"]
    assert {(c["authority"], c["category"], c["why"]) for c in public} == {
        (SCOTLAND, "denominator/2/3", "definition")
    }, "rounded, and for Scotland"


def about(expected: int, client: TestClient, **question: str) -> dict[str, object]:
    """Return the answer that the public gets, whose numbers are rounded."""
    found = answer(client, None, **question)
    denominator = found.pop("denominator")
    assert isinstance(denominator, float)
    assert abs(denominator - expected) <= 15
    return found


def publish(database: Engine, at: object = NOW) -> str:
    assert isinstance(at, type(NOW))
    clock = FixedClock(at)
    name = publication.make(database, date(2026, 3, 1), date(2026, 5, 9), clock)
    publication.publish(database, name, clock)
    return name


def adopt_the_proposal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adopt the proposal as the next version of the code would have it."""
    found = tuple(
        replace(each, status=Status.CURRENT if each.version == 3 else Status.EARLIER)
        if each.id == "completion_rate"
        else each
        for each in catalogue.DEFINITIONS
    )
    monkeypatch.setattr(catalogue, "DEFINITIONS", found)
    for module in (catalogue, changes, freezing):
        current = next(each for each in found if each.id == "completion_rate" and each.status is Status.CURRENT)
        monkeypatch.setitem(module.INDICATORS, "completion_rate", current)


@pytest.mark.usefixtures("ended")
def test_the_public_is_told_no_sum_of_cells_that_its_release_did_not_round(
    client: TestClient, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = ("orders_ended", "end_reason=completed")
    then = {cell: national for cell, national in linked_tables.NATIONAL_ONLY.items() if cell != later}
    monkeypatch.setattr(freezing, "NATIONAL_ONLY", then)
    publish(database)
    (row,) = client.get(f"{DATA}?from=2026-03&to=2026-03").json()["rows"]
    assert (row["suppressed"], row["value"]) == (True, None)


@pytest.mark.usefixtures("ended")
def test_months_agree_with_the_totals_of_their_authority(client: TestClient, national: Headers, feed: Feed) -> None:
    feed(
        [
            cell("control_totals", GLASGOW, "2026-02", "total=orders_imposed", 90),
            cell("control_totals", GLASGOW, "2026-03", "total=orders_imposed", 91),
            cell("control_totals", FIFE, "2026-03", "total=orders_imposed", 90),
        ]
    )
    path = "/v1/indicators/control_totals_orders/data?by=authority&from=2026-02&to=2026-03"
    rows = {row["authority"]: row for row in client.get(path, headers=national).json()["rows"]}
    found = {code: (rows[code]["numerator"], rows[code]["denominator"]) for code in (GLASGOW, FIFE, EDINBURGH)}
    assert found == {GLASGOW: (1, 2), FIFE: (1, 1), EDINBURGH: (0, 0)}
    assert (rows["S92000003"]["numerator"], rows["S92000003"]["denominator"]) == (2, 3)
    earlier = client.get(f"{path}&definition=1", headers=national).json()["rows"]
    assert {row["authority"]: row["value"] for row in earlier}[FIFE] == 200


def test_overdue_is_what_was_due_before_the_day(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-04", "", 9)])
    dues = {"2026-04-20": 3, "2026-05-08": 2, "2026-05-10": 4, "2026-05-20": 5}
    feed([cell("pending_plan", GLASGOW, due, "", n) for due, n in dues.items()])
    feed([cell("pending_plan", GLASGOW, "2026-04-20", "", 1, "2026-05-09", version=2)])
    path = "/v1/indicators/overdue_plan/data?from=2026-04&to=2026-06"

    def overdue(more: str = "") -> float:
        (row,) = client.get(path + more, headers=national).json()["rows"]
        assert isinstance(row["value"], float)
        return row["value"]

    assert overdue() == 3  # on 10 May, what is due that day is not overdue yet
    assert overdue("&as_of=2026-05-08") == 3
    assert overdue("&as_of=2026-05-09") == 3
    assert client.get("/v1/indicators/overdue_plan/data").status_code == 404
