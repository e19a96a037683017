"""The public figures of a release as tidy rows: one figure a row, with its names in words and its codes."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from contracts.authorities import AUTHORITIES
from contracts.periods import parse_first, parse_last, quarter_months, year_months
from services.chassis.web.categories import BREAKDOWNS, category_label
from services.reporting.disclosure.gate import Row, Why
from services.reporting.disclosure.linked_tables import is_public
from services.reporting.figures.answers import Enquiry, Question, answer
from services.reporting.read.queries import Grain
from services.reporting.registry.areas import SCOTLAND, name_in
from services.reporting.registry.catalogue import INDICATORS, definition
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.releases.index import ReleaseInfo

PERIODS = ("month", "quarter", "year")
NOT_REPORTED, NO_CASES = "x", "z"
MARKS = {why.mark: str(why).capitalize() for why in Why} | {
    NOT_REPORTED: "Not reported by the authority",
    NO_CASES: "No cases, so that there is no rate",
}
"""The symbols of the UK's guidance for tables."""


class Tidy(NamedTuple):
    """One figure."""

    release: str
    indicator: str
    indicator_title: str
    unit: str
    area_code: str
    area: str
    area_type: str
    period_type: str
    period: str
    period_start: date
    period_end: date
    breakdown: str
    category_code: str
    category: str
    value: float | None
    numerator: float | None
    denominator: float | None
    lower_95: float | None
    upper_95: float | None
    mark: str
    provisional: bool
    partial: bool
    definition_version: int


COLUMNS = Tidy._fields
TEXT, NUMBER, DAY, TRUTH, WHOLE = "string", "number", "date", "boolean", "integer"
KINDS = {
    **dict.fromkeys(COLUMNS, TEXT),
    **dict.fromkeys(("value", "numerator", "denominator", "lower_95", "upper_95"), NUMBER),
    **dict.fromkeys(("period_start", "period_end"), DAY),
    **dict.fromkeys(("provisional", "partial"), TRUTH),
    "definition_version": WHOLE,
}
"""The kind of value in each column."""
MEANINGS = {
    "release": "The release that the figure belongs to",
    "indicator": "Identifier of the indicator, which stays the same between releases",
    "indicator_title": "The indicator in words",
    "unit": "What value is in",
    "area_code": "Code of the area, as statistics.gov.scot has it",
    "area": "Name of the area",
    "area_type": "country, health board area or authority",
    "period_type": "month, quarter or year",
    "period": "2026-03 for a month, 2026-Q1 for a quarter of the calendar, 2025-26 for a year from April to March",
    "period_start": "First day of the period",
    "period_end": "Last day of the period",
    "breakdown": "The breakdown of the figure; empty for all",
    "category_code": "Code of the category; empty for all",
    "category": "The category in words; empty for all",
    "value": "The figure. Empty where it is not shown; mark says why",
    "numerator": "What is counted, in a share, mean or rate",
    "denominator": "What it is a share, mean or rate of; empty for counts",
    "lower_95": "Lower end of the 95% interval (Wilson), for shares",
    "upper_95": "Upper end of the 95% interval (Wilson), for shares",
    "mark": "Why there is no value: " + "; ".join(f"{mark}: {said}" for mark, said in MARKS.items()),
    "provisional": "Whether something that would count in the period could still happen when the release was made",
    "partial": "Whether the figure is of only part of the period",
    "definition_version": "The version of the indicator's definition that the release froze",
}


def public_indicators(release: ReleaseInfo) -> list[Indicator]:
    """Return the indicators that the public sees of a release, by the definitions that it froze."""
    found = [definition(name, release.versions[name]) for name in INDICATORS if name in release.versions]
    return [each for each in found if is_public(each.numerator)]


def tidy(enquiry: Enquiry, release: ReleaseInfo, indicator: Indicator) -> Iterator[Tidy]:
    """Yield months of Scotland, quarters and years of authorities too, years of health board areas; breakdowns by year, Scotland's by
    month.
    """
    periods = ("year",) if indicator.kind is Kind.YEARLY else PERIODS
    for period in periods:
        yield from _rows(enquiry, release, indicator, Grain("" if period == "month" else "authority", period), None)
    yield from _rows(enquiry, release, indicator, Grain("health_board", "year"), None)
    for name, _ in indicator.breakdowns:
        yield from _rows(enquiry, release, indicator, Grain("authority", "year"), name)
        if indicator.kind is not Kind.YEARLY:
            yield from _rows(enquiry, release, indicator, Grain("", "month"), name)


def _rows(
    enquiry: Enquiry, release: ReleaseInfo, indicator: Indicator, grain: Grain, breakdown: str | None
) -> Iterator[Tidy]:
    question = Question(grain=grain, breakdown=breakdown, release=release.id, definition=indicator.version)
    for row in answer(enquiry, indicator, question).rows:
        if not (grain.areas == "health_board" and row.authority == SCOTLAND):  # Scotland came with the authorities
            yield _row(release, indicator, grain.period, breakdown, row)


def _row(release: ReleaseInfo, indicator: Indicator, kind: str, breakdown: str | None, row: Row) -> Tidy:
    first, last = _days(row.period, kind)
    return Tidy(
        release.id,
        indicator.id,
        indicator.title,
        indicator.unit,
        row.authority,
        name_in(row.authority, row.period).removesuffix(" (health board area)"),
        area_type(row.authority),
        kind,
        row.period,
        first,
        last,
        "" if breakdown is None else BREAKDOWNS[breakdown],
        row.category,
        category_label(row.category) if row.category else "",
        row.value,
        row.numerator,
        row.denominator,
        row.lower,
        row.upper,
        mark(row),
        row.provisional,
        row.partial,
        indicator.version,
    )


def _days(period: str, kind: str) -> tuple[date, date]:
    if kind == "month":
        return parse_first(period), parse_last(period)
    months = quarter_months(period) if kind == "quarter" else year_months(period)
    return months[0], parse_last(f"{months[-1]:%Y-%m}")


def area_type(code: str) -> str:
    """Return the kind of area in words."""
    return "country" if code == SCOTLAND else "authority" if code in AUTHORITIES else "health board area"


def mark(row: Row) -> str:
    """Return why there is no value; empty if there is one."""
    if row.why is not None:
        return row.why.mark
    if row.numerator is None:
        return NOT_REPORTED
    return "" if row.value is not None else NO_CASES
