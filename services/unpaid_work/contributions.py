"""The amounts that the unpaid work of one order adds to the national cells, pure. A cell is always the sum of these over all records."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from contracts.events import HoursAdjusted, SessionRecorded
from contracts.periods import month_of
from services.records.model.calendar import Calendar
from services.records.model.control_totals import count_totals
from services.records.model.counting import Counting, Each, Note, Ordered, Part
from services.records.model.deadlines import NOTHING, Cells, Counts, Reading, add, clocks, count_reason, counted
from services.records.model.findings import counted_findings
from services.records.model.record import VOIDING, Entry, Record, is_void, name_of
from services.unpaid_work import deadlines
from services.unpaid_work.findings import OWN, Sums, findings_of, sums_of
from services.unpaid_work.model import Order, level, order_of
from services.unpaid_work.rules import days_band


class View(NamedTuple):
    """A record in the form in which it is counted."""

    order: Order | None
    void: bool
    """Whether none of the order counts."""
    ordered: tuple[tuple[date, int], ...]
    """Minutes that the court ordered, step by step."""
    sums: Sums
    """Sums of the credit, kept up to date with each fact, since a record may hold a hundred sessions."""


def view_of(record: Record) -> View:
    return _view(record, sums_of(record))


def _view(record: Record, sums: Sums) -> View:
    order = order_of(record)
    return View(order, is_void(record), tuple(order.minutes_ordered()) if order is not None else (), sums)


def _renew(before: View, was: Record, now: Record, changed: Collection[str]) -> View:
    sums, names = before.sums, set(map(name_of, changed))
    for key in changed:
        if name_of(key) in OWN:
            if key in was:
                sums = sums.plus(was[key].data, -1)
            sums = sums.plus(now[key].data)
    return View(before.order, before.void, before.ordered, sums) if _ORDER.isdisjoint(names) else _view(now, sums)


def _count_credit(cells: Cells, view: View, entry: Entry) -> None:
    """Count one session or adjustment. Without an imposed order, only these count; with one, they also close its minutes."""
    data = None if view.void else entry.data
    if type(data) is SessionRecorded:
        month, minutes = month_of(data.session_on), data.minutes_credited
        add(cells, "sessions", month)
        add(cells, "sessions", month, f"attendance={data.attendance}")
        if minutes:
            add(cells, "minutes_credited", month, f"activity={data.activity}", minutes)
            add(cells, "minutes_credited", month, f"work_type={data.work_type}", minutes)
    elif type(data) is HoursAdjusted:
        month, minutes = month_of(data.adjusted_on), data.minutes
        add(cells, "minutes_credited", month, "activity=adjustment", minutes)
    else:
        return
    if minutes:
        add(cells, "minutes_credited", month, "", minutes)
        _close_minutes(cells, view, month, minutes)


def _close_minutes(cells: Cells, view: View, month: date, minutes: int) -> None:
    """Count credit as leaving what is outstanding; for an ended order, at the end."""
    order = view.order
    if order is None or not view.ordered:
        return
    add(cells, "minutes_outstanding_closed", month, "", minutes)
    if order.ended_on is not None:
        add(cells, "minutes_outstanding_closed", month_of(order.ended_on), "", -minutes)


def _count_outstanding(_record: Record, view: View, _calendar: Calendar) -> Counts[Note]:
    """Count two flows whose running difference is the stock. An ended order nets to zero."""
    order = view.order
    if order is None or not view.ordered:
        return NOTHING
    cells: Cells = {}
    for on, minutes in view.ordered:
        add(cells, "minutes_outstanding_opened", month_of(on), "", minutes)
    ordered = sum(minutes for _, minutes in view.ordered)
    if order.ended_on is not None:
        add(cells, "minutes_outstanding_closed", month_of(order.ended_on), "", ordered)
    return Counts.of(cells, (Ordered(ordered),))


def _count_induction(record: Record, view: View, calendar: Calendar) -> Counts[Note]:
    return NOTHING if view.order is None else deadlines.induction_of(record, view.order, calendar)


def _count_placement(record: Record, view: View, calendar: Calendar) -> Counts[Note]:
    return NOTHING if view.order is None else deadlines.placement_of(record, view.order, calendar)


def _count_completion(record: Record, view: View, calendar: Calendar) -> Counts[Note]:
    order = view.order
    reading = deadlines.completion_of(record, order, calendar) if order is not None else None
    if order is None or order.unpaid_work is None or reading is None:
        return NOTHING
    if reading.on is None or not reading.band:
        return counted([reading])
    cells: Cells = {}
    _count_completed(cells, reading, reading.on, order.unpaid_work.hours)
    return Counts.of(cells, (reading,))


def _count_completed(cells: Cells, reading: Reading, on: date, hours: int) -> None:
    month, days, by_level = reading.month, (on - reading.start).days, f"level={level(hours)}"
    for category in (f"class={reading.band}", by_level, f"days_band={days_band(days)}"):
        add(cells, "unpaid_work_completed", month, category)
    for category in ("", by_level):
        add(cells, "unpaid_work_days", month, category, days)
    count_reason(cells, reading)


def _count_totals(record: Record, _view: View, _calendar: Calendar) -> Counts[Note]:
    return count_totals(record, "minutes_credited")


def _count_findings(record: Record, view: View, _calendar: Calendar) -> Counts[Note]:
    if view.void:
        return NOTHING
    ordered = sum([minutes for _, minutes in view.ordered])
    return counted_findings(findings_of(record, view.order, ordered, view.sums))


_ORDER = frozenset({"imposed", "ended", "received", "transferred_in", "variation"}) | VOIDING
_CREDIT = frozenset({"session", "adjustment"})

COUNTING: Counting[View] = Counting(
    view_of,
    (
        Part(_ORDER, _count_outstanding, frozenset({"minutes_outstanding_opened", "minutes_outstanding_closed"})),
        Part(_ORDER | {"induction"}, _count_induction, clocks("induction")),
        Part(_ORDER | {"placement"}, _count_placement, clocks("placement")),
        Part(_ORDER | {"work_completed"}, _count_completion, clocks("completion") | {"unpaid_work_days"}),
        Part(frozenset({"period"}), _count_totals, frozenset({"control_totals"})),
        Part(_ORDER | _CREDIT | {"induction", "placement", "work_completed"}, _count_findings, frozenset({"findings"})),
    ),
    Each(_CREDIT, _ORDER, _count_credit, frozenset({"sessions", "minutes_credited", "minutes_outstanding_closed"})),
    _renew,
)
