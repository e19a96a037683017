"""The views of an authority's managers, on the real database."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import event

from contracts.authorities import AUTHORITIES
from contracts.events import Topic
from services.chassis.audit import store
from services.chassis.audit.model import Kept
from services.chassis.database import transaction
from services.records.api import listing
from services.records.api.listing import Wanted
from services.records.ingest.tables import LISTED
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.desk import ManagersView, client, token
from tests.support.generated.thorough import turns

TODAY = "2024-09-02"
EDINBURGH = "S12000036"


@pytest.fixture(scope="module")
def orders(scenario_read: Callable[[], str]) -> Iterator[Bench]:
    yield from _fed(Bench(scenario_read(), "orders"))


@pytest.fixture(scope="module")
def unpaid_work(scenario_read: Callable[[], str]) -> Iterator[Bench]:
    yield from _fed(Bench(scenario_read(), "unpaid_work"))


def _fed(bench: Bench) -> Iterator[Bench]:
    """Yield a database that serves all tests, since nothing here writes."""
    yield bench
    bench.database.dispose()


def view(bench: Bench, authority: str = EDINBURGH, today: str = TODAY) -> ManagersView:
    return ManagersView(client(bench.database, bench.domain, today), authority)


def test_pages_hold_every_order_once(orders: Bench) -> None:
    for authority in AUTHORITIES:
        asked = view(orders, authority)
        whole = asked.get("orders", limit=1000)["orders"]
        assert asked.pages("orders", "orders", limit=3) == whole
        assert asked.get("held")["orders_open"] == sum(order["ended_on"] is None for order in whole)


def test_the_worklist_is_the_pending_cells_of_open_orders(orders: Bench, unpaid_work: Bench) -> None:
    """Overdue today = pending with an earlier date."""
    for one in (orders, unpaid_work):
        pending = {key: value for key, value in one.cells().items() if key.startswith("pending_")}
        listed: dict[str, int] = {}
        for authority in AUTHORITIES:
            asked = view(one, authority)
            items = asked.pages("worklist", "items", within=250, limit=7)
            assert items == asked.get("worklist", within=250, limit=1000)["items"]
            for item in items:
                key = f"pending_{item['standard']}|{authority}|{item['due_on']}|"
                listed[key] = listed.get(key, 0) + 1
                assert item["state"] == ("overdue" if item["due_on"] < TODAY else "due")
                assert (item["working_days_left"] < 0) <= (item["state"] == "overdue")
        assert listed
        until = view(one).get("worklist", within=250)["until"]
        assert listed == {key: number for key, number in pending.items() if key.split("|")[2] <= until}


def test_duties_are_the_worklist_by_urgency(orders: Bench, unpaid_work: Bench) -> None:
    """Page by page in each order, with a count for each standard."""
    for one in (orders, unpaid_work):
        for authority in sorted(AUTHORITIES)[::4]:
            asked = view(one, authority)
            listed = {place_of(item) for item in asked.get("worklist", limit=1000)["items"]}
            counted = {(c["standard"], c["urgency"]): c["number"] for c in asked.get("duties", limit=0)["counts"]}
            found = [
                item
                for urgency, sorting in zip(("overdue", "today", "soon"), ("latest", "order", "imposed"), strict=True)
                for item in asked.pages("duties", "items", urgency=urgency, sorting=sorting, limit=3)
            ]
            assert {place_of(item) for item in found} == listed
            assert Counter((item["standard"], item["urgency"]) for item in found) == counted
            assert len(found) == len(listed)
            overdue = [item for item in found if item["urgency"] == "overdue"]
            assert asked.get("duties", urgency="overdue", limit=max(len(overdue), 1))["next"] is None


def place_of(item: dict[str, Any]) -> tuple[str, ...]:
    return item["subject"], item["standard"], item["due_on"]


def test_no_more_orders_are_read_out_than_are_shown(orders: Bench) -> None:
    code = max(AUTHORITIES, key=lambda one: len(view(orders, one).get("worklist", limit=1000)["items"]))
    asked, numbers = view(orders, code), list[int]()
    for path in ("duties", "duties?limit=1", "duties?urgency=overdue&limit=2", "duties?limit=0"):
        before = kept(orders, code)
        shown = {item["subject"] for item in asked.ask(path).json()["items"]}
        after = kept(orders, code)
        assert {name for one in after[: len(after) - len(before)] for name in one.entry.references} == shown
        numbers.append(len(shown))
    assert numbers[0] > numbers[1] > numbers[3] == 0


def kept(bench: Bench, authority: str) -> list[Kept]:
    """Return the record of who looked, the latest first."""
    with transaction(bench.database) as connection:
        return store.search(connection, authority, store.Question(), 10_000)


def test_what_is_at_risk_is_counted_and_told_page_by_page(unpaid_work: Bench) -> None:
    some = 0
    for authority in AUTHORITIES:
        asked = view(unpaid_work, authority)
        late = asked.get("worklist", limit=1000)["will_be_late"]
        counts = asked.get("at-risk", limit=0)
        assert (counts["orders"], counts["items"]) == (len(late), [])
        assert counts["hours_left"] == pytest.approx(sum(one["forecast"]["hours_left"] for one in late), abs=0.5)
        assert asked.pages("at-risk", "items", limit=2) == late
        assert asked.get("at-risk", limit=max(len(late), 1))["next"] is None
        some += len(late)
    assert some


def test_an_order_shows_how_each_standard_stands(orders: Bench) -> None:
    asked = view(orders)
    for row in asked.get("orders", limit=1000)["orders"]:
        order = asked.get(f"orders/{row['subject']}")
        states = {(clock["standard"], clock["state"]) for clock in order["clocks"]}
        assert {standard for standard, state in states if state in ("met_late", "missed")} == set(row["late"])
        assert {standard for standard, state in states if state == "overdue"} == set(row["overdue"])
        assert [moment["on"] for moment in order["timeline"]] == sorted(moment["on"] for moment in order["timeline"])
        assert {fact["key"] for fact in order["facts"]} >= {"imposed"}
        for clock in order["clocks"]:
            assert clock["verified"] == ("not verified" not in clock["source"]), clock


def test_who_missed_a_standard_is_read_from_the_index_of_that_standard(orders: Bench) -> None:
    """The words of the question must be those of the index: else it is answered all the same, in many times the time."""
    asked: list[tuple[str, Any]] = []
    with orders.database.connect() as connection:
        connection.exec_driver_sql("DROP INDEX records_imposed, records_open; SET LOCAL enable_seqscan = off")
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        for standard in LISTED:
            listing.orders(connection, EDINBURGH, Wanted(date.fromisoformat(TODAY), missed=standard), None, 100)
            statement, parameters = asked[-1]
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
            assert f"records_missed_{standard}" in "\n".join(plan)


@pytest.mark.parametrize(("turn", "missed"), [*enumerate(["any", *LISTED])])
def test_filters_are_what_the_rows_say(orders: Bench, turn: int, missed: str) -> None:
    """Of some authorities for each standard, and of all together."""
    for authority in turns([*AUTHORITIES], turn, some=8):
        asked = view(orders, authority)
        whole = asked.get("orders", limit=1000)["orders"]
        found = asked.get("orders", missed=missed, limit=1000)["orders"]
        assert found == [
            row
            for row in whole
            if (row["late"] or row["overdue"] if missed == "any" else missed in row["late"] + row["overdue"])
        ]
        assert asked.get("orders", open_="true", limit=1000)["orders"] == [r for r in whole if r["ended_on"] is None]
        soon = {
            item["subject"] for item in asked.get("worklist", within=10, limit=1000)["items"] if item["state"] == "due"
        }
        assert {row["subject"] for row in asked.get("orders", due_within=10, limit=1000)["orders"]} == soon


def test_findings_listed_are_findings_counted(orders: Bench, unpaid_work: Bench) -> None:
    for one in (orders, unpaid_work):
        listed: dict[str, int] = {}
        for authority in AUTHORITIES:
            for finding in view(one, authority).pages("findings", "findings", limit=2):
                assert finding["remedy"]
                if finding["subject"] != "-" and not finding["rule"].startswith("transfer_"):
                    key = f"findings|{authority}|{finding['on'][:7]}-01|rule={finding['rule']}"
                    listed[key] = listed.get(key, 0) + 1
        assert listed
        assert listed == {key: value for key, value in one.cells().items() if key.startswith("findings|")}


def test_returns_agree_with_the_national_cells(orders: Bench, unpaid_work: Bench) -> None:
    for one in (orders, unpaid_work):
        checked = 0
        for authority in AUTHORITIES:
            for year in ("2022-23", "2023-24", "2024-25"):
                answer = view(one, authority).get("returns/reconciliation", year=year)
                assert [check for check in answer["checks"] if not check["agrees"]] == []
                checked += len(answer["checks"])
        assert checked > 100


def test_the_unit_return_has_one_row_an_order(orders: Bench) -> None:
    asked = view(orders)
    rows = list(csv.DictReader(StringIO(asked.get("returns/cpo", year="2024-25"))))
    assert rows
    assert len({row["order_reference"] for row in rows}) == len(rows)
    imposed = [row for row in rows if row["imposed_in_year"] == "yes"]
    report = {table["id"]: table["rows"] for table in asked.get("returns/annual-report", year="2024-25")["tables"]}
    assert report["orders"][""] == len(imposed)
    assert sum(report["orders-by-sex"].values()) == len(imposed)


def test_a_ledger_adds_up(unpaid_work: Bench) -> None:
    asked = view(unpaid_work)
    seen = 0
    for item in asked.get("worklist", within=250, limit=1000)["items"]:
        ledger = asked.get(f"ledgers/{item['subject']}")
        assert ledger["hours_ordered"] == sum(step["hours"] for step in ledger["ordered"])
        assert ledger["hours_credited"] == pytest.approx(sum(ledger["credited_by_activity"].values()), abs=0.02)
        left = ledger["hours_ordered"] - ledger["hours_credited"]
        assert ledger["hours_outstanding"] == pytest.approx(left, abs=0.01)
        if item["standard"] == "completion":
            assert ledger["deadline"] == item["due_on"]
            assert ledger["forecast"]["hours_left"] == pytest.approx(max(left, 0), abs=0.01)
            seen += 1
    assert seen


def test_what_is_held_adds_up_to_what_came(orders: Bench) -> None:
    held = view(orders).get("held")
    cells = orders.cells()
    assert held["events"]["rejected"] == sum(held["rejected"].values())
    arrived = sum(v for k, v in cells.items() if k.startswith(f"events|{EDINBURGH}|") and "outcome=" in k)
    assert sum(held["events"].values()) == arrived > 0


def test_only_the_own_authority_and_only_managers(orders: Bench) -> None:
    other = view(orders, "S12000049")
    subject = view(orders).get("orders")["orders"][0]["subject"]
    assert other.ask(f"orders/{subject}").status_code == 404
    for headers, status in (
        (token(EDINBURGH, "events:write"), 403),
        (token(None, "orders:read", "national:read"), 403),
        ({"Authorization": ""}, 401),
    ):
        for path in ("orders", f"orders/{subject}", "worklist", "findings", "standards", "returns/cpo?year=2024-25"):
            assert other.ask(path, headers).status_code == status, path


def test_what_no_page_gave_is_refused(orders: Bench) -> None:
    asked = view(orders)
    for path in (
        "orders?after=x",
        "worklist?after=2024-01-01",
        "duties?urgency=soon&after=2024-01-01 x",
        "returns/cpo?year=2024-26",
        "orders?missed=tea",
    ):
        assert asked.ask(path).status_code == 422, path


def test_every_route_is_documented(orders: Bench, unpaid_work: Bench) -> None:
    paths = {*view(orders).client.get("/openapi.json").json()["paths"]}
    assert paths >= {"/v1/orders", "/v1/orders/{subject}", "/v1/worklist", "/v1/findings", "/v1/standards", "/v1/held"}
    assert paths >= {"/v1/returns/cpo", "/v1/returns/annual-report", "/v1/returns/reconciliation"}
    paths = {*view(unpaid_work).client.get("/openapi.json").json()["paths"]}
    assert paths >= {"/v1/ledgers/{subject}", "/v1/worklist", "/v1/returns/unpaid-work"}


def test_a_list_of_one_caseload_is_its_orders_and_no_others(bench: Callable[[str], Bench]) -> None:
    one = bench("orders")
    found = [
        (kind, code, lines) for kind, code, lines in scenario.topics() if (kind, code) == (Topic.ORDERS, EDINBURGH)
    ]
    told = [(kind, code, [*map(with_caseload, lines)]) for kind, code, lines in found]
    for fetch in scenario.slices(told, 1000, 0):
        one.worker().process(fetch)
    asked = view(one)
    whole = asked.get("orders", limit=1000)["orders"]
    for caseload in CASELOADS:
        rows = asked.pages("orders", "orders", caseload=caseload, limit=3)
        assert rows == [row for row in whole if caseload_of(row["subject"]) == caseload]
        assert {row["caseload"] for row in rows} == {caseload}
        both = asked.get("orders", caseload=caseload, open="true", limit=1000)["orders"]
        assert both == [row for row in rows if row["ended_on"] is None]
    assert not asked.get("orders", caseload="team-9")["orders"]


CASELOADS = ("team-0", "team-1")


def caseload_of(subject: str) -> str:
    return CASELOADS[sum(subject.encode()) % 2]


def with_caseload(line: bytes) -> bytes:
    """Return the same event with a caseload; a line that is no event stays as it is."""
    try:
        event = json.loads(line)
        return json.dumps(event | {"caseload": caseload_of(event["subject"])}).encode()
    except (ValueError, TypeError, KeyError):
        return line
