"""The categories of one breakdown of an indicator, as chart and table."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.web import charts
from services.chassis.web.categories import BREAKDOWNS, category_label
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import Reader, are_hollow
from services.reporting.read.queries import Span
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.indicators import Indicator

WITH_REASONS = ("late_reason", "reason_side")
"""Breakdowns of what was late, for some of which no reason may be reported."""


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
        name, BREAKDOWNS[name], chart, table, counted=indicator.denominator is not None, hollow=any(are_hollow(rows))
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
