"""An indicator over time, with signals beyond chance, and by other versions of its definition."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.web import charts
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import Reader, are_hollow, grain_of, series
from services.reporting.read.queries import Grain, Span
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.statistics.runs import SHIFT_MONTHS, TREND_STEPS, Signal, middle, signals


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
    hollow = are_hollow(rows)
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
