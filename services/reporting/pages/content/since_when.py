"""Shows since when each authority has been outside the limits: one small line for each, by quarter, on one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.periods import add_months
from services.chassis.web import small_charts
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.figures.comparison import placing, share_of
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import Reader
from services.reporting.pages.content.sections.areas import by_name
from services.reporting.read.queries import Grain, Span
from services.reporting.registry.areas import SCOTLAND, authorities_of
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import MONTHS_IN_A_QUARTER, Place, rounding_of

QUARTERS = 8


@dataclass(frozen=True, slots=True)
class Course:
    """One authority over the quarters."""

    code: str
    name: str
    chart: str
    told: str
    """Since when it has been outside, or that it is not."""
    outside: bool
    """Whether it is outside in the last quarter."""
    values: tuple[str, ...]
    """The values as written, by quarter."""


@dataclass(frozen=True, slots=True)
class Courses:
    """All authorities by name, and the quarters shown."""

    quarters: tuple[str, ...]
    areas: tuple[Course, ...]


def courses(reader: Reader, indicator: Indicator, span: Span) -> Courses:
    """Return the whole quarters up to the end of the span, for authorities that existed in the last one."""
    last = add_months(span.last, -(span.last.month % 3))
    first = add_months(last, 1 - 3 * QUARTERS)
    answer = reader.ask(indicator, Question(first, last, Grain("authority", "quarter")))
    by_area: dict[str, dict[str, Row]] = {}
    for row in answer.rows:
        by_area.setdefault(row.authority, {})[row.period] = row
    quarters = tuple(sorted(by_area.get(SCOTLAND, {})))
    whole = [by_area[SCOTLAND][each] for each in quarters]
    found = tuple(
        _course(
            indicator,
            (code, name),
            _in_order(by_area.get(code, {}), quarters),
            whole,
            rounding_of(answer.off_by_in(code), MONTHS_IN_A_QUARTER),
        )
        for code, name in by_name(authorities_of(add_months(last, -2), last))
    )
    return Courses(tuple(words.period(each) for each in quarters), found)


def _in_order(rows: Mapping[str, Row], quarters: Sequence[str]) -> list[Row | None]:
    return [rows.get(each) for each in quarters]


def _course(
    indicator: Indicator, area: tuple[str, str], own: Sequence[Row | None], whole: Sequence[Row], off_by: float
) -> Course:
    code, name = area
    places = [_place(row, scotland, off_by) for row, scotland in zip(own, whole, strict=True)]
    marks = {at: str(found[0]) for at, found in enumerate(places) if found and found[0] is not Place.WITHIN}
    chart = small_charts.multiple(
        f"{name}, by quarter, beside Scotland",
        [None if row is None else row.value for row in own],
        [row.value for row in whole],
        marks,
    )
    told_of = told(places, [words.period(row.period) for row in whole])
    outside = bool(places and places[-1] and places[-1][0] is not Place.WITHIN)
    return Course(code, name, chart, told_of, outside, tuple(words.figure(row, indicator.unit) for row in own))


Placed = tuple[Place, bool] | None
"""The place, and whether it is above Scotland; None if that cannot be said."""


def _place(row: Row | None, scotland: Row, off_by: float) -> Placed:
    around, own = share_of(scotland), share_of(row)
    if row is None or around is None or own is None:
        return None
    place = placing(around, row, off_by).place
    return None if place is None else (place, own > around)


def told(places: Sequence[Placed], quarters: Sequence[str]) -> str:
    """Say since when an authority has been outside, counting back from the last quarter."""
    if not places or places[-1] is None:
        return "Not compared in the last quarter"
    place, above = places[-1]
    if place is Place.WITHIN:
        compared = [each for each in places if each]
        times = sum(each[0] is not Place.WITHIN for each in compared)
        now = "Within the limits in the last quarter"
        return (
            f"{now}; outside in {times} of the {len(compared)} that can be compared" if times else "Within the limits"
        )
    first = len(places) - 1
    while first and (found := places[first - 1]) and found[0] is not Place.WITHIN and found[1] is above:
        first -= 1
    count = len(places) - first
    return (
        f"{'Above' if above else 'Below'}, outside the limits since {quarters[first]} "
        f"({count} quarter{'s' if count > 1 else ''})"
    )
