"""The content of pages: gated answers arranged for reading. No number is made here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from typing import NamedTuple, assert_never
from urllib.parse import urlencode

from sqlalchemy import Connection

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS
from contracts.periods import add_months, month_of, months_between, quarter_months, quarter_of
from services.chassis.api.auth import Identity
from services.chassis.web import charts, small_charts
from services.chassis.web.categories import BREAKDOWNS, category_label
from services.chassis.web.words import rounded
from services.reporting.disclosure.gate import Gate, Row, ToCome
from services.reporting.disclosure.linked_tables import STEP, is_public, step_of
from services.reporting.figures import answers, quality
from services.reporting.figures.answers import Answer, Enquiry, Question
from services.reporting.figures.quality import latest_month, still_to_come
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import Choice, choices, chosen, year_before
from services.reporting.pages.content.moves import Move, differ, move, off_by
from services.reporting.read.queries import Grain, Span
from services.reporting.read.vintages import Live, Rounded
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND, Division, authorities_of
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Good, Indicator, Kind
from services.reporting.releases.index import ReleaseInfo
from services.reporting.statistics.runs import SHIFT_MONTHS, TREND_STEPS, Signal, middle, signals

HEADLINES = (
    "orders_imposed",
    "orders_imposed_per_10000",
    "first_contact_within_1",
    "placement_within_7",
    "hours_credited",
    "completion_rate",
)
TREND_SPAN = 24
WITH_REASONS = ("late_reason", "reason_side")
"""Breakdowns of what was late, for some of which no reason may be reported."""
NEVER_PUBLIC = {Kind.AGREEMENT, Kind.OVERDUE}
BY_AUTHORITY, BY_MONTH, BY_QUARTER = Grain("authority"), Grain(period="month"), Grain(period="quarter")


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks on behalf of one viewer."""

    enquiry: Enquiry
    wanted: str | None = None
    """The requested release."""
    definition: int | None = None
    """The requested version."""

    def ask(self, indicator: Indicator, question: Question) -> Answer:
        """Answer with values before any rounding, so that what is shown is rounded once. Raises what `answers.answer` raises."""
        asked = replace(question, release=self.wanted, definition=question.definition or self.definition)
        return answers.answer(self.enquiry, indicator, asked, decimals=None)

    def in_force(self, indicator: Indicator) -> Indicator:
        """Return the version by which this reader is answered. Raises what `answers.definition_for` raises."""
        return answers.definition_for(
            self.enquiry, indicator, Question(release=self.wanted, definition=self.definition)
        )

    def moved(self, indicator: Indicator, before: Row | None, now: Row | None) -> Move | None:
        """Return how a share changed. If the reader is shown rounded figures, it must have changed by more than rounding explains, too."""
        return move(indicator, before, now, 0 if now is None else self.step(indicator, now.authority))

    def is_chance(self, indicator: Indicator, before: Row, now: Row) -> bool | None:
        """Return whether chance explains how a count changed; None of what is no count of orders or other events."""
        if indicator.kind is not Kind.COUNT or step_of(indicator.numerator) != STEP:
            return None
        return not differ(before.value or 0, now.value or 0, self.step(indicator, now.authority))

    def off_by(self, indicator: Indicator, rows: Sequence[Row]) -> list[float]:
        """Return how far rounding may change each value for this reader."""
        return [off_by(indicator, row, self.step(indicator, row.authority)) for row in rows]

    def step(self, indicator: Indicator, area: str) -> int:
        """Return the step to which this reader is shown counts of an area rounded; 0 if they are exact."""
        return Gate(self.viewer).off_by(indicator.numerator, area)

    def sees_rounded(self, area: str) -> bool:
        """Return whether this reader is shown rounded figures of this area."""
        return not Gate(self.viewer).sees_whole(area)

    @property
    def viewer(self) -> Identity:
        return self.enquiry.viewer

    @property
    def connection(self) -> Connection:
        return self.enquiry.connection

    def published(self) -> ReleaseInfo | None:
        """Return the release that is read, if any."""
        return self.enquiry.release(self.wanted)

    def choices(self) -> list[Choice]:
        """Return periods that this viewer is offered. Raises NothingReleased if there is nothing to show."""
        published = self.published()
        if published is None and self.viewer.audience == "public":
            raise answers.NothingReleased
        if published is not None and (self.wanted or self.viewer.audience != "national"):
            first, _ = self.enquiry.reach(Rounded(published.id)) or (published.last_month, published.last_month)
            return choices(first, published.last_month)
        before = add_months(month_of(self.enquiry.today), -1)
        first, last = self.enquiry.reach(Live()) or (before, before)
        return choices(min(first, last, before), min(last, before))

    def judged(self, wanted: str | None) -> tuple[list[Choice], Choice]:
        """Return periods whose completeness can be viewed, and the one asked for: by default the last whole month."""
        month = latest_month(self.enquiry)
        try:
            offered = self.choices()
        except answers.NothingReleased:
            return [], Choice("", words.month(month), Span(month, month))
        return offered, chosen(offered, wanted or f"month-{month:%Y-%m}")


class Published(NamedTuple):
    """The same figure as published tables count it, for comparison."""

    indicator: Indicator
    value: str


@dataclass(frozen=True, slots=True)
class Headline:
    """One indicator for an area, at a glance."""

    indicator: Indicator
    value: str
    interval: str
    change: str
    spark: str
    mark: str = ""
    """The mark of a provisional figure, or of part of the period."""
    published: Published | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table of areas."""

    code: str
    name: str
    figures: tuple[str, ...]
    is_total: bool = False


def figure(reader: Reader, indicator: Indicator, span: Span) -> str:
    """Return Scotland's figure alone."""
    return words.figure(only(reader.ask(indicator, Question(span.first, span.last)).rows), indicator.unit)


def headline(reader: Reader, indicator: Indicator, span: Span, area: str = SCOTLAND) -> Headline:
    """Return the figure, the one a year earlier, and the months up to it."""
    now, before = _now_and_before(reader, indicator, span, area)
    months = series(reader, indicator, span, area)
    return Headline(
        indicator,
        words.figure(now, indicator.unit),
        "" if now is None else words.interval(now, indicator.unit),
        _change(reader, indicator, now, before, span),
        small_charts.spark(f"{indicator.title}, over time", [row.value for row in months], _hollow(months)),
        words.mark(now) or _year_told(indicator, now),
        _as_published(reader, indicator, span, area),
    )


def _now_and_before(reader: Reader, indicator: Indicator, span: Span, area: str) -> tuple[Row | None, Row | None]:
    """Return the figure of the span and of a year before; for one counted by whole years, of the last that is over and the one before."""
    earlier = year_before(span)
    if indicator.kind is not Kind.YEARLY:
        now, before = (
            only(reader.ask(indicator, Question(each.first, each.last, area=area)).rows) for each in (span, earlier)
        )
        return now, before
    rows = reader.ask(indicator, Question(earlier.first, span.last, area=area)).rows
    before, now = [None, None, *(row for row in rows if not row.partial)][-2:]
    return now, before


def _year_told(indicator: Indicator, row: Row | None) -> str:
    """Return the year of the figure if it is counted by whole years, which may not be the period that was asked for."""
    return row.period if row and indicator.kind is Kind.YEARLY else ""


def _as_published(reader: Reader, indicator: Indicator, span: Span, area: str) -> Published | None:
    """Return the figure as published tables count it; None if they count as the indicator does."""
    other = None if indicator.published_as is None else INDICATORS[indicator.published_as]
    if other is None:
        return None
    row = only(reader.ask(other, Question(span.first, span.last, area=area, definition=other.version)).rows)
    return Published(other, words.figure(row, other.unit))


def _hollow(rows: Sequence[Row]) -> list[bool]:
    """Return which figures are drawn hollow: provisional ones, and those of part of a period."""
    return [row.provisional or row.partial for row in rows]


def only(rows: Sequence[Row]) -> Row | None:
    """Return the period asked for; the last year if the indicator has only years."""
    return rows[-1] if rows else None


def grain_of(reader: Reader, indicator: Indicator, area: str) -> Grain:
    """Return how finely the figures of an area are shown over time: by quarter if its months are not published."""
    by_quarter = reader.sees_rounded(area) and area != SCOTLAND and indicator.kind is not Kind.STOCK
    return BY_QUARTER if by_quarter else BY_MONTH


def series(reader: Reader, indicator: Indicator, span: Span, area: str) -> list[Row]:
    """Return the months up to the end of the span; whole quarters of an area whose months are not published."""
    first = add_months(span.last, 1 - TREND_SPAN)
    grain = grain_of(reader, indicator, area)
    rows = reader.ask(indicator, Question(first, span.last, grain, area=area)).rows
    if grain == BY_QUARTER:
        rows = [row for row in rows if not row.partial]
    started = next((i for i, row in enumerate(rows) if row.value or row.suppressed), 0)
    return rows[started:]


def _change(reader: Reader, indicator: Indicator, now: Row | None, before: Row | None, span: Span) -> str:
    if now is None or before is None or now.value is None or not before.value:
        return ""
    then = words.period(before.period, monthly=span.first == span.last and indicator.kind is not Kind.YEARLY)
    moved = reader.moved(indicator, before, now)
    if indicator.unit == "percent":
        difference = now.value - before.value
        much = f"{rounded(abs(difference))} percentage points"
    else:
        difference = 100 * (now.value - before.value) / before.value
        much = f"{rounded(abs(difference))}%"
    if abs(difference) < 0.05:
        return f"The same as in {then}"
    by_chance = moved.way == "same" if moved else reader.is_chance(indicator, before, now)
    chance = "" if by_chance is None else f", {'no ' if by_chance else ''}more than chance explains"
    return f"{'Up' if difference > 0 else 'Down'} {much} on {then}{chance}"


def to_come(reader: Reader, span: Span, area: str) -> list[ToCome]:
    """Return the outlook for one area."""
    return still_to_come(reader.enquiry, _any_answer(reader, span, area))


def lacking(reader: Reader, span: Span, area: str, indicator: Indicator | None = None) -> list[str]:
    """Return the names of authorities in the area that reported nothing for the span, which its figures leave out."""
    answer = _any_answer(reader, span, area)
    found = quality.lacking(reader.enquiry, replace(answer, indicator=indicator or answer.indicator))
    return sorted(AREA_NAMES[code] for each in found for code in each.authorities)


def _any_answer(reader: Reader, span: Span, area: str) -> Answer:
    question = Question(span.first, span.last, area=area, release=reader.wanted)
    return answers.answer(reader.enquiry, INDICATORS["orders_imposed"], question)


@dataclass(frozen=True, slots=True)
class Downloads:
    """The addresses of a page's figures as files."""

    span: Span
    definition: int | None

    def query(self, by: str = "", authority: str = "", months: int = 0) -> str:
        """Return the query for the API. `months` asks for that many, ending with the span; quarters are asked for whole."""
        first, last = add_months(self.span.last, 1 - months) if months else self.span.first, self.span.last
        if "quarter" in by.split(","):
            last = _end_of_quarter(last)
            first = quarter_months(quarter_of(min(first, last)))[0]
        asked = {
            "from": f"{first:%Y-%m}",
            "to": f"{last:%Y-%m}",
            "by": by,
            "authority": "" if authority == SCOTLAND else authority,
            "definition": f"{self.definition or ''}",
        }
        return urlencode({name: value for name, value in asked.items() if value})


def _end_of_quarter(month: date) -> date:
    """Return the last month of the last quarter that is over with this month."""
    return add_months(month, -(month.month % 3))


def by_version(reader: Reader, indicator: Indicator, span: Span, area: str) -> list[tuple[str, list[str]]]:
    """Compare another version with the one in force, year by year over the whole history, for a reader of that version."""
    current = INDICATORS[indicator.id]
    if indicator.version == current.version:
        return []
    rows: dict[str, list[str]] = {}
    for each in (current, indicator):
        question = Question(None, span.last, Grain(period="year"), area=area, definition=each.version)
        for row in reader.ask(indicator, question).rows:
            rows.setdefault(row.period, []).append(words.figure(row, each.unit))
    return [(words.period(label), figures) for label, figures in rows.items()]


def area_table(reader: Reader, indicators: Iterable[Indicator], span: Span) -> list[TableRow]:
    """Return each authority's figures for the span, Scotland last."""
    columns = []
    for indicator in indicators:
        rows = reader.ask(indicator, Question(span.first, span.last, BY_AUTHORITY)).rows
        columns.append((indicator, {row.authority: row for row in rows}))
    return [
        TableRow(
            code,
            name,
            tuple(words.figure(rows.get(code), indicator.unit) for indicator, rows in columns),
            code == SCOTLAND,
        )
        for code, name in _areas(authorities_of(span.first, span.last))
    ]


def _areas(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return these areas by name, then Scotland."""
    return [*by_name(codes), (SCOTLAND, AREA_NAMES[SCOTLAND])]


def by_name(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return areas of one kind with their names, sorted by name."""
    names = AREA_NAMES | {code: board.name for code, board in HEALTH_BOARDS.items()}
    return sorted(((code, names[code]) for code in codes), key=itemgetter(1))


AREA_CHOICES = (("Authorities", by_name(AUTHORITIES)), ("Health board areas", by_name(HEALTH_BOARDS)))
"""Areas besides Scotland that can be chosen, by kind."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A series over time, and its signals beyond chance."""

    chart: str
    drawing: str
    """The chart for wide screens; empty if there is none."""
    grain: str
    """The period of a row: `month`, `quarter` or `year`."""
    rows: tuple[tuple[str, str, str, str], ...]
    """Period, value, interval, and whether it is provisional."""
    signals: tuple[str, ...]
    median: str
    """The median of the periods that are not provisional; empty if there are none."""
    provisional: bool
    """Whether any period is."""


def trend(reader: Reader, indicator: Indicator, span: Span, area: str) -> Trend:
    """Return up to 24 months, ending with the span. Signals ignore provisional months."""
    rows = series(reader, indicator, span, area)
    hollow = _hollow(rows)
    settled = [None if open_still else row.value for row, open_still in zip(rows, hollow, strict=True)]
    points = [
        charts.Point(words.short_period(row.period), row.value, row.lower, row.upper, hollow=open_still)
        for row, open_still in zip(rows, hollow, strict=True)
    ]
    title = f"{indicator.title}, {AREA_NAMES[area]}, over time"
    table = tuple(
        (
            words.short_period(row.period),
            words.figure(row, indicator.unit),
            words.interval(row, indicator.unit),
            words.mark(row),
        )
        for row in rows
    )
    at = middle(settled)
    from_zero = indicator.kind is not Kind.SHARE or _is_low(rows)

    def draw(width: float) -> str:
        return charts.line(
            title, points, indicator.unit, from_zero=from_zero, marks=charts.Marks(across=at), width=width
        )

    off = reader.off_by(indicator, rows)
    said = tuple(told(each, rows, rounded=any(off)) for each in signals(settled, off))
    return Trend(
        charts.at_both_widths(draw),
        draw(charts.WIDTH),
        "year" if indicator.kind is Kind.YEARLY else grain_of(reader, indicator, area).period,
        table,
        said,
        "" if at is None else words.value(at, indicator.unit),
        any(hollow),
    )


def told(found: Signal, rows: Sequence[Row], rounded: bool) -> str:
    """Say what was found, when, and in which direction."""
    surely = ", by more than rounding explains" if rounded else ""
    when = f"from {words.period(rows[found.first].period)} to {words.period(rows[found.last].period)}"
    unit = "quarters" if "Q" in rows[found.first].period else "months"
    if found.kind == "shift":
        other = "below" if found.way == "above" else "above"
        return f"A shift: {found.times} {unit} {found.way} the median and none {other} it{surely}, {when} ({SHIFT_MONTHS} or more count)."
    steps = "rises" if found.way == "up" else "falls"
    return f"A trend: {found.times} {steps} in a row{surely}, {when} ({TREND_STEPS} or more count)."


def _is_low(rows: Sequence[Row]) -> bool:
    return any(row.value is not None and row.value < 30 for row in rows)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One breakdown, as chart and table."""

    name: str
    title: str
    chart: str
    rows: tuple[tuple[str, str, str], ...]
    counted: bool
    hollow: bool
    """Whether any of its bars is hollow."""


def breakdown(reader: Reader, indicator: Indicator, name: str, span: Span, area: str) -> Breakdown:
    """Return the categories of one breakdown for one area."""
    rows = reader.ask(indicator, Question(span.first, span.last, breakdown=name, area=area)).rows
    labels = [category_label(row.category) for row in rows]
    bars = [
        charts.Bar(label, row.value, row.lower, row.upper, hollow=row.provisional or row.partial)
        for label, row in zip(labels, rows, strict=True)
    ]
    table = tuple(
        (label, words.count(row, row.numerator), words.figure(row, indicator.unit))
        for label, row in zip(labels, rows, strict=True)
    )
    unexplained = without_reason(rows) if name in WITH_REASONS else None
    if unexplained is not None:
        count, of = unexplained
        table += (("No reason reported", f"{count:,.0f}", words.value(100 * count / of, "percent")),)
    title = f"{indicator.title}: {BREAKDOWNS[name].lower()}, {AREA_NAMES[area]}"
    chart = charts.at_both_widths(lambda width: charts.bars(title, bars, indicator.unit, None, width))
    return Breakdown(
        name, BREAKDOWNS[name], chart, table, counted=indicator.denominator is not None, hollow=any(_hollow(rows))
    )


def without_reason(rows: Sequence[Row]) -> tuple[float, float] | None:
    """Return how many of the late ones have none of these reasons, and out of how many; None if a number is not shown, or none lacks a
    reason.
    """
    if not rows or any(row.numerator is None or not row.denominator for row in rows):
        return None
    of = rows[0].denominator or 0
    count = of - sum(row.numerator or 0 for row in rows)
    return (count, of) if count > 0 else None


@dataclass(frozen=True, slots=True)
class AreaChart:
    """All areas of one kind, as chart and table."""

    kind: str
    """The kind in the words of a heading."""
    by: Division
    chart: str
    rows: tuple[tuple[str, str, str, str, str, str], ...]
    """Code, name, value, interval, numerator, denominator."""
    hollow: bool
    """Whether any of its bars is hollow."""


def by_area(reader: Reader, indicator: Indicator, span: Span, by: Division = "authority") -> AreaChart:
    """Return areas from the highest to the lowest, with Scotland marked in the chart."""
    rows = {row.authority: row for row in reader.ask(indicator, Question(span.first, span.last, Grain(by))).rows}
    kind = "authority" if by == "authority" else "health board area"
    names = _areas(authorities_of(span.first, span.last) if by == "authority" else HEALTH_BOARDS)
    scotland = rows.get(SCOTLAND)
    own = [(name, rows[code]) for code, name in names if code in rows and code != SCOTLAND]
    own.sort(key=lambda pair: -(pair[1].value if pair[1].value is not None else -1))
    bars = [
        charts.Bar(
            name,
            row.value,
            row.lower,
            row.upper,
            hollow=row.provisional or row.partial,
            absent=words.figure(row, indicator.unit),
        )
        for name, row in own
    ]
    is_rate = is_one_out_of_another(indicator)
    reference = scotland.value if scotland and is_rate else None
    title = f"{indicator.title}, by {kind}"
    chart = charts.at_both_widths(lambda width: charts.bars(title, bars, indicator.unit, reference, width))
    table = tuple(
        (
            code,
            name,
            words.figure(row, indicator.unit),
            words.interval(row, indicator.unit) if row else "",
            words.count(row, row.numerator if row else None),
            words.count(row, row.denominator if row else None) if is_rate else "",
        )
        for code, name in names
        for row in (rows.get(code),)
    )
    return AreaChart(kind, by, chart, table, any(_hollow([row for _, row in own if row.value is not None])))


def is_one_out_of_another(indicator: Indicator) -> bool:
    """Return whether each area's figure can stand beside Scotland's; otherwise those of all areas add up to it."""
    match indicator.kind:
        case Kind.SHARE | Kind.MEAN | Kind.POPULATION_RATE | Kind.AGREEMENT:
            return True
        case Kind.COUNT | Kind.STOCK | Kind.OVERDUE | Kind.YEARLY:
            return False
        case _:
            assert_never(indicator.kind)


def themes(viewer: Identity) -> dict[str, list[Indicator]]:
    """Return all indicators by theme; for the public, without those that it never sees."""
    found: dict[str, list[Indicator]] = {}
    for indicator in INDICATORS.values():
        if viewer.audience != "public" or (is_public(indicator.numerator) and indicator.kind not in NEVER_PUBLIC):
            found.setdefault(indicator.theme, []).append(indicator)
    return found


def direction(indicator: Indicator) -> str:
    """Return which direction is better, in words."""
    return {Good.HIGHER: "Higher is better.", Good.LOWER: "Lower is better.", Good.NEITHER: ""}[indicator.good]


def months_of(span: Span) -> int:
    return len(months_between(span.first, span.last))
