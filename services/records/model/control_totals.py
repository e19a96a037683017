"""An authority's own totals for a month, pure. Its record `-` contributes them like any other, so they are published beside our counts."""

from datetime import MINYEAR, date

from contracts.events import PeriodClosed
from services.records.model.deadlines import Cells, add
from services.records.model.record import Record, facts

TOTALS = ("orders_imposed", "orders_ended", "minutes_credited")
"""Each is named like the measure whose total it must equal."""


def count_totals(cells: Cells, record: Record, *names: str) -> None:
    """The authority's stated totals of these names."""
    for closed in facts(record, PeriodClosed):
        month = date(max(int(closed.month[:4]), MINYEAR), int(closed.month[5:]), 1)
        for name in names:
            add(cells, "control_totals", month, f"total={name}", getattr(closed, name))
