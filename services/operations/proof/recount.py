"""Counts the main cells a second time, by independent queries: they find errors in the rules, which proof and worker share."""

from collections import Counter
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from services.operations.proof.books import Books, Found
from services.operations.proof.expected import CellKey
from services.operations.proof.mismatch import Mismatch, unequal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

QUERIES = Path(__file__).with_suffix(".sql")
COUNTED = {
    "orders": frozenset({
        "orders_imposed", "requirements_imposed", "unpaid_work_minutes_imposed", "supervision_months_imposed", "orders_opened",
        "orders_closed", "orders_ended", "breach_outcomes", "first_contact", "case_meeting", "plan",
        "pending_first_contact", "pending_case_meeting", "pending_plan",
    }),
    "unpaid_work": frozenset({
        "induction", "placement", "pending_induction", "pending_placement", "unpaid_work_completed", "unpaid_work_days",
        "pending_completion", "sessions", "minutes_credited", "minutes_outstanding_opened", "minutes_outstanding_closed",
    }),
}  # fmt: skip
"""The measures that the queries count, with all their categories."""


def possible() -> bool:
    """Return whether DuckDB is installed, which only operations bring."""
    return find_spec("duckdb") is not None


def recounted(books: Books) -> Found:
    """Yield the cells in which the rules and the queries differ."""
    if not possible():
        return
    import duckdb  # noqa: PLC0415

    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as connection:
        counted, unsure = _counted(connection, books)
    measures = COUNTED[books.domain.service]
    ruled = _of_rules(books, unsure)
    held, proved = ({key: n for key, n in cells.items() if n and key[0] in measures} for cells in (ruled, counted))
    for cell in unequal(held, proved):
        measure, period, category = cell
        what = f"{measure}|{books.authority}|{period}|{category} by the rules"
        yield Mismatch(f"{books.domain.service}.cells", what, held.get(cell, 0), proved.get(cell, 0))


def _of_rules(books: Books, without: Collection[str]) -> Counter[CellKey]:
    total = Counter(books.contributed)
    for subject in without:
        total.subtract(books.domain.contributions(books.records[subject]))
    return total


def _counted(connection: "DuckDBPyConnection", books: Books) -> tuple[dict[CellKey, int], list[str]]:
    """Return the cells, and the orders of which the queries cannot say which statement holds."""
    messages = pa.table(
        {"value": pa.array([_text(one.value) for one in books.heard if one.event is not None], pa.string())}
    )
    closed = pa.table({"day": pa.array(sorted(books.domain.calendar.closed), pa.date32())})
    connection.register("messages", messages)
    connection.register("closed", closed)
    connection.register("overfull", pa.table({"subject": pa.array(sorted(books.overfull), pa.string())}))
    connection.execute(QUERIES.read_text())
    cells = connection.execute("SELECT measure, period, category, number FROM cells").fetchall()
    unsure = connection.execute("SELECT subject FROM unsure").fetchall()
    return {(measure, period, category): number for measure, period, category, number in cells}, [
        row[0] for row in unsure
    ]


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8-sig")
