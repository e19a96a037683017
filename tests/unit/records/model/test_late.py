"""A fact that is read after later days were counted changes those days too, as if it had been read in its turn."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.codes import EndReason
from contracts.decoding.codec import Event
from contracts.events import CaseMeetingHeld, ContactMade, Fact, OrderEnded, PlanAgreed, Topic
from services.orders.domain import domain
from services.records.model.calendar import Calendar
from services.records.model.fold import Arrival, Folded, fold
from services.records.model.record import Record, apply, days_after
from tests.support.lives import imposed
from tests.support.scenario import Sent

ORDERS = domain(Calendar("test", frozenset()))
SUBJECT, KNOWN = "CPO/1", date(2025, 6, 2)
FACTS: tuple[Fact, ...] = (
    imposed(date(2025, 3, 3)),
    ContactMade(made_on=date(2025, 3, 4)),
    PlanAgreed(agreed_on=date(2025, 3, 20)),
    OrderEnded(ended_on=date(2025, 5, 30), reason=EndReason.REVOKED_REVIEW),
    CaseMeetingHeld(held_on=date(2025, 3, 10)),
)
"""Each became known on the day after the one before it."""


def arrival(number: int) -> Arrival:
    fact, time = FACTS[number], datetime(2025, 6, 1, number, tzinfo=UTC)
    event = Event(f"{number}", "S12000049", None, f"{fact.NAME}.v1", SUBJECT, time, fact)
    return Arrival(Topic.ORDERS, Sent(number, b""), KNOWN + timedelta(number), event)


def by_day(*folds: Folded) -> dict[date, Counter[tuple[str, date, str]]]:
    """Return what every cell of the record was at the end of each day."""
    total: Counter[tuple[str, date, str]] = Counter()
    found = {}
    for day in (KNOWN + timedelta(number) for number in range(len(FACTS))):
        for one in folds:
            for cell, step in one.cells.get(day, {}).items():
                if cell[0] not in {"events", "reporting_delay"}:  # about the arrival, and not about the record
                    total[cell] += step
        found[day] = Counter({cell: value for cell, value in total.items() if value})
    return found


@pytest.mark.parametrize("late", range(len(FACTS) - 1))
def test_what_is_read_late_is_told_of_every_day_since(late: int) -> None:
    nothing = {SUBJECT: ORDERS.counted({})}
    in_turn = fold([arrival(number) for number in range(len(FACTS))], nothing, ORDERS)
    others = fold([arrival(number) for number in range(len(FACTS)) if number != late], nothing, ORDERS)
    after = fold([arrival(late)], others.records, ORDERS, KNOWN + timedelta(len(FACTS) - 1))
    assert by_day(others, after) == by_day(in_turn)
    assert len({frozenset(cells.items()) for cells in by_day(in_turn).values()}) == len(FACTS), "no two days are alike"


def test_what_changed_before_the_last_day_is_told_again() -> None:
    """Cells of the last day, and cells that come out the same, are not."""
    first, last = KNOWN, KNOWN + timedelta(1)
    folded = Folded(known_before=last)
    folded.add({first: {("orders_opened", KNOWN, ""): 1, ("orders_closed", KNOWN, ""): 0}})
    folded.add({first: {("orders_opened", KNOWN, ""): 1}, last: {("orders_opened", KNOWN, ""): 3}})
    assert folded.cells == {
        first: {("orders_opened", KNOWN, ""): 2, ("orders_closed", KNOWN, ""): 0},
        last: {("orders_opened", KNOWN, ""): 3},
    }
    assert folded.late_cells() == [("orders_opened", KNOWN, "", first)]


def test_days_after_a_day_are_those_of_later_changes_and_not_its_own() -> None:
    record: Record = {}
    for number in (0, 2, 4):
        came = arrival(number)
        assert isinstance(came.content, Event)
        apply(record, came.content, came.day)
    found = {number: days_after(record, KNOWN + timedelta(number)) for number in (-1, 0, 1, 2, 4)}
    later = [KNOWN, KNOWN + timedelta(2), KNOWN + timedelta(4)]
    assert found == {-1: later, 0: later[1:], 1: later[1:], 2: later[2:], 4: []}
