"""Builds an answer: the vintage that each viewer reads, the sums, and the gate. Pages and every format start here."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple, Self, TypeVar, assert_never

from sqlalchemy import Connection

from contracts.cells import BOTH, Service
from contracts.periods import last_day, month_of, months_between, year_months, year_of
from services.chassis.api.auth import Identity
from services.reporting.disclosure.gate import DECIMALS, Figure, Gate, NotForViewer, Row
from services.reporting.read.coverage import Coverage, Months, as_published, coverage, covered, reported
from services.reporting.read.cube import Cube, read_cube
from services.reporting.read.live_cube import live_cube
from services.reporting.read.queries import (
    ANY_DAY,
    ORDERS,
    WHOLE,
    Days,
    Grain,
    Period,
    Span,
    Sums,
    first_of,
    indicator_sums,
    reach,
    sums,
)
from services.reporting.read.query_cache import cached
from services.reporting.read.vintages import AsOf, Live, Released, Rounded, Vintage
from services.reporting.registry.areas import SCOTLAND, areas_of, is_there, members
from services.reporting.registry.catalogue import DEFINITIONS, definition
from services.reporting.registry.deadlines import is_provisional
from services.reporting.registry.indicators import Form, Indicator, Kind, Part, Status
from services.reporting.registry.population import people_of
from services.reporting.releases.index import ReleaseInfo, release_for

T = TypeVar("T")

MOST_ROWS = 50_000


class TooMuch(Exception):
    """The answer would have more rows than one may hold."""


class NothingReleased(Exception):
    """The viewer may only see releases, and there is none."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one indicator."""

    first: date | None = None
    last: date | None = None
    grain: Grain = WHOLE
    breakdown: str | None = None
    area: str = SCOTLAND
    as_of: date | None = None
    release: str | None = None
    definition: int | None = None
    """The version of the definition; by default the one in force, or the one that the release froze."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows that may be shown, and their origin."""

    indicator: Indicator
    question: Question
    span: Span
    release: ReleaseInfo | None
    """The release of the figures, or of others' figures."""
    live: bool
    """Whether any row is live."""
    whole: Vintage | None
    """The vintage of the areas that the viewer sees exactly."""
    rows: list[Row]
    off_by: int = 0
    """How far counts of shares may differ from the truth, if the viewer is shown Scotland's rounded: a step, or 0 if they are exact."""
    exact: frozenset[str] = frozenset()
    """The areas whose figures the viewer is shown exactly."""

    def off_by_in(self, area: str) -> int:
        """Return how far counts of this area may differ from the truth."""
        return 0 if area in self.exact else self.off_by


class MonthsOf(NamedTuple):
    """The months that count in figures of an area."""

    reported: frozenset[date]
    whole: frozenset[date]
    """Those of them between the first report and the last. Of other months, only late reports are known."""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """The questions of one viewer within one transaction. Shared data are read once."""

    connection: Connection
    viewer: Identity
    today: date
    many: bool = False
    """Whether many figures are asked for: then everything that they share is read at once."""
    _releases: dict[tuple[str | None, date | None], ReleaseInfo | None] = field(default_factory=dict)
    _once: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, what: Hashable, work_out: Callable[[], T]) -> T:
        """Return the result of `work_out`, which is called at most once for this name."""
        if what not in self._once:
            self._once[what] = work_out()
        found: T = self._once[what]
        return found

    def release(self, wanted: str | None = None, as_of: date | None = None) -> ReleaseInfo | None:
        """Return the release that the viewer reads, if any. Raises NotThere for an unknown one."""
        key = wanted, as_of
        if key not in self._releases:
            self._releases[key] = release_for(self.connection, self.viewer, wanted, as_of)
        return self._releases[key]

    def reads(self, release: ReleaseInfo) -> None:
        """Let every viewer read this release by its name, to prepare what is about to be published."""
        self._releases[release.id, None] = release

    def gate(self, published: ReleaseInfo | None) -> Gate:
        """Return the gate, with others' figures from this release."""
        if published is None:
            return Gate(self.viewer)
        return self.once(("gate", published.id), lambda: Gate(self.viewer, published.public))

    def known_on(self, vintage: Vintage) -> date:
        """Return the day up to whose end the figures of a vintage were known; today for live ones."""
        match vintage:
            case Live():
                return self.today
            case AsOf(day):
                return day
            case Released(name) | Rounded(name):
                found = self.release(name)
                assert found is not None
                return found.known_on
            case _:
                assert_never(vintage)

    def coverage(self, vintage: Vintage) -> Coverage:
        """Return the result of `coverage.coverage`."""
        return self.once(
            ("coverage", vintage),
            lambda: cached(self.connection, vintage, "coverage", lambda: self._read_coverage(vintage)),
        )

    def _read_coverage(self, vintage: Vintage) -> Coverage:
        if isinstance(vintage, Rounded):
            return as_published(self.connection, vintage.release, self.cube(vintage).there())
        return coverage(self.connection, vintage)

    def reach(self, vintage: Vintage) -> tuple[date, date] | None:
        """Return the first and the last month in which an order was imposed."""
        if isinstance(vintage, Released | Rounded):
            return self.cube(vintage).reach(ORDERS)
        return reach(self.connection, vintage)

    def reported(self, vintage: Vintage, span: Span, services: frozenset[Service] = BOTH) -> Months:
        """Return the result of `coverage.reported`: public figures are rounded, but whether there is anything is not."""
        return self.once(
            ("reported", vintage, span, services),
            lambda: reported(self.coverage(vintage), services, span.first, span.last),
        )

    def reported_periods(
        self, vintage: Vintage, span: Span, services: frozenset[Service], grain: str, *, at_end: bool = False
    ) -> Mapping[str, frozenset[str]]:
        """Return the result of `reported_periods`; use `at_end` if only the last month of a period decides, as for a level."""

        def work_out() -> Mapping[str, frozenset[str]]:
            months = self.reported(vintage, span, services)
            months = _at_ends(months, span, grain, self.last_month(vintage)) if at_end else months
            return reported_periods(months, span, grain)

        return self.once(("periods", vintage, span, services, grain, at_end), work_out)

    def months_of(self, vintage: Vintage, span: Span, services: frozenset[Service], area: str) -> MonthsOf:
        """Return the months of the span, within the vintage, on which anybody in the area reported."""
        last = self.last_month(vintage)

        def together(found: Months) -> frozenset[date]:
            months = frozenset[date]().union(*(found.get(code, frozenset()) for code in members(area)))
            return frozenset(month for month in months if month <= last)

        def work_out() -> MonthsOf:
            whole = self.once(
                ("covered", vintage, span, services),
                lambda: covered(self.coverage(vintage), services, span.first, span.last),
            )
            return MonthsOf(together(self.reported(vintage, span, services)), together(whole))

        return self.once(("months", vintage, span, services, area), work_out)

    def last_month(self, vintage: Vintage) -> date:
        """Return the last month that the vintage contains."""
        match vintage:
            case Live():
                return month_of(self.today)
            case AsOf(day):
                return month_of(day)
            case Released(name) | Rounded(name):
                found = self.release(name)
                assert found is not None
                return found.last_month
            case _:
                assert_never(vintage)

    def sums(
        self, vintage: Vintage, forms: Iterable[Form], span: Span, grain: Grain, area: str, days: Days = ANY_DAY, /
    ) -> Sums:
        """Return the result of `queries.sums`, from a cube if possible."""
        asked = vintage, frozenset(forms), span, grain, area, days
        return self.once(("sums", *asked), lambda: self._worked_out(*asked))

    def _worked_out(
        self, vintage: Vintage, forms: frozenset[Form], span: Span, grain: Grain, area: str, days: Days
    ) -> Sums:
        if isinstance(vintage, Released | Rounded):
            return self.cube(vintage).sums(forms, span, grain, area)
        if isinstance(vintage, Live) and self.many:
            return self._live_cube().sums(forms, span, grain, area)
        return sums(self.connection, vintage, forms, span, grain, area, days, self.coverage(vintage))

    def _live_cube(self) -> Cube:
        """Return the present cells, which stay the same for a whole page."""
        return self.once("live cube", lambda: live_cube(self.connection, self.coverage(Live()), self.today))

    def cube(self, vintage: Released | Rounded) -> Cube:
        """Return all cells of a release."""
        return cached(self.connection, vintage, "cube", lambda: read_cube(self.connection, vintage))

    def sources(
        self, release: str | None = None, as_of: date | None = None
    ) -> tuple[Vintage | None, ReleaseInfo | None]:
        """Return the vintage of the areas that the viewer sees exactly, and the release of all other figures."""
        published = self.release(release, as_of)
        whole: Vintage | None = None
        if self.viewer.audience != "public":
            whole = AsOf(as_of) if as_of else Live()
        if self.viewer.audience == "national" and release:
            assert published is not None
            whole = Released(published.id)
        return whole, published


def answer(enquiry: Enquiry, indicator: Indicator, question: Question, decimals: int | None = DECIMALS) -> Answer:
    """Answer by the version asked for. Raises NothingReleased, TooMuch, NotForViewer, or NotThere for an unknown release or version.

    `decimals` are those of values, as for the gate.
    """
    viewer = enquiry.viewer
    whole, published = enquiry.sources(question.release, question.as_of)
    if whole is None and published is None:
        raise NothingReleased
    indicator = _definition(viewer, indicator, question.definition, _frozen_versions(whole, published))
    span = _span(enquiry, whole, published, question)
    if indicator.kind is Kind.YEARLY:
        question, span = _by_year(question, span)
    plan = _Plan(indicator, question, _uncut(span, question), whole, published)
    gate = enquiry.gate(published)
    rows = gate.rows(indicator, plan.figures(enquiry, gate), decimals)
    live = viewer.audience != "public" and not isinstance(whole, Released)
    off_by = gate.off_by(indicator.numerator, SCOTLAND)
    exact = frozenset(row.authority for row in rows if gate.sees_whole(row.authority))
    return Answer(indicator, question, span, published, live, whole, rows, off_by, exact)


def definition_for(enquiry: Enquiry, indicator: Indicator, question: Question) -> Indicator:
    """Return the version that answers. Raises NotForViewer, NotThere."""
    frozen = _frozen_versions(*enquiry.sources(question.release, question.as_of))
    return _definition(enquiry.viewer, indicator, question.definition, frozen)


def _frozen_versions(whole: Vintage | None, published: ReleaseInfo | None) -> Mapping[str, int]:
    """Return the versions in force if all figures come from one release."""
    return published.versions if published is not None and (whole is None or isinstance(whole, Released)) else {}


def _definition(viewer: Identity, indicator: Indicator, wanted: int | None, frozen: Mapping[str, int]) -> Indicator:
    number = wanted or frozen.get(indicator.id, indicator.version)
    found = definition(indicator.id, number)
    if found.status is Status.PROPOSED and viewer.audience != "national":
        raise NotForViewer(
            f"Version {number} is proposed: until it is released, it is for national statistics and inspection"
        )
    return found


def _span(enquiry: Enquiry, whole: Vintage | None, published: ReleaseInfo | None, question: Question) -> Span:
    """Return the span asked for, or everything that the vintage has."""
    vintage = Rounded(published.id) if whole is None and published else whole or Live()
    first, last = question.first, question.last
    if first is None or last is None:
        reached = enquiry.reach(vintage) or (enquiry.today, enquiry.today)
        first, last = first or reached[0], last or reached[1]
    return Span(month_of(first), max(month_of(first), month_of(last)))


def _uncut(span: Span, question: Question) -> Span:
    """Begin the span with a whole period if no beginning was asked for."""
    if question.first is not None or not question.grain.period:
        return span
    return Span(first_of(span.first, question.grain.period), span.last)


def _by_year(question: Question, span: Span) -> tuple[Question, Span]:
    """Widen a question to whole years if its indicator is counted by them."""
    years = year_months(year_of(span.first)), year_months(year_of(span.last))
    return replace(question, grain=Grain(question.grain.areas, "year")), Span(years[0][0], years[1][-1])


class _Marks(NamedTuple):
    """The remarks that go with a figure."""

    months: int
    """The months that count in it."""
    provisional: bool
    partial: bool


class _Stood(NamedTuple):
    """A period of the question as it stood on the day on which a vintage was known."""

    period: Period
    months: tuple[date, ...]
    is_provisional: bool
    is_partial: bool
    is_over: bool

    @classmethod
    def of(cls, period: Period, indicator: Indicator, day: date) -> Self:
        provisional = is_provisional(indicator, period.last, day)
        return cls(period, period.all_months, provisional, period.is_partial(day), period.is_over(day))

    def marks(self, counted: MonthsOf, *, reported: bool) -> _Marks:
        """Return the remarks on an area's figure. One without a report is partial only while the period is not over."""
        months, whole = (len(each.intersection(self.months)) for each in counted)
        partial = self.is_partial or whole < len(self.months) if reported else not self.is_over
        return _Marks(months or len(self.months), self.is_provisional, partial)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which figures are read from which vintage."""

    indicator: Indicator
    question: Question
    span: Span
    whole: Vintage | None
    published: ReleaseInfo | None

    def figures(self, enquiry: Enquiry, gate: Gate) -> Iterator[Figure]:
        """Yield the figures of each area from the vintage in which the viewer may see it."""
        areas = areas_of(self.question.grain.areas, self.question.area)
        of_whole = {area for area in areas if self.whole is not None and gate.sees_whole(area)}
        if self.whole is not None and of_whole:
            yield from self._read(enquiry, self.whole, self.span, of_whole)
        others = {area for area in areas if area not in of_whole}
        frozen = self._frozen()
        if others and self.published is not None and frozen is not None:
            yield from self._read(enquiry, Rounded(self.published.id), frozen, others)

    def _frozen(self) -> Span | None:
        """Return the part of the span that the release has."""
        if self.published is None or self.span.first > self.published.last_month:
            return None
        return Span(self.span.first, min(self.span.last, self.published.last_month))

    def _parts(self) -> tuple[Part, ...]:
        return parts_of(self.indicator, self.question.breakdown)

    def _read_together(self, enquiry: Enquiry, vintage: Vintage) -> tuple[Part, ...]:
        together = enquiry.many and self.question.breakdown is None and isinstance(vintage, AsOf)
        return _HEADLINES if together else self._parts()

    def _read(self, enquiry: Enquiry, vintage: Vintage, span: Span, areas: set[str]) -> Iterator[Figure]:
        grain = self.question.grain
        periods, parts = span.periods(grain.period), self._parts()
        if len(areas) * len(periods) * len(parts) > MOST_ROWS:
            raise TooMuch
        area = next(iter(areas)) if len(areas) == 1 else self.question.area
        known_on, forms = enquiry.known_on(vintage), self._forms(enquiry, vintage)
        total = indicator_sums(enquiry.sums, vintage, self.indicator, forms, span, grain, area, known_on)
        reported = reported_figures(enquiry, vintage, self.indicator, span, grain.period)
        stood = [_Stood.of(each, self.indicator, known_on) for each in periods]
        for place in areas_of(grain.areas, area):
            if place not in areas:
                continue
            counted = enquiry.months_of(vintage, span, self.indicator.services, place)
            for each in stood:
                period, there = each.period, reported[each.period.label]
                known = None if there.isdisjoint(members(place)) else total
                if known is not None or is_there(place, period.first, last_day(period.last)):
                    marks = each.marks(counted, reported=known is not None)
                    yield from self._of_people(_row_figures(vintage, parts, place, period, marks, known), there)

    def _forms(self, enquiry: Enquiry, vintage: Vintage) -> set[Form]:
        """Return the sums to be read."""
        parts = self._read_together(enquiry, vintage)
        return {form for part in parts for form in (part.numerator, part.denominator) if form is not None}

    def _of_people(self, figures: Iterator[Figure], reported: frozenset[str]) -> Iterator[Figure]:
        """Add to rates of the population the number of people of the area."""
        if self.indicator.kind is not Kind.POPULATION_RATE:
            return figures
        return (
            replace(each, denominator=people_of(self.indicator, each.area, each.period, reported)) for each in figures
        )


def reported_figures(
    enquiry: Enquiry, vintage: Vintage, indicator: Indicator, span: Span, grain: str
) -> Mapping[str, frozenset[str]]:
    """Return, by period of the span, the authorities with a figure."""
    return enquiry.reported_periods(vintage, span, indicator.services, grain, at_end=indicator.kind is Kind.STOCK)


def _at_ends(months: Months, span: Span, grain: str, last: date) -> Months:
    """Keep only the last month of each period, of those up to the last one that exists."""
    there = months_between(span.first, min(span.last, last))
    ends = set({span.label_of(month, grain): month for month in there}.values())
    return {code: own & ends for code, own in months.items()}


def reported_periods(months: Months, span: Span, grain: str) -> Mapping[str, frozenset[str]]:
    """Return, by period of the span, the authorities that reported on any month of it."""
    return {
        each.label: frozenset(code for code, own in months.items() if not own.isdisjoint(each.all_months))
        for each in span.periods(grain)
    }


def _row_figures(
    vintage: Vintage,
    parts: Iterable[Part],
    area: str,
    period: Period,
    marks: _Marks,
    total: Sums | None,
) -> Iterator[Figure]:
    """Yield one figure for each part; without numbers if the area has reported nothing."""

    def of(form: Form | None) -> int | None:
        return None if form is None or total is None else total.get((form, area, period.label), 0)

    for part in parts:
        forms, counts = (part.numerator, part.denominator), (of(part.numerator), of(part.denominator))
        names = vintage, area, period.label, part.category
        yield Figure(*names, *forms, *counts, period.name, marks.months, marks.provisional, marks.partial)


def parts_of(indicator: Indicator, breakdown: str | None) -> tuple[Part, ...]:
    """Return the headline figure, or the categories of a breakdown. Raises KeyError for an unknown breakdown."""
    if breakdown is not None:
        return indicator.breakdown(breakdown)
    denominator = None if indicator.kind is Kind.STOCK else indicator.denominator
    return (Part("", indicator.numerator, denominator),)


_HEADLINES = tuple(part for each in DEFINITIONS for part in parts_of(each, None))
"""The headline parts of all indicators in every version, which are read together if many are asked for."""
