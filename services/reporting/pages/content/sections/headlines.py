"""One indicator at a glance: its figure, the change on a year earlier, and the months up to it."""

from dataclasses import dataclass
from typing import NamedTuple

from services.chassis.web import small_charts
from services.chassis.web.words import rounded
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import year_before
from services.reporting.pages.content.reader import Reader, are_hollow, only, series
from services.reporting.read.queries import Span
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind

HEADLINES = (
    "orders_imposed",
    "orders_imposed_per_10000",
    "first_contact_within_1",
    "placement_within_7",
    "hours_credited",
    "completion_rate",
)


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
        small_charts.spark(f"{indicator.title}, over time", [row.value for row in months], are_hollow(months)),
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
