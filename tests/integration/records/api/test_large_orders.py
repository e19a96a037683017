"""An authority's answers about many of the largest orders take no more memory than a few, whoever else waits in the same process."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.records.api import listing
from services.records.api.findings import everything
from services.records.ingest import recount
from services.records.ingest.recount import differences
from services.records.model.limit import MOST_FACTS
from tests.integration.records.conftest import Bench
from tests.integration.records.ingest.guarding.test_turns import GREEDY, finish, told
from tests.support.desk import ManagersView, client

FETCHED = 20
MANY = 4 * FETCHED
COPY = text(
    "INSERT INTO records SELECT (jsonb_populate_record(r, jsonb_build_object('subject', 'CPO/' || lpad(CAST(n AS text), 4, '0')))).* "
    "FROM records r CROSS JOIN generate_series(1, :many) n WHERE r.subject = 'CPO/0'"
)
MOST_BYTES = FETCHED * 1_500_000
"""Each is a row of 400 KB, which is there twice for a moment, and one at a time is more than 1 MB as facts."""
SUBJECTS = ["CPO/0", *(f"CPO/{number:04}" for number in range(1, MANY + 1))]


@pytest.fixture
def large(bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a service with many orders of as many facts as may be, all of which break a rule. It fetches fewer than it else does."""
    monkeypatch.setattr(recount, "FETCHED", FETCHED)
    monkeypatch.setattr(listing, "FETCHED", FETCHED)
    one = bench("unpaid_work")
    finish(one.worker(), [told(GREEDY, ["CPO/0"], list(range(MOST_FACTS - 1)))])
    with one.database.begin() as connection:
        connection.execute(COPY, {"many": MANY})
    return one


def peak_of(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def view(bench: Bench) -> ManagersView:
    return ManagersView(client(bench.database, bench.domain, "2026-09-30"), GREEDY)


def test_a_page_of_findings_holds_no_more_than_fits(large: Bench) -> None:
    asked = view(large)
    assert peak_of(lambda: asked.get("findings", limit=1000)) < MOST_BYTES
    page = asked.get("findings", limit=1000)
    assert sum(len(one["facts"]) for one in page["findings"]) < everything.MOST_NAMED + MOST_FACTS
    assert [one["subject"] for one in asked.pages("findings", "findings", limit=1000)] == SUBJECTS, "all, page by page"


def test_what_goes_through_all_orders_holds_few_of_them(large: Bench) -> None:
    asked = view(large)
    assert peak_of(lambda: asked.get("capacity")) < MOST_BYTES
    with large.database.connect() as connection:
        assert peak_of(lambda: differences(connection, large.domain, GREEDY)) < MOST_BYTES


def test_an_explanation_takes_no_large_order_apart(large: Bench) -> None:
    """It took four minutes of the API's time: each fact of an order was taken away, and the rest counted again."""
    found = view(large).get("explain", measure="sessions", period="2025-03")
    assert len(found["behind"]) == found["orders"] == len(SUBJECTS)
    assert {(one["facts_sought"], *one["facts"]) for one in found["behind"]} == {(False,)}
