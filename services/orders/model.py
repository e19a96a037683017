"""An order in terms of its model, derived from its record, pure."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date

from contracts.categories import LENGTH_BANDS
from contracts.codes import AgeBand
from contracts.events import OrderEnded, OrderImposed, OrderReceived, Supervision, TransferReceived, UnpaidWork
from services.records.model.record import Record, fact, is_void


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was imposed and not withdrawn."""

    imposed: OrderImposed
    ended: OrderEnded | None
    transferred_in: TransferReceived | None
    received: OrderReceived | None = None
    unpaid_work: UnpaidWork | None = None
    supervision: Supervision | None = None

    @property
    def excluded(self) -> bool:
        """Return whether the order came from elsewhere, so that no clock from imposition applies at this authority."""
        return self.imposed.outside_jurisdiction or self.transferred_in is not None

    @property
    def imposed_on(self) -> date:
        return self.imposed.imposed_on

    @property
    def ended_on(self) -> date | None:
        return self.ended.ended_on if self.ended else None

    @property
    def begun_on(self) -> date:
        """Return the day from which this authority manages the order: its receipt if it came from elsewhere, else its imposition."""
        arrived = self.transferred_in or (self.received if self.excluded else None)
        return max(arrived.received_on, self.imposed_on) if arrived else self.imposed_on


def order_of(record: Record) -> Order | None:
    """Return the order; None if nothing was imposed (yet), or the order counts nothing (`is_void`)."""
    imposed = fact(record, "imposed", OrderImposed)
    if imposed is None or is_void(record):
        return None
    return Order(
        imposed,
        fact(record, "ended", OrderEnded),
        fact(record, "transferred_in", TransferReceived),
        fact(record, "received", OrderReceived) if imposed.outside_jurisdiction else None,
        next((r for r in imposed.requirements if isinstance(r, UnpaidWork)), None),
        next((r for r in imposed.requirements if isinstance(r, Supervision)), None),
    )


_AGE_BANDS = tuple(AgeBand)
_OLDEST = (17, 20, 25, 30, 40)
_LONGEST = (6, 12, 18, 24)


def age_band(age: int) -> AgeBand:
    """Return the published band of an age in whole years."""
    return _AGE_BANDS[bisect_left(_OLDEST, age)]


def level(hours: int) -> int:
    """Return the level of unpaid work: 1 for up to 100 hours, 2 above."""
    return 1 if hours <= 100 else 2


def length_band(months: int) -> str:
    """Return the published band of a length of supervision."""
    return LENGTH_BANDS[bisect_left(_LONGEST, months)]
