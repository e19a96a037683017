"""Orders for tests: as little as a rule needs, or as events report them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from contracts.codes import CourtType, Employment, Ethnicity, Sex
from contracts.decoding.codec import Event, type_of
from contracts.events import Fact, OrderImposed, Supervision, UnpaidWork
from services.records.model.record import Record, apply


@dataclass(frozen=True, slots=True)
class Plain:
    """The parts of an order that a clock needs."""

    imposed_on: date
    ended_on: date | None = None
    excluded: bool = False

    @property
    def begun_on(self) -> date:
        return self.imposed_on


def imposed(on: date, hours: int = 100, months: int = 12) -> OrderImposed:
    """Return an order of supervision and unpaid work."""
    return OrderImposed(
        imposed_on=on,
        court_type=CourtType.SHERIFF_SUMMARY,
        person_ref="person-of-tests-0001",
        sex=Sex.FEMALE,
        age_at_imposition=30,
        ethnicity=Ethnicity.WHITE,
        employment=Employment.EMPLOYED,
        fine_default=False,
        outside_jurisdiction=False,
        progress_review_ordered=False,
        requirements=(UnpaidWork(hours=hours), Supervision(months=months)),
    )


RECORDED = datetime(2026, 1, 1, tzinfo=UTC)


def event(
    fact: Fact, subject: str = "CPO/1", authority: str = "S12000005", number: int = 1, recorded: datetime = RECORDED
) -> Event:
    """Return an event that states the fact."""
    return Event(
        id=f"{number}",
        authority=authority,
        system=None,
        type=type_of(type(fact)),
        subject=subject,
        time=recorded,
        data=fact,
    )


def record(*told: Fact) -> Record:
    """Return the record of these facts."""
    found: Record = {}
    for fact in told:
        apply(found, event(fact))
    return found
