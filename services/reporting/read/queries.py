"""Queries of the schema `reporting`. They return exact numbers, which may leave only through the gate (`disclosure`)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, Protocol, Self, assert_never

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Date, cast, func, literal, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import INTERVAL

from contracts.periods import (
    add_months,
    last_day,
    month_of,
    months_between,
    months_from,
    parse_first,
    quarter_months,
    quarter_of,
    year_months,
    year_of,
)
from services.reporting.read.coverage import Coverage, counted, overheard
from services.reporting.read.overdue import overdue_rows
from services.reporting.read.tables import checkpoints, positions
from services.reporting.read.vintages import Released, Rounded, Vintage, Wanted, rows_of
from services.reporting.registry.areas import SCOTLAND, Division, areas_of, containing, to_read
from services.reporting.registry.deadlines import OVERDUE
from services.reporting.registry.indicators import Form, Indicator, Kind

READERS = {"orders": ("orders.events.",), "unpaid_work": ("orders.events.", "unpaid-work.events.")}


class WholeCell(NamedTuple):
    """A cell as it is, with services added up."""

    measure: str
    authority: str
    period: date
    category: str
    value: int


def cells_page(
    connection: Connection, vintage: Vintage, wanted: Wanted, after: tuple[str, str, date, str] | None, limit: int
) -> list[WholeCell]:
    """Return cells that are not zero, in the order of their keys, beginning after `after`."""
    rows = rows_of(vintage, wanted)
    key = (rows.c.measure, rows.c.authority, rows.c.period, rows.c.category)
    total = func.sum(rows.c.value)
    query = select(*key, total).group_by(*key).having(total != 0).order_by(*key).limit(limit)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*(literal(part) for part in after)))
    return [WholeCell(m, a, p, c, int(value)) for m, a, p, c, value in connection.execute(query)]


class Grain(NamedTuple):
    """How finely figures are divided. `period` is `month`, `quarter`, `year` or empty for the whole span."""

    areas: Division = ""
    period: str = ""


WHOLE = Grain()


class Period(NamedTuple):
    """One period of an answer."""

    label: str
    """The months that it covers, if that is only part of a year or quarter."""
    name: str
    """The name of its whole period: all periods of one answer are named in the same way."""
    first: date
    last: date

    @property
    def all_months(self) -> tuple[date, ...]:
        return months_between(self.first, self.last)

    @property
    def months(self) -> int:
        return len(self.all_months)

    def months_within(self, first: date, last: date) -> int:
        """Return how many of its months are between these, both included."""
        return max(0, months_from(max(self.first, first), min(self.last, last)) + 1)

    def is_partial(self, day: date) -> bool:
        """Return whether it covers only part of its period, or was not over on this day."""
        return self.label != self.name or not self.is_over(day)

    def is_over(self, day: date) -> bool:
        """Return whether its last month was over on this day."""
        return last_day(self.last) < day


@dataclass(frozen=True, slots=True)
class Span:
    """Months, both included."""

    first: date
    last: date

    @property
    def label(self) -> str:
        if self.first == self.last:
            return f"{self.first:%Y-%m}"
        if self.first.month == 4 and add_months(self.first, 11) == self.last:
            return year_of(self.first)
        if self.first.month % 3 == 1 and add_months(self.first, 2) == self.last:
            return quarter_of(self.first)
        return f"{self.first:%Y-%m}/{self.last:%Y-%m}"

    def _part_of(self, months: Sequence[date]) -> Self:
        """Return the part of a year or a quarter that these months cover, which must not be taken for the whole."""
        return type(self)(max(self.first, months[0]), min(self.last, months[-1]))

    def name_of(self, month: date, grain: str) -> str:
        """Return the name of the whole month, quarter or year of which a period may be only part."""
        match grain:
            case "quarter":
                return quarter_of(month)
            case "year":
                return year_of(month)
            case "month" | "":
                return self.label_of(month, grain)
            case _:
                raise AssertionError(f"time is not divided by {grain}")

    def periods(self, grain: str) -> tuple[Period, ...]:
        """Return the periods of the span, all named in the same way."""
        return _periods(self, grain)

    def label_of(self, month: date, grain: str) -> str:
        """Return the period to which a month belongs."""
        match grain:
            case "month":
                return f"{month:%Y-%m}"
            case "quarter":
                return self._part_of(quarter_months(quarter_of(month))).label
            case "year":
                return self._part_of(year_months(year_of(month))).label
            case "":
                return self.label
            case _:
                raise AssertionError(f"time is not divided by {grain}")

    def labels(self, grain: str) -> tuple[str, ...]:
        """Return the labels of the periods of the span."""
        return tuple(each.label for each in self.periods(grain)) if grain else (self.label,)


def first_of(month: date, grain: str) -> date:
    """Return the first month of the month's quarter or year; the month itself if time is divided by neither."""
    match grain:
        case "quarter":
            return quarter_months(quarter_of(month))[0]
        case "year":
            return year_months(year_of(month))[0]
        case "month" | "":
            return month
        case _:
            raise AssertionError(f"time is not divided by {grain}")


@lru_cache(maxsize=4096)
def _periods(span: Span, grain: str) -> tuple[Period, ...]:
    months: dict[str, list[date]] = defaultdict(list)
    for month in months_between(span.first, span.last):
        months[span.label_of(month, grain)].append(month)
    return tuple(Period(label, span.name_of(found[0], grain), found[0], found[-1]) for label, found in months.items())


BEGINNING = date(1900, 1, 1)

Sums = Mapping[tuple[Form, str, str], int]
"""By form, area and period; a missing key means zero."""


class Days(NamedTuple):
    """Days on which sums depend, besides their span."""

    before: date | None = None
    """Leaves out everything on this day or later."""
    overdue_on: date | None = None
    """The day for which overdue is decided; without one, a release's own."""


ANY_DAY = Days()


def sums(  # noqa: PLR0913, PLR0917
    connection: Connection,
    vintage: Vintage,
    forms: Iterable[Form],
    span: Span,
    grain: Grain,
    area: str = SCOTLAND,
    days: Days = ANY_DAY,
    heard: Coverage | None = None,
) -> Sums:
    """Return the forms over the span, for the area and for the parts into which it is divided.

    With `heard`, only cells that count by it; a release holds no others.
    """
    forms = tuple(forms)
    measures = tuple(dict.fromkeys(form.measure for form in forms))
    categories = tuple(dict.fromkeys(c for form in forms for c in form.categories))
    last = last_day(span.last) if days.before is None else min(last_day(span.last), days.before - timedelta(days=1))
    rows = rows_of(vintage, Wanted(measures, categories, to_read(area), span.first, last))
    clocks = tuple(sorted({form.measure for form in forms if OVERDUE in form.categories}))
    if clocks and days.overdue_on is not None and not isinstance(vintage, Released | Rounded):
        late = overdue_rows(vintage, clocks, (span.first, span.last), to_read(area), days.overdue_on)
        c = rows.c
        settled = select(c.measure, c.authority, c.period, c.category, c.value)
        rows = union_all(settled, select(late)).subquery("both")
    silent = overheard(heard or {}, measures, span.first, last)
    split: list[ColumnElement[object]] = [rows.c.measure, rows.c.category]
    if grain.areas:
        split.append(rows.c.authority)
    if grain.period:
        split.append(_start(rows.c.period, grain.period))
    found = connection.execute(select(*split, func.sum(rows.c.value)).where(counted(rows, silent)).group_by(*split))
    return _gather(forms, found.all(), span, grain, area)


def _start(period: ColumnElement[date], grain: str) -> ColumnElement[object]:
    """Return the first day of the month, of the quarter, or of the year that begins in April."""
    if grain != "year":
        return cast(func.date_trunc(grain, period), Date)
    shift = literal("3 months").cast(INTERVAL)
    return cast(func.date_trunc("year", period - shift) + shift, Date)


def _gather(forms: Sequence[Form], found: Iterable[Sequence[Any]], span: Span, grain: Grain, whole: str) -> Sums:
    by_cell = defaultdict(list)
    for form in forms:
        for category in form.categories:
            by_cell[form.measure, category].append(form)
    total: dict[tuple[Form, str, str], int] = defaultdict(int)
    for measure, category, *where, value in found:
        areas = containing(grain.areas, whole)[str(where.pop(0))] if grain.areas else (whole,)
        period = span.label_of(where[0], grain.period) if grain.period else span.label
        for place in product(by_cell[measure, category], areas):
            total[*place, period] += int(value)
    return total


class ReadSums(Protocol):
    """The function `sums`, bound to a connection."""

    def __call__(
        self, vintage: Vintage, forms: Iterable[Form], span: Span, grain: Grain, area: str, days: Days = ANY_DAY, /
    ) -> Sums: ...


def stocks(
    read: ReadSums, vintage: Vintage, indicator: Indicator, span: Span, grain: Grain, area: str = SCOTLAND
) -> Sums:
    """Return what is open at the end of each period: everything ever opened less everything ever closed."""
    assert indicator.minus is not None
    opens, closes = indicator.numerator, indicator.minus
    before = Span(BEGINNING, add_months(span.first, -1))
    held = read(vintage, (opens, closes), before, Grain(grain.areas), area)
    monthly = read(vintage, (opens, closes), span, Grain(grain.areas, "month"), area)
    total: dict[tuple[Form, str, str], int] = {}
    for part in areas_of(grain.areas, area):
        level = held.get((opens, part, before.label), 0) - held.get((closes, part, before.label), 0)
        for month in months_between(span.first, span.last):
            at = f"{month:%Y-%m}"
            level += monthly.get((opens, part, at), 0) - monthly.get((closes, part, at), 0)
            total[opens, part, span.label_of(month, grain.period)] = level
    return total


def agreements(
    read: ReadSums, vintage: Vintage, indicator: Indicator, span: Span, grain: Grain, area: str = SCOTLAND
) -> Sums:
    """Return how many authority-months have a denominator, and in how many of those it equals the numerator."""
    assert indicator.denominator is not None
    counted, stated = indicator.numerator, indicator.denominator
    monthly = read(vintage, (counted, stated), span, Grain("authority", "month"), area)
    containing_it = containing(grain.areas, area)
    total: dict[tuple[Form, str, str], int] = defaultdict(int)
    for (form, authority, at), said in monthly.items():
        if form == stated and authority in containing_it and said:
            period = span.label_of(parse_first(at), grain.period)
            for place in containing_it[authority]:
                total[stated, place, period] += 1
                total[counted, place, period] += monthly.get((counted, authority, at), 0) == said
    return total


def indicator_sums(  # noqa: PLR0913, PLR0917
    read: ReadSums,
    vintage: Vintage,
    indicator: Indicator,
    forms: Iterable[Form],
    span: Span,
    grain: Grain,
    area: str,
    known_on: date,
) -> Sums:
    """Return the forms of one indicator over the span; for a stock, what is open at the end. `known_on` is the day of the vintage."""
    match indicator.kind:
        case Kind.STOCK:
            return stocks(read, vintage, indicator, span, grain, area)
        case Kind.AGREEMENT:
            return agreements(read, vintage, indicator, span, grain, area)
        case Kind.OVERDUE:
            return read(vintage, forms, span, grain, area, Days(before=known_on))
        case Kind.COUNT | Kind.SHARE | Kind.MEAN | Kind.POPULATION_RATE | Kind.YEARLY:
            return read(vintage, forms, span, grain, area, Days(overdue_on=known_on))
        case _:
            assert_never(indicator.kind)


ORDERS = "orders_imposed", ""


def reach(connection: Connection, vintage: Vintage) -> tuple[date, date] | None:
    """Return the first and the last month in which an order was imposed."""
    rows = rows_of(vintage, Wanted(measures=ORDERS[:1], categories=ORDERS[1:]))
    first, last = connection.execute(select(func.min(rows.c.period), func.max(rows.c.period))).one()
    return None if first is None else (month_of(first), month_of(last))


class Shown(NamedTuple):
    """The progress of one service with one authority."""

    service: str
    authority: str
    generation: int
    version: int
    offsets: dict[str, int]
    heard_at: datetime | None
    """When the last accepted event reached the log."""


def shown(connection: Connection) -> list[Shown]:
    """Return every position, by service and authority."""
    columns = [positions.c[name] for name in Shown._fields]
    return [Shown(*row) for row in connection.execute(select(*columns).order_by(*positions.primary_key.columns))]


def positions_of_all(found: Iterable[Shown]) -> dict[str, int]:
    """Return for each source the last offset that every service that reads it has shown."""
    shown_by: dict[str, dict[str, int]] = defaultdict(dict)
    for position in found:
        for source, offset in position.offsets.items():
            shown_by[source][position.service] = offset
    return {
        source: min(by.values())
        for source, by in sorted(shown_by.items())
        if all(service in by for service, prefixes in READERS.items() if source.startswith(prefixes))
    }


def reports_of(
    connection: Connection, vintage: Vintage, wanted: Wanted, codes: Sequence[str], months: Sequence[date]
) -> NDArray[np.float64]:
    """Return the values of the wanted categories, by authority and month."""
    rows = rows_of(vintage, wanted)
    categories = wanted.categories or ()
    found = np.zeros((len(codes), len(months), len(categories)))
    places = [{name: place for place, name in enumerate(names)} for names in (codes, months, categories)]
    for authority, month, category, value in connection.execute(
        select(rows.c.authority, rows.c.period, rows.c.category, rows.c.value)
    ):
        if authority in places[0]:
            found[places[0][authority], places[1][month], places[2][category]] += value
    return found


def read_so_far(connection: Connection) -> int:
    """Return a number that grows with everything that is read."""
    return int(connection.scalar(select(func.coalesce(func.sum(checkpoints.c.next_offset), 0))) or 0)
