"""Explains why one figure differs between two days, for viewers who may see it exactly."""

from dataclasses import dataclass, replace
from datetime import date

from contracts.periods import last_day, months_between
from services.reporting.disclosure.gate import Counted, Explained, Gate, NotForViewer
from services.reporting.figures.answers import Enquiry, TooMuch, reported_figures
from services.reporting.read.history import steps
from services.reporting.read.queries import BEGINNING, Grain, Span, indicator_sums
from services.reporting.read.vintages import AsOf, Wanted
from services.reporting.registry.areas import members, to_read
from services.reporting.registry.catalogue import definition
from services.reporting.registry.indicators import Form, Indicator, Kind, Status
from services.reporting.registry.population import people_of
from services.reporting.statistics.causes import Cause, Counts, by_cause, moves

MOST_MONTHS = 24
NOT_EXPLAINED = {
    Kind.OVERDUE: "What is overdue changes with the day alone",
    Kind.AGREEMENT: "Agreement of totals is not a sum of cells",
}


class CannotExplain(Exception):
    """The figure cannot be explained by changes of cells. The message says why."""


@dataclass(frozen=True, slots=True)
class Between:
    """Two days, and the version of the definition for each."""

    first_day: date
    last_day: date
    first_version: int
    last_version: int


def explain(enquiry: Enquiry, indicator: Indicator, span: Span, area: str, between: Between) -> Explained:
    """Return the figure on both days, and the parts by cause. Raises NotForViewer, CannotExplain, TooMuch, NotThere."""
    old, new = (definition(indicator.id, version) for version in (between.first_version, between.last_version))
    gate = Gate(enquiry.viewer)
    if not gate.sees_whole(area):
        raise NotForViewer(
            "Figures as they were on a day are for national viewers and the authority itself; releases list what moved"
        )
    if enquiry.viewer.audience != "national" and Status.PROPOSED in {old.status, new.status}:
        raise NotForViewer("A proposed version is for national statistics and inspection")
    for each in (old, new):
        if each.kind in NOT_EXPLAINED:
            raise CannotExplain(NOT_EXPLAINED[each.kind])
    stock = Kind.STOCK in {old.kind, new.kind}
    if not stock and len(months_between(span.first, span.last)) > MOST_MONTHS:
        raise TooMuch
    before = _counts(enquiry, old, span, area, between.first_day)
    still_old = _counts(enquiry, old, span, area, between.last_day)
    after = _counts(enquiry, new, span, area, between.last_day)
    parts = _moved(enquiry, old, span, area, between)
    if old.kind is Kind.POPULATION_RATE:
        before = _of_as_many(before, still_old)
        parts = {cause: Counts(each.numerator, 0) for cause, each in parts.items()}
    parts[Cause.DUE] = still_old - sum(parts.values(), before)
    parts[Cause.DEFINITION] = after - still_old
    months = _months(enquiry, old, span, area, between)
    found = gate.explained((old, new), area, span, (before, after), parts, months)
    there = (
        _is_there(enquiry, old, span, area, between.first_day),
        _is_there(enquiry, new, span, area, between.last_day),
    )
    return _only_there(found, there)


def _is_there(enquiry: Enquiry, indicator: Indicator, span: Span, area: str, day: date) -> bool:
    """Return whether there was a figure on the day: an area that had reported nothing had none."""
    return not _reported(enquiry, indicator, span, day).isdisjoint(members(area))


def _months(enquiry: Enquiry, indicator: Indicator, span: Span, area: str, between: Between) -> Counted:
    """Return how many months count on each day, as in the figures of those days."""
    before, after = (
        enquiry.months_of(AsOf(day), span, indicator.services, area).reported
        for day in (between.first_day, between.last_day)
    )
    passed = before | {month for month in after if month > max(before, default=BEGINNING)}
    asked = len(months_between(span.first, span.last))
    return Counted(*(len(each) or asked for each in (before, passed, after)))


def _reported(enquiry: Enquiry, indicator: Indicator, span: Span, day: date) -> frozenset[str]:
    return reported_figures(enquiry, AsOf(day), indicator, span, Grain().period)[span.label]


def _of_as_many(before: Counts, later: Counts) -> Counts:
    """Return a rate as if it had had the later number of people from the beginning. Raises CannotExplain if it was about other people."""
    if before.denominator not in {0, later.denominator}:
        raise CannotExplain(
            "More authorities had reported on the later day, so the rate is of more people: ask about the count"
        )
    return Counts(before.numerator, later.denominator)


def _only_there(found: Explained, there: tuple[bool, bool]) -> Explained:
    """Remove the numbers of a day without a figure. The parts stay, since they count from zero."""

    def of(pair: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
        before, after = (number if is_there else None for number, is_there in zip(pair, there, strict=True))
        return before, after

    pairs = of(found.numerator), of(found.denominator), of(found.value)
    return replace(found, numerator=pairs[0], denominator=pairs[1], value=pairs[2])


def _counts(enquiry: Enquiry, indicator: Indicator, span: Span, area: str, day: date) -> Counts:
    forms = [f for f in (indicator.numerator, indicator.denominator) if f is not None]
    found = indicator_sums(enquiry.sums, AsOf(day), indicator, forms, span, Grain(), area, day)

    def of(form: Form) -> int:
        return found.get((form, area, span.label), 0)

    if indicator.kind is Kind.POPULATION_RATE:
        people = people_of(indicator, area, span.label, _reported(enquiry, indicator, span, day))
        return Counts(of(indicator.numerator), people)
    return Counts(of(indicator.numerator), None if indicator.denominator is None else of(indicator.denominator))


def _moved(enquiry: Enquiry, indicator: Indicator, span: Span, area: str, between: Between) -> dict[Cause, Counts]:
    stock = indicator.kind is Kind.STOCK
    forms = [f for f in (indicator.numerator, indicator.denominator, indicator.minus) if f is not None]
    wanted = Wanted(
        measures=tuple({form.measure for form in forms}),
        authorities=to_read(area),
        first=BEGINNING if stock else span.first,
        last=last_day(span.last),
    )
    found = list(moves(steps(enquiry.connection, between.first_day, between.last_day, wanted), between.first_day))
    parts = by_cause(found, indicator.numerator, indicator.denominator)
    if indicator.minus is None:
        return parts
    closed = by_cause(found, indicator.minus, None)
    return {cause: Counts(counts.numerator - closed[cause].numerator, None) for cause, counts in parts.items()}
