"""The course of one order: how it will end, and the facts recorded on the way."""

from dataclasses import dataclass, field
from datetime import date
from random import Random

from contracts.codes import Change, EndReason, LateReason, RequirementKind
from contracts.events import Fact, OrderImposed, RequirementVaried, Supervision, UnpaidWork
from services.simulate.chances import Chances, happens
from services.simulate.home import Home
from services.simulate.working_days import nth_after

_WHY_LATE = Chances(
    {
        LateReason.DID_NOT_ATTEND: 41.4,
        LateReason.ON_OTHER_ORDER: 4.5,
        LateReason.IN_CUSTODY: 3.0,
        LateReason.EMPLOYMENT: 2.4,
        LateReason.ILL: 1.3,
        LateReason.OTHER_CLIENT: 16.5,
        LateReason.STAFF_NOT_AVAILABLE: 3.3,
        LateReason.OTHER_SERVICE: 27.7,
    }
)
"""Shares as published for first contact. Other standards differ, but nobody has published how."""
_WHY_LATE_TO_WORK = Chances(
    {
        LateReason.DID_NOT_ATTEND: 30,
        LateReason.FIRST_CONTACT_LATE: 8,
        LateReason.EMPLOYMENT: 8,
        LateReason.ILL: 8,
        LateReason.NON_COMPLIANCE: 6,
        LateReason.OTHER_CLIENT: 8,
        LateReason.NO_SUITABLE_WORK: 14,
        LateReason.STAFF_NOT_AVAILABLE: 6,
        LateReason.OTHER_SERVICE: 12,
    }
)
_EXEMPT = Chances({LateReason.COULD_NOT_COMPLY: 3, LateReason.TRANSFERRED_IN: 1})
_EXEMPT_SHARE = 0.008
_REASON_GIVEN = 0.85

Band = tuple[float, int, int]
"""A share, and from how many to how many working days."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the order and its unpaid work will end."""

    ended_on: date
    reason: EndReason
    placed_on: date | None = None
    """When unpaid work will begin; None for an order without it, and for one whose work never begins."""
    work_done_on: date | None = None


@dataclass(slots=True)
class Course:
    """One order as it proceeds; all later facts are added through it."""

    rng: Random
    home: Home
    subject: str
    imposed: OrderImposed
    outlook: Outlook
    work: UnpaidWork | None
    supervision: Supervision | None
    start: date
    """The day from which the authority has the order: imposition, or transfer from elsewhere."""
    horizon: date = date.max
    """Sessions of unpaid work after this day need not be made up."""
    hours_at_the_end: int = 0
    """Hours of unpaid work, with all changes by the court."""
    variations: int = 0
    facts: list[tuple[date, Fact]] = field(default_factory=list)
    """Facts, each with the day on which it became known."""

    @property
    def from_elsewhere(self) -> bool:
        """Return whether it began in another jurisdiction or authority."""
        return self.imposed.outside_jurisdiction or self.start != self.imposed.imposed_on

    def say(self, day: date, fact: Fact) -> None:
        self.facts.append((day, fact))

    def vary(self, day: date, change: Change, *, hours: int | None = None, complete_by: date | None = None) -> None:
        """Add a change of the unpaid work by the court."""
        self.variations += 1
        fact = RequirementVaried(
            ref=f"v{self.variations}",
            varied_on=day,
            change=change,
            kind=RequirementKind.UNPAID_WORK,
            hours=hours,
            complete_by=complete_by,
        )
        self.say(day, fact)

    def happens(self, share: float) -> bool:
        return happens(self.rng, share)

    def delay(self, standard: str, *bands: Band) -> tuple[date, bool]:
        """Return the day on which a standard is met, and whether that is late. The first band is the one in time."""
        in_time = self.home.in_time(standard, bands[0][0])
        if self.happens(in_time):
            _, fewest, most = bands[0]
            return nth_after(self.start, self.rng.randint(fewest, most)), False
        _, fewest, most = Chances({band: band[0] for band in bands[1:]}).pick(self.rng)
        return nth_after(self.start, self.rng.randint(fewest, most)), True

    def reason(self, late: bool, at_work: bool = False) -> LateReason | None:
        if self.happens(_EXEMPT_SHARE):
            drawn = _EXEMPT.pick(self.rng)
            return drawn if self.from_elsewhere else LateReason.COULD_NOT_COMPLY
        if late and self.happens(_REASON_GIVEN):
            return (_WHY_LATE_TO_WORK if at_work else _WHY_LATE).pick(self.rng)
        return None
