"""The unpaid work of an order in terms of its model, derived from its record, pure."""

from dataclasses import dataclass
from datetime import date

from contracts.codes import Change, RequirementKind
from contracts.events import OrderEnded, OrderImposed, OrderReceived, RequirementVaried, TransferReceived, UnpaidWork
from services.records.model.record import Record, fact, facts, is_void


@dataclass(frozen=True, slots=True)
class Order:
    """The parts of an order, imposed and not withdrawn, that unpaid work needs."""

    imposed: OrderImposed
    unpaid_work: UnpaidWork | None
    """The requirement as first imposed."""
    ended: OrderEnded | None
    transferred_in: bool
    received_on: date | None
    """The day on which it was received from elsewhere, if that was reported."""
    variations: tuple[RequirementVaried, ...]
    """The changes of unpaid work, in the order in which the court made them."""

    @property
    def excluded(self) -> bool:
        """Return whether the order came from elsewhere, so that no clock from imposition applies at this authority."""
        return self.imposed.outside_jurisdiction or self.transferred_in

    @property
    def begun_on(self) -> date:
        """Return the day from which this authority manages the order: its receipt if it came from elsewhere, else its imposition."""
        return max(self.received_on or self.imposed_on, self.imposed_on)

    @property
    def imposed_on(self) -> date:
        return self.imposed.imposed_on

    @property
    def ended_on(self) -> date | None:
        return self.ended.ended_on if self.ended else None

    def minutes_ordered(self) -> list[tuple[date, int]]:
        """Return the minutes first ordered, then each later change as a difference, with its day."""
        steps, hours = [], 0
        if self.unpaid_work is not None:
            hours = self.unpaid_work.hours
            steps.append((self.imposed.imposed_on, hours * 60))
        for variation in self.variations:
            new = 0 if variation.change is Change.REMOVED else variation.hours
            if new is not None and new != hours:
                steps.append((variation.varied_on, (new - hours) * 60))
                hours = new
        return steps

    def court_dates(self) -> list[tuple[date, date]]:
        """Return the dates for completion that the court set, each with the day on which it did."""
        dates = [(v.varied_on, v.complete_by) for v in self.variations if v.complete_by is not None]
        if self.unpaid_work is not None and self.unpaid_work.complete_by is not None:
            dates.append((self.imposed_on, self.unpaid_work.complete_by))
        return dates


def order_of(record: Record) -> Order | None:
    """Return the order; None if nothing was imposed (yet), or the order counts nothing (`is_void`)."""
    imposed = fact(record, "imposed", OrderImposed)
    if imposed is None or is_void(record):
        return None
    variations = (v for v in facts(record, RequirementVaried) if v.kind is RequirementKind.UNPAID_WORK)
    arrived = fact(record, "transferred_in", TransferReceived)
    received = fact(record, "received", OrderReceived) if imposed.outside_jurisdiction else None
    begins = arrived or received
    return Order(
        imposed,
        next((r for r in imposed.requirements if isinstance(r, UnpaidWork)), None),
        fact(record, "ended", OrderEnded),
        arrived is not None,
        begins.received_on if begins else None,
        tuple(sorted(variations, key=lambda v: (v.varied_on, v.ref))),
    )


def level(hours: int) -> int:
    """Return the level of unpaid work: 1 for up to 100 hours, 2 above."""
    return 1 if hours <= 100 else 2
