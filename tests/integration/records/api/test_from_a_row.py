"""A row of a spreadsheet that the platform refuses is found again at the desk, by its file, sheet and row."""

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from openpyxl import load_workbook

from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.topics import topic_of
from services.chassis.streaming.batches import Slice
from services.connect.extracts.sources import digest_in
from services.connect.state import State
from tests.integration.connect.test_worked import Desk as Worked
from tests.integration.records.conftest import Bench
from tests.support.desk import desk_over
from tests.support.scenario import Sent

SHETLAND = "S12000027"
FILE = "orders 2026-03-02.xlsx"
ARRIVED = datetime(2026, 2, 20, tzinfo=UTC)
"""Before the extract was taken, which the platform does not believe."""


def test_a_refused_row_is_found_again(bench: Callable[[str], Bench]) -> None:
    records = {"orders": bench("orders"), "unpaid_work": bench("unpaid_work")}
    with closing(State(None)) as state:
        worked = Worked("one-row-per-order/orders.yaml", state)
        worked.morning(FILE)
        bodies = [waiting.body for waiting in state.waiting(0, 10_000)]
    path, row = worked.folder / FILE, row_of(worked)
    said = [event for body in bodies if isinstance(event := judge(body, datetime.now(UTC)), Event)]
    ours = {event.extract_row for event in said if event.subject == "SH-25/0160"}
    assert ours == {f"{digest_in(path).hex()[:16]}.1.{row}"}
    messages = [Sent(number, body, int(ARRIVED.timestamp() * 1000)) for number, body in enumerate(bodies)]
    topic = topic_of(records["orders"].domain.own, SHETLAND)
    records["orders"].worker().process([Slice(topic, 0, messages)])
    page_at = desk_of(records)
    page = page_at("/refusals?state=all")
    assert f"{digest_in(path).hex()[:16]}</span>, sheet 1, row {row}" in page
    (ours_on_page, *_) = [line for line in page.split("<tr>") if f"row {row}<" in line]
    link = re.search(r'href="(/refusals/orders/\d+)"', ours_on_page)
    assert link
    assert f"row {row} of sheet 1</strong> of the file" in page_at(link[1])


def row_of(worked: Worked) -> int:
    """Return the number of the row, as somebody who opens the workbook counts."""
    sheet = load_workbook(worked.folder / FILE).worksheets[0]
    (row,) = [cell.row for row in sheet.iter_rows() for cell in row if "0160" in str(cell.value)]
    assert row
    return row


def desk_of(records: dict[str, Bench]) -> Callable[[str], str]:
    """Return what gives the pages of a desk that asks both services."""
    pages = desk_over({name: (one.database, one.domain) for name, one in records.items()}, "2026-03-05")
    given = {"Cookie": pages.cookie(SHETLAND, "orders:read")}
    return lambda path: pages.client.get(path, headers=given).raise_for_status().text
