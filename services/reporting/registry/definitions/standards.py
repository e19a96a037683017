"""Standards with a clock, and later duties: reviews, breach and transfers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from contracts.categories import BANDS
from contracts.codes import BreachOutcome
from services.records.model.standards import Length, Unit
from services.reporting.registry.deadlines import NOT_DONE
from services.reporting.registry.definitions.parts import GUIDANCE, TABLES, Breakdowns, coded, late_reasons
from services.reporting.registry.indicators import (
    WHOLE_MONTH,
    Citation,
    Form,
    Good,
    Indicator,
    Kind,
    Status,
    counts,
    form,
    shares,
)

_OFFICER = ("band=within_2", "band=over_2")
_NOT_APPLICABLE = (
    "Orders that could never comply: transferred in, ended before the day it was due, or with such a reason."
)
_CENSORED = (
    "Version 1 was a share of those that had happened. In the latest months those are the ones that happened soon, so it rose "
    "whatever was done, and an authority that never did it looked best."
)
_MONTH = "Anything overdue counts in the month of imposition."


class _Clock(NamedTuple):
    """A standard that runs from the imposition, in words."""

    measure: str
    title: str
    orders: str
    """The orders to which it applies."""
    done: str
    """The act that was done in time, as in `whose induction was held`."""
    limit: Length
    theme: str
    source: Citation

    @property
    def bands(self) -> tuple[str, ...]:
        return tuple(f"band={band}" for band in BANDS[self.measure])

    @property
    def id(self) -> str:
        return f"{self.measure}_{BANDS[self.measure][0]}"

    @property
    def happened(self) -> Form:
        return Form(self.measure, self.bands)

    @property
    def fell_due(self) -> Form:
        return Form(self.measure, (*self.bands, *NOT_DONE))

    @property
    def standard(self) -> str:
        return f"{self.limit.number} {self.limit.unit if self.limit.number > 1 else str(self.limit.unit).rstrip('s')}"


_WORKING_DAYS = Unit.WORKING_DAYS
_CLOCKS = (
    _Clock(
        "first_contact",
        "First contact within 1 working day",
        "Orders",
        "whose first contact was made",
        Length(1, _WORKING_DAYS),
        "Standards",
        TABLES,
    ),
    _Clock(
        "case_meeting",
        "First case management meeting within 5 working days",
        "Orders with supervision",
        "whose first case management meeting was held",
        Length(5, _WORKING_DAYS),
        "Standards",
        TABLES,
    ),
    _Clock(
        "induction",
        "Induction to unpaid work within 5 working days",
        "Orders with unpaid work",
        "whose induction was held",
        Length(5, _WORKING_DAYS),
        "Standards",
        TABLES,
    ),
    _Clock(
        "placement",
        "First placement within 7 working days",
        "Orders with unpaid work",
        "whose first placement began",
        Length(7, _WORKING_DAYS),
        "Standards",
        TABLES,
    ),
    _Clock(
        "plan",
        "Case management plan within 20 working days",
        "Orders with supervision",
        "whose plan was agreed",
        Length(20, _WORKING_DAYS),
        "Standards",
        GUIDANCE,
    ),
)
_SLOWEST_BAND = {
    "first_contact": Length(5, _WORKING_DAYS),
    "case_meeting": Length(10, _WORKING_DAYS),
    "induction": Length(10, _WORKING_DAYS),
    "placement": Length(2, Unit.MONTHS),
    "plan": Length(20, _WORKING_DAYS),
}
"""After this long, a duty that is not done can only fall into the last band, which has no upper limit."""


def _versions(clock: _Clock) -> Iterator[Indicator]:
    """Yield the headline, out of all that fell due; and the share of those that happened, both as its first version and as an indicator of
    its own.
    """
    happened = Indicator(
        id=clock.id,
        title=clock.title,
        definition=f"{clock.orders} {clock.done} within {clock.standard} of imposition, of those for which it has happened.",
        theme=clock.theme,
        kind=Kind.SHARE,
        unit="percent",
        numerator=form(clock.measure, clock.bands[0]),
        denominator=clock.happened,
        exclusions=f"{_NOT_APPLICABLE} Orders for which it has not happened, however long they have waited.",
        good=Good.HIGHER,
        standard=clock.standard,
        source=clock.source,
        breakdowns=(
            ("band", shares(clock.measure, clock.bands, clock.happened)),
            *late_reasons(Form(clock.measure, clock.bands[1:])),
        ),
        status=Status.EARLIER,
        open_for=_SLOWEST_BAND[clock.measure],
    )
    published = f"{clock.id}_of_those_begun"
    yield happened
    yield replace(
        happened,
        definition=(
            f"{clock.orders} {clock.done} within {clock.standard} of imposition, of all for which it fell due: done in time, "
            "done late, missed for good since the order ended, and overdue."
        ),
        denominator=clock.fell_due,
        exclusions=f"{_NOT_APPLICABLE} Orders for which it is not due yet and has not happened.",
        note=_MONTH,
        breakdowns=(
            ("band", shares(clock.measure, (*clock.bands, *NOT_DONE), clock.fell_due)),
            *late_reasons(Form(clock.measure, clock.bands[1:])),
        ),
        version=2,
        status=Status.CURRENT,
        change=_CENSORED,
        open_for=clock.limit,
        published_as=published,
    )
    yield replace(
        happened,
        id=published,
        title=f"{clock.title}, of those that happened",
        status=Status.CURRENT,
        note=(
            "As published tables count, for comparison with them. It leaves out whoever still waits, so the latest months look "
            "better than they are."
        ),
    )


def _due(
    measure: str, title: str, definition: str, parts: tuple[str, ...], source: Citation, open_for: Length = WHOLE_MONTH
) -> Indicator:
    """Return a standard that falls due in a month: the share done on time, out of all that fell due."""
    due = Form(measure, parts)
    return Indicator(
        id=f"{measure}_on_time",
        title=title,
        definition=definition,
        theme="Breach, reviews and transfers",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form(measure, parts[0]),
        denominator=due,
        exclusions="Those marked as not applicable." if len(parts) > 2 else "None.",
        good=Good.HIGHER,
        standard=definition,
        source=source,
        breakdowns=(("outcome", shares(measure, parts, due)),),
        open_for=open_for,
    )


def _due_versions(earlier: Indicator) -> Iterator[Indicator]:
    """Yield two versions: the first left out what was overdue."""
    measure = earlier.numerator.measure
    due = Form(measure, ("on_time", "late", *NOT_DONE))
    yield replace(earlier, status=Status.EARLIER)
    yield replace(
        earlier,
        denominator=due,
        exclusions="Those marked as not applicable, and those that are not due yet.",
        note="Anything overdue counts in the month in which it was due.",
        breakdowns=(("outcome", shares(measure, ("on_time", "late", *NOT_DONE), due)), *_reasons(measure)),
        version=2,
        change="Version 1 left out what was overdue, so that whoever never did it looked best.",
    )


def _with_reasons(found: Indicator) -> Indicator:
    """Return the indicator of breach with its reasons. If a decision was not followed by an application, nothing is known of it, so none
    can be overdue.
    """
    note = (
        "Only applications that were lodged are known. One that is lodged late counts in the month in which it was due."
    )
    return replace(found, note=note, breakdowns=(*found.breakdowns, *_reasons(found.numerator.measure)))


def _reasons(measure: str) -> Breakdowns:
    """Return the breakdowns by reason; reviews have none."""
    return () if measure == "reviews" else late_reasons(form(measure, "late"))


STANDARDS = (
    *(version for clock in _CLOCKS for version in _versions(clock)),
    Indicator(
        id="officer_within_2",
        title="Responsible officer named within 2 days",
        definition=(
            "Orders whose responsible officer was named within 2 days of the authority receiving the order, of those with both dates."
        ),
        theme="Standards",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("officer", "band=within_2"),
        denominator=Form("officer", _OFFICER),
        exclusions="Orders of which either date has not been reported: nobody can tell which of them are overdue.",
        good=Good.HIGHER,
        standard="2 days",
        source=Citation("Criminal Procedure (Scotland) Act 1995, section 227C"),
        breakdowns=(("band", shares("officer", _OFFICER, Form("officer", _OFFICER))),),
        open_for=Length(1, Unit.MONTHS),
    ),
    *_due_versions(
        _due(
            "reviews",
            "Departmental reviews held on time",
            "Reviews held by the day they were due: at 3 months, 6 months, and then every 6 months while the order is open.",
            ("on_time", "late", "missed"),
            GUIDANCE,
        )
    ),
    _with_reasons(
        _due(
            "breach_lodged",
            "Breach applications lodged within 5 working days",
            "Breach applications lodged with the court within 5 working days of the decision to make them.",
            ("on_time", "late"),
            TABLES,
            Length(1, Unit.MONTHS),
        )
    ),
    *_due_versions(
        _due(
            "transfer_answered",
            "Requests for transfer answered within 5 working days",
            "Requests to transfer an order to another authority that were answered within 5 working days.",
            ("on_time", "late", "missed"),
            GUIDANCE,
        )
    ),
    Indicator(
        id="breach_outcomes",
        title="Decisions on breach",
        definition="What courts decided on applications for breach, by month of the decision.",
        theme="Breach, reviews and transfers",
        kind=Kind.COUNT,
        unit="decisions",
        numerator=Form("breach_outcomes", coded("breach_outcome", BreachOutcome)),
        breakdowns=(("breach_outcome", counts("breach_outcomes", "breach_outcome", BreachOutcome)),),
    ),
)
