"""Scotland against the standards: the share that met each, and whether it changed within a year beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.web import small_charts
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import year_before
from services.reporting.pages.content.moves import Move
from services.reporting.pages.content.reader import Reader, only, series
from services.reporting.read.queries import Span
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.statistics.runs import signals

_COUNTED_OTHERWISE = {each.published_as for each in INDICATORS.values()}
STANDARDS = tuple(
    each
    for each in INDICATORS.values()
    if each.standard and each.kind is Kind.SHARE and each.id not in _COUNTED_OTHERWISE
)
"""Indicators with a national standard, each standard once."""


@dataclass(frozen=True, slots=True)
class StandardLine:
    """One standard, for one area."""

    indicator: Indicator
    row: Row | None
    value: str
    interval: str
    mark: str
    bar: str
    spark: str
    move: Move | None
    """The change since the same period a year before."""
    since: str
    """Signals in its months that chance is unlikely to explain; usually empty."""

    @property
    def missed(self) -> str:
        """Return how many orders missed it, in round words."""
        if self.row is None or self.row.numerator is None or not self.row.denominator:
            return ""
        return about(1 - self.row.numerator / self.row.denominator)

    @property
    def limit(self) -> str:
        """Return the standard as a phrase, as in `within 1 working day`."""
        said = self.indicator.standard or ""
        return f"within {said}" if said[:1].isdigit() and len(said) < 60 else said


def about(share: float) -> str:
    """Return a share as so many in ten, or as one in so many if it is small."""
    if share < 1 / 30:
        return "fewer than 1 in 30"
    if share < 1 / 6:
        return f"about 1 in {round(1 / share)}"
    tenths = round(10 * share)
    return {5: "about half", 10: "nearly all"}.get(tenths, f"about {tenths} in 10")


def standings(reader: Reader, span: Span, area: str = SCOTLAND) -> list[StandardLine]:
    """Return the lines of all standards."""
    return [_standing(reader, indicator, span, area) for indicator in STANDARDS]


def _standing(reader: Reader, indicator: Indicator, span: Span, area: str) -> StandardLine:
    now, before = (row_of(reader, indicator, each, area) for each in (span, year_before(span)))
    months = series(reader, indicator, span, area)
    return StandardLine(
        indicator,
        now,
        words.figure(now, indicator.unit),
        "" if now is None else words.interval(now, indicator.unit),
        words.mark(now),
        small_charts.share_bar(f"{indicator.title}: share", None if now is None else (now.value, now.lower, now.upper)),
        small_charts.spark(f"{indicator.title}, over time", [r.value for r in months], [r.provisional for r in months]),
        reader.moved(indicator, before, now),
        told_since(months, reader.off_by(indicator, months)),
    )


def since_a_year(reader: Reader, indicator: Indicator, span: Span) -> Move | None:
    """Return how Scotland's share changed; None if the indicator is not a share."""
    if indicator.kind is not Kind.SHARE:
        return None
    before, now = (row_of(reader, indicator, each) for each in (year_before(span), span))
    return reader.moved(indicator, before, now)


def row_of(reader: Reader, indicator: Indicator, span: Span, area: str = SCOTLAND) -> Row | None:
    """Return the only figure of an area and span."""
    return only(reader.ask(indicator, Question(span.first, span.last, area=area)).rows)


def told_since(months: Sequence[Row], off_by: Sequence[float]) -> str:
    """Describe the last signal that reaches to the end of the settled months."""
    settled = [None if row.provisional or row.partial else row.value for row in months]
    last = max((index for index, value in enumerate(settled) if value is not None), default=0)
    found = [each for each in signals(settled, off_by) if each.last == last]
    if not found:
        return ""
    way = {"above": "Above its median", "below": "Below its median", "up": "Rising", "down": "Falling"}[found[-1].way]
    return f"{way} since {words.short_period(months[found[-1].first].period)}"
