"""An authority's own totals for a month, pure. They are facts of its record `-`, counted like any other and so
published beside our counts.
"""

from datetime import MINYEAR, date
from typing import Never

from contracts.events import PeriodClosed
from services.records.model.deadlines import Cells, Counts, add
from services.records.model.record import Record, facts

TOTALS = ("orders_imposed", "orders_ended", "minutes_credited")
"""Each is named after the measure whose total it must equal."""


def count_totals(record: Record, *names: str) -> Counts[Never]:
    """Count the authority's stated totals of these names."""
    cells: Cells = {}
    for closed in facts(record, PeriodClosed):
        month = date(max(int(closed.month[:4]), MINYEAR), int(closed.month[5:]), 1)
        for name in names:
            add(cells, "control_totals", month, f"total={name}", getattr(closed, name))
    return Counts.of(cells)
