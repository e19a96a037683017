"""Indicators over the API, for those who may see them."""

from importlib import import_module

from fastapi.testclient import TestClient

from contracts.authorities import HEALTH_BOARDS
from services.records.model.findings import Rule
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Kind
from tests.integration.reporting.conftest import Feed, cell, position

GLASGOW, FIFE, SCOTLAND, CLYDE = "S12000049", "S12000047", "S92000003", "S08000031"
Headers = dict[str, str]


def test_a_share_for_scotland_is_a_sum_and_not_a_mean_of_shares(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    feed(
        [
            position(GLASGOW),
            position(FIFE),
            cell("first_contact", GLASGOW, "2026-03", "band=within_1", 90),
            cell("first_contact", GLASGOW, "2026-03", "band=over_5", 10),
            cell("first_contact", FIFE, "2026-03", "band=within_1", 5),
            cell("first_contact", FIFE, "2026-03", "band=2_to_5", 5),
        ]
    )
    answer = client.get(
        "/v1/indicators/first_contact_within_1/data?by=authority&from=2026-03&to=2026-03", headers=national
    )
    rows = {row["authority"]: row for row in answer.json()["rows"]}
    assert (rows[GLASGOW]["value"], rows[FIFE]["value"], rows[SCOTLAND]["value"]) == (90, 50, 86.36)
    assert (rows[SCOTLAND]["numerator"], rows[SCOTLAND]["denominator"]) == (95, 110)
    assert rows[FIFE]["lower"] < 50 < rows[FIFE]["upper"]
    assert len(rows) == 33


def test_an_authority_sees_its_own_figures_and_nothing_of_others_before_a_release(
    client: TestClient, glasgow: Headers, feed: Feed
) -> None:
    feed([position(GLASGOW), position(FIFE)])
    feed([cell("orders_imposed", a, "2026-03", "", n) for a, n in ((GLASGOW, 3), (FIFE, 30))])
    rows = client.get("/v1/indicators/orders_imposed/data?by=authority", headers=glasgow).json()["rows"]
    assert [(row["authority"], row["value"]) for row in rows] == [(GLASGOW, 3)]


def test_the_public_sees_nothing_before_a_release(client: TestClient, feed: Feed) -> None:
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 300)])
    answer = client.get("/v1/indicators/orders_imposed/data")
    assert answer.status_code == 404
    assert "Nothing has been released yet" in answer.json()["detail"]


def test_a_stock_is_what_was_opened_and_not_closed(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW)])
    feed([cell("orders_opened", GLASGOW, f"2026-{m}", "", n) for m, n in (("01", 10), ("02", 5), ("03", 0))])
    feed([cell("orders_closed", GLASGOW, f"2026-{m}", "", n) for m, n in (("02", 4), ("03", 3))])
    answer = client.get("/v1/indicators/open_orders/data?by=month&from=2026-02&to=2026-04", headers=national)
    assert [(row["period"], row["value"]) for row in answer.json()["rows"]] == [
        ("2026-02", 11),
        ("2026-03", 8),
        ("2026-04", 8),
    ]


def test_part_of_a_year_does_not_pass_for_the_year(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), *(cell("orders_imposed", GLASGOW, f"2025-{n:02}", "", 1) for n in range(1, 13))])
    answer = client.get("/v1/indicators/orders_imposed/data?by=year&from=2024-04&to=2025-12", headers=national)
    assert [(row["period"], row["value"], row["partial"]) for row in answer.json()["rows"]] == [
        ("2024-25", 3, False),
        ("2025-26", 9, True),
    ]


def test_health_board_areas_and_quarters_are_sums_of_authorities_and_months(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    numbers = {(GLASGOW, "2026-01"): 100, (GLASGOW, "2026-03"): 7, ("S12000018", "2026-02"): 20, (FIFE, "2026-04"): 3}
    feed([position(code) for code in (GLASGOW, FIFE, "S12000018")])
    feed([cell("orders_imposed", code, month, "", number) for (code, month), number in numbers.items()])

    parts: dict[str, bool] = {}

    def values(question: str) -> dict[tuple[str, str], float | None]:
        answer = client.get(f"/v1/indicators/orders_imposed/data?from=2026-01&to=2026-04&{question}", headers=national)
        assert answer.status_code == 200, answer.text
        parts.update({row["period"]: row["partial"] for row in answer.json()["rows"]})
        return {(row["authority"], row["period"]): row["value"] for row in answer.json()["rows"]}

    by_both = values("by=health_board,quarter")
    assert len(by_both) == 2 * 15
    assert (by_both[CLYDE, "2026-Q1"], by_both[CLYDE, "2026-Q2"]) == (127, 0)
    assert (by_both[SCOTLAND, "2026-Q1"], by_both[SCOTLAND, "2026-Q2"]) == (127, 3)
    assert parts == {"2026-Q1": False, "2026-Q2": True}, "part of a quarter does not pass for the quarter"
    assert by_both["S08000025", "2026-Q1"] is None, "nobody there has reported: that is not zero"
    within = values(f"by=authority&authority={CLYDE}")
    assert list(within) == [
        *((code, "2026-01/2026-04") for code in HEALTH_BOARDS[CLYDE].members),
        (CLYDE, "2026-01/2026-04"),
    ]
    assert (within[GLASGOW, "2026-01/2026-04"], within[CLYDE, "2026-01/2026-04"]) == (107, 127)
    assert values(f"authority={CLYDE}") == {(CLYDE, "2026-01/2026-04"): 127}


def test_a_stock_and_agreement_are_told_for_quarters_and_health_board_areas(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    feed([position(GLASGOW), position("S12000018")])
    feed([cell("orders_opened", GLASGOW, f"2026-0{n}", "", n) for n in (1, 2, 3, 4)])
    feed([cell("orders_closed", "S12000018", "2026-02", "", 1), cell("orders_opened", "S12000018", "2025-02", "", 4)])
    question = f"by=quarter&from=2026-01&to=2026-06&authority={CLYDE}"
    rows = client.get(f"/v1/indicators/open_orders/data?{question}", headers=national).json()["rows"]
    assert [(row["period"], row["value"]) for row in rows] == [("2026-Q1", 9), ("2026-Q2", 13)]
    feed(
        [
            cell("control_totals", GLASGOW, "2026-02", "total=orders_imposed", 5),
            cell("orders_imposed", GLASGOW, "2026-02", "", 5),
        ]
    )
    agreeing = next(each.id for each in INDICATORS.values() if each.kind is Kind.AGREEMENT)
    for by in ("health_board", "authority", "quarter", ""):
        question = f"by={by}&from=2026-01&to=2026-03"
        found = client.get(f"/v1/indicators/{agreeing}/data?{question}", headers=national).json()["rows"]
        told = {row["authority"]: row["denominator"] for row in found}
        assert all(told.get(area, 1) == 1 for area in (SCOTLAND, CLYDE, GLASGOW)), by


def test_every_indicator_answers_in_every_breakdown(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 1)])
    for indicator in INDICATORS.values():
        for by in ("", "authority,month", "health_board,quarter", *(name for name, _ in indicator.breakdowns)):
            answer = client.get(f"/v1/indicators/{indicator.id}/data?by={by}", headers=national)
            assert answer.status_code == 200, (indicator.id, by, answer.text)
            assert answer.json()["rows"], (indicator.id, by)


def test_faulty_questions_are_told_apart(client: TestClient, national: Headers) -> None:
    def status(path: str) -> int:
        return client.get(f"/v1/{path}", headers=national).status_code

    assert status("indicators/nothing") == 404
    assert status("indicators/orders_imposed/data?by=shoe_size") == 422
    assert status("indicators/orders_imposed/data?by=authority,health_board") == 422
    assert status("indicators/orders_imposed/data?by=month,quarter") == 422
    assert status("indicators/orders_imposed/data?from=March") == 422
    assert status("indicators/orders_imposed/data?from=2026-03&to=2026-01") == 422
    assert status("indicators/orders_imposed/data?authority=S99") == 422
    assert status("indicators/orders_imposed/data?release=2020-01.1") == 404
    assert status("cells?measure=nothing") == 422
    assert status("cells?cursor=nonsense") == 422


def test_each_finding_that_the_services_make_has_a_place(client: TestClient, national: Headers) -> None:
    described = client.get("/v1/indicators/findings", headers=national).json()
    shown = {part["id"] for each in described["breakdowns"] for part in each["categories"]}
    assert {f"rule={code}" for code in rules_of_the_services()} <= shown


def rules_of_the_services() -> set[str]:
    """Return the codes of every rule that counts in cells, from the services' own modules."""
    modules = [import_module(f"services.{name}.findings") for name in ("orders", "unpaid_work")]
    return {value.code for module in modules for value in vars(module).values() if isinstance(value, Rule)}
