"""Areas beside one another, as chart and table, and the areas that can be chosen."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import assert_never

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS
from services.chassis.web import charts
from services.reporting.figures.answers import Question
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import BY_AUTHORITY, Reader, are_hollow
from services.reporting.read.queries import Grain, Span
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND, Division, authorities_of
from services.reporting.registry.indicators import Indicator, Kind


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table of areas."""

    code: str
    name: str
    figures: tuple[str, ...]
    is_total: bool = False


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
    return AreaChart(kind, by, chart, table, any(are_hollow([row for _, row in own if row.value is not None])))


def is_one_out_of_another(indicator: Indicator) -> bool:
    """Return whether each area's figure can stand beside Scotland's; otherwise those of all areas add up to it."""
    match indicator.kind:
        case Kind.SHARE | Kind.MEAN | Kind.POPULATION_RATE | Kind.AGREEMENT:
            return True
        case Kind.COUNT | Kind.STOCK | Kind.OVERDUE | Kind.YEARLY:
            return False
        case _:
            assert_never(indicator.kind)
