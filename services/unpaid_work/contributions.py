"""What the unpaid work of one order adds to the national cells, pure. A cell is the sum of this over all records, always."""

from datetime import date

from contracts.events import HoursAdjusted, InductionHeld, PlacementStarted, SessionRecorded, WorkCompleted
from services.records.calendar import Calendar, month_of
from services.records.clocks import INDUCTION, PLACEMENT, Cells, Stop, add, count_clock
from services.records.record import Record, fact, is_withdrawn
from services.unpaid_work.model import Order, level, order_of
from services.unpaid_work.rules import completion_class, days_band, legal_period_ends


def contributions(record: Record, calendar: Calendar) -> Cells:
    """The cells that this record counts in. Without an imposed order, only its sessions and minutes count."""
    cells: Cells = {}
    if is_withdrawn(record):
        return cells
    credited = _count_credit(cells, record)
    order = order_of(record)
    if order is not None and order.unpaid_work is not None:
        _count_clocks(cells, record, order, calendar)
        _count_completion(cells, record, order)
    if order is not None:
        _count_outstanding(cells, order, credited)
    return cells


def _count_credit(cells: Cells, record: Record) -> dict[date, int]:
    """Counts sessions and credit; answers with the minutes credited by month."""
    credited: dict[date, int] = {}
    for entry in record.values():
        data = entry.data
        if type(data) is SessionRecorded:
            month = month_of(data.session_on)
            add(cells, "sessions", month)
            add(cells, "sessions", month, f"attendance={data.attendance}")
            if data.minutes_credited:
                credited[month] = credited.get(month, 0) + data.minutes_credited
                add(cells, "minutes_credited", month, f"activity={data.activity}", data.minutes_credited)
                add(cells, "minutes_credited", month, f"work_type={data.work_type}", data.minutes_credited)
        elif type(data) is HoursAdjusted:
            month = month_of(data.adjusted_on)
            credited[month] = credited.get(month, 0) + data.minutes
            add(cells, "minutes_credited", month, "activity=adjustment", data.minutes)
    for month, minutes in credited.items():
        add(cells, "minutes_credited", month, "", minutes)
    return credited


def _count_clocks(cells: Cells, record: Record, order: Order, calendar: Calendar) -> None:
    induction = fact(record, "induction", InductionHeld)
    stop = Stop(induction.held_on, induction.late_reason) if induction else None
    count_clock(cells, INDUCTION, order, stop, calendar)
    placement = fact(record, "placement", PlacementStarted)
    stop = Stop(placement.started_on, placement.late_reason) if placement else None
    count_clock(cells, PLACEMENT, order, stop, calendar)


def _count_completion(cells: Cells, record: Record, order: Order) -> None:
    completed = fact(record, "work_completed", WorkCompleted)
    assert order.unpaid_work is not None
    if completed is not None:
        month, days = month_of(completed.completed_on), (completed.completed_on - order.imposed.imposed_on).days
        add(cells, "unpaid_work_completed", month, f"class={completion_class(order, completed.completed_on)}")
        add(cells, "unpaid_work_completed", month, f"level={level(order.unpaid_work.hours)}")
        add(cells, "unpaid_work_completed", month, f"days_band={days_band(days)}")
        add(cells, "unpaid_work_days", month, "", days)
    elif order.ended is None and (legal := legal_period_ends(order)) is not None:
        add(cells, "pending_completion", max(legal, order.complete_by() or legal))


def _count_outstanding(cells: Cells, order: Order, credited: dict[date, int]) -> None:
    """Two flows, whose running difference is the stock. An ended order nets to zero."""
    ordered = order.minutes_ordered()
    for on, minutes in ordered:
        add(cells, "minutes_outstanding_opened", month_of(on), "", minutes)
    if not ordered:
        return
    for month, minutes in credited.items():
        add(cells, "minutes_outstanding_closed", month, "", minutes)
    if order.ended_on is not None:
        left = sum(minutes for _, minutes in ordered) - sum(credited.values())
        add(cells, "minutes_outstanding_closed", month_of(order.ended_on), "", left)
