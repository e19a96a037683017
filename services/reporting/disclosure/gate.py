"""The gate. Every number that leaves reporting, in whatever form, is a `Row` or a `CellRow`, and only this file makes them.

Public figures are those of a published release, less what `worlds` found must be hidden. An authority sees its own figures
whole, and others' as the public does. Statistics and inspection see everything, and each look is logged.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby, product
from operator import itemgetter

from contracts.periods import months_between, quarter_months
from services.chassis.api.auth import Identity
from services.reporting.disclosure.linked_tables import (
    FEWEST_FOR_A_RATE,
    PUBLIC_FORMS,
    SMALL_COUNT,
    YEARLY_FORMS,
    left_over,
    told_as,
)
from services.reporting.disclosure.numbers import Change, NumberKey, key_of
from services.reporting.read.queries import Span
from services.reporting.read.vintages import Cut, Released
from services.reporting.registry.areas import SCOTLAND, members
from services.reporting.registry.indicators import Form, Indicator, Kind
from services.reporting.registry.population import aged_16_to_70
from services.reporting.statistics.causes import OF_CELLS, Cause, Counts
from services.reporting.statistics.intervals import wilson
from services.reporting.statistics.outlook import Outlook

log = logging.getLogger(__name__)

_PUBLIC_PERIOD = re.compile(r"\d{4}-(\d{2}|Q[1-4])")
"""A month, or a whole year like 2025-26: the periods that the hiding was worked out for. Both look the same. Or a quarter."""

FEWEST_FOR_AN_OUTLOOK = 100
MONTHS_IN_A_YEAR = 12
TOO_FEW = "too few reports to say"
NOT_TOLD = "not told"
"""Why a hidden cell moved: even that would tell whether it rose or fell."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it is, on its way to the gate."""

    cut: Cut
    area: str
    period: str
    category: str
    numerator_form: Form
    denominator_form: Form | None
    numerator: int | None
    """None where the area has reported nothing: that is not zero."""
    denominator: int | None = None
    name: str = ""
    """What the period is told as, where that is not what it covers."""
    months: int = 1
    provisional: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as it may be shown. What is suppressed is None, never zero."""

    authority: str
    period: str
    category: str
    numerator: float | None
    denominator: float | None
    value: float | None
    lower: float | None
    upper: float | None
    suppressed: bool
    provisional: bool = False
    """Whether something that would count in the period can still happen."""
    partial: bool = False
    """Whether the figure is of only part of the period."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """A whole cell, for those who may see them."""

    measure: str
    authority: str
    period: date
    category: str
    value: int


@dataclass(frozen=True, slots=True)
class PartRow:
    """What one cause adds to a figure."""

    cause: str
    numerator: float
    denominator: float | None
    value: float | None
    """None where the value could not be worked out before or after."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure on two days. The parts add up to the difference, of numerator, denominator and value each.

    Where nothing had been reported by a day there is no number of it, and the parts count from nothing.
    """

    authority: str
    period: str
    numerator: tuple[float | None, float | None]
    denominator: tuple[float | None, float | None]
    value: tuple[float | None, float | None]
    parts: tuple[PartRow, ...]


@dataclass(frozen=True, slots=True)
class ToCome:
    """How much is likely still to arrive about one area and period. Where nothing is estimated, `why` says why."""

    authority: str
    period: str
    share: float | None
    """Percent of all reports in the end."""
    reports: int | None
    """The same as a number, for those who may see it."""
    why: str | None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as it may be shown."""

    measure: str
    category: str
    period: date
    authority: str
    before: int | None
    after: int | None
    why: str
    suppressed: bool


class Refused(Exception):
    """The viewer may not see this at all. The message says what they may."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets figures through for one viewer. `hidden` are the numbers of the release that the public does not see."""

    viewer: Identity
    hidden: Collection[NumberKey]

    def rows(self, indicator: Indicator, figures: Iterable[Figure]) -> list[Row]:
        """The figures of one indicator, whole where the viewer may see them so."""
        shown = [self._row(indicator, figure) for figure in figures]
        self.looks_again(len(shown), indicator)
        return shown

    def looks_again(self, count: int, indicator: Indicator) -> None:
        """Log that so many figures, which have passed before, are looked at."""
        if self.viewer.audience == "national":
            self._log_look(count, indicator.id)

    def cells(self, cells: Iterable[tuple[str, str, date, str, int]]) -> list[CellRow]:
        """Whole cells. Raises Refused for all but national viewers."""
        if self.viewer.audience != "national":
            raise Refused("Whole cells are for national statistics and inspection")
        shown = [CellRow(*cell) for cell in cells]
        self._log_look(len(shown), "cells")
        return shown

    def changes(self, changes: Iterable[Change]) -> list[ChangeRow]:
        """What moved between two releases. `hidden` must hold what either of them hides."""
        shown = []
        for change in self._told(changes):
            whole = self.sees_whole(change.authority)
            if not whole and any(PUBLIC_FORMS.get(f) is not False or f in YEARLY_FORMS for f in change.forms):
                continue
            told = {key_of(form, f"{change.period:%Y-%m}", change.authority) for form in change.forms}
            if whole or told.isdisjoint(self.hidden):
                shown.append(ChangeRow(*change, suppressed=False))
            else:
                shown.append(ChangeRow(*change[:4], None, None, NOT_TOLD, suppressed=True))
        return shown

    def to_come(self, cut: Cut, area: str, period: str, found: Outlook) -> ToCome | None:
        """The estimate, in whole percent; None where nothing is likely to come. The public is told no numbers of reports."""
        whole = self.sees_whole(area)
        if not whole and (not isinstance(cut, Released) or 0 < found.arrived < FEWEST_FOR_AN_OUTLOOK):
            return ToCome(area, period, None, None, TOO_FEW)
        if found.share is None or found.expected is None:
            return ToCome(area, period, None, None, found.why)
        share = round(100 * found.share)
        return ToCome(area, period, share, round(found.expected) if whole else None, found.why) if share else None

    def _told(self, changes: Iterable[Change]) -> Iterator[Change]:
        """What moved for several reasons in one row, for those who may not see other cells: the reasons depend on these."""
        for key, parts in groupby(changes, key=itemgetter(0, 1, 2, 3)):
            rows = list(parts)
            if self.sees_whole(key[-1]) or rows[0].why not in OF_CELLS:
                yield from rows
            else:
                before, after = rows[0].before, rows[-1].after
                yield rows[0]._replace(after=after, why=_own_reason(before, after))

    def explained(
        self,
        definitions: tuple[Indicator, Indicator],
        area: str,
        span: Span,
        before: Counts,
        after: Counts,
        parts: Mapping[Cause, Counts],
    ) -> Explained:
        """A figure on two days. Raises Refused for those who may not see it as it is."""
        if not self.sees_whole(area):
            raise Refused("Only those who may see a figure as it is may see why it moved")
        old, new = definitions
        shown, reached = [], before
        months = len(months_between(span.first, span.last))
        was = first = _measured(old, area, months, before)[:3]
        for cause in Cause:
            reached += parts[cause]
            here = _measured(new if cause is Cause.DEFINITION else old, area, months, reached)[:3]
            steps = [_less(now, then) for now, then in zip(here, was, strict=True)]
            shown.append(PartRow(cause, steps[0] or 0.0, *steps[1:]))
            was = here
        if self.viewer.audience == "national":
            self._log_look(1, new.id)
        pairs = zip(first, _measured(new, area, months, after)[:3], strict=True)
        numerator, denominator, value = pairs
        return Explained(area, span.label, numerator, denominator, value, tuple(shown))

    def sees_whole(self, area: str) -> bool:
        """Whether the viewer may see figures of this area as they are."""
        return self.viewer.audience == "national" or (
            self.viewer.audience == "authority" and (self.viewer.authority,) == members(area)
        )

    def _row(self, indicator: Indicator, figure: Figure) -> Row:
        if figure.numerator is None:
            return _without_numbers(figure, suppressed=False)
        if not (self.sees_whole(figure.area) or self._is_public(indicator, figure)):
            return _without_numbers(figure, suppressed=True)
        counts = Counts(figure.numerator, figure.denominator)
        numbers = _measured(indicator, figure.area, figure.months, counts)
        marks = False, figure.provisional, figure.partial
        return Row(figure.area, figure.name or figure.period, figure.category, *numbers, *marks)

    def _is_public(self, indicator: Indicator, figure: Figure) -> bool:
        if not isinstance(figure.cut, Released) or not _PUBLIC_PERIOD.fullmatch(figure.period):
            return False
        if indicator.kind is Kind.YEARLY and figure.months < MONTHS_IN_A_YEAR:
            return False
        if indicator.kind is Kind.STOCK:
            return self._stock_is_public(indicator, figure)
        of_few = figure.denominator is not None and 0 < figure.denominator < FEWEST_FOR_A_RATE
        return not of_few and all(
            self._is_shown(form, figure) for form in told_by(figure.numerator_form, figure.denominator_form)
        )

    def _is_shown(self, form: Form, figure: Figure) -> bool:
        national_only = PUBLIC_FORMS.get(form)
        if national_only is None or (national_only and figure.area != SCOTLAND):
            return False
        places = product(told_periods(figure.period), told_areas(figure.area))
        return all(key_of(form, *place) not in self.hidden for place in places)

    def _stock_is_public(self, indicator: Indicator, figure: Figure) -> bool:
        """Only for Scotland, and only where no flow was hidden: a stock tells the flows of all the time before it."""
        forms = [form for form in (indicator.numerator, indicator.minus) if form]
        flows = {(form.measure, form.grouping) for form in forms}
        return (
            figure.area == SCOTLAND
            and all(form in PUBLIC_FORMS for form in forms)
            and figure.numerator is not None
            and figure.numerator > SMALL_COUNT
            and not any(key.area == SCOTLAND and (key.measure, key.grouping) in flows for key in self.hidden)
        )

    def _log_look(self, count: int, kind: str) -> None:
        log.info("whole figures were read", extra={"count": count, "kind": kind, "reason": self.viewer.subject})


def _without_numbers(figure: Figure, *, suppressed: bool) -> Row:
    marks = suppressed, figure.provisional, figure.partial
    return Row(figure.area, figure.name or figure.period, figure.category, None, None, None, None, None, *marks)


def _own_reason(before: int, after: int) -> Cause:
    """As far as a cell alone can tell."""
    if after > before:
        return Cause.LATE
    return Cause.CORRECTED if after else Cause.WITHDRAWN


def told_periods(label: str) -> tuple[str, ...]:
    """What has to be shown where this period is: a quarter tells nothing that its months do not."""
    return tuple(f"{month:%Y-%m}" for month in quarter_months(label)) if "Q" in label else (label,)


def told_areas(area: str) -> tuple[str, ...]:
    """What has to be shown where this area is: a health board's area tells nothing that its authorities do not."""
    return (area,) if area == SCOTLAND else members(area)


def told_by(numerator: Form, denominator: Form | None) -> Iterator[Form]:
    """All sums that a figure tells: numerator, denominator, and by subtraction what is left."""
    yield from told_as(numerator)
    if denominator is not None:
        yield from told_as(denominator)
        if (left := left_over(numerator, denominator)) is not None:
            yield from told_as(left)


def _measured(
    indicator: Indicator, area: str, months: int, counts: Counts
) -> tuple[float | None, float | None, float | None, float | None, float | None]:
    """Numerator, denominator, value and its interval, as shown."""
    denominator = aged_16_to_70(area) if indicator.kind is Kind.POPULATION_RATE else counts.denominator
    shown = _value(indicator, counts.numerator, denominator, months)
    return _scaled(counts.numerator, indicator.divide), None if denominator is None else float(denominator), *shown


def _less(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else round(now - then, 2)


def _value(
    indicator: Indicator, numerator: int, denominator: int | None, months: int
) -> tuple[float | None, float | None, float | None]:
    """Value and 95 % interval; none for a rate of nothing."""
    if denominator is None:
        return _scaled(numerator, indicator.divide), None, None
    if denominator <= 0:
        return None, None, None
    share = numerator / denominator
    if indicator.kind is Kind.POPULATION_RATE:
        return round(10_000 * share * (MONTHS_IN_A_YEAR / months if indicator.per_year else 1), 2), None, None
    if indicator.kind is Kind.MEAN:
        return round(share / indicator.divide, 2), None, None
    if not 0 <= share <= 1:
        return round(100 * share, 2), None, None
    lower, upper = wilson(numerator, denominator)
    return round(100 * share, 2), round(100 * lower, 2), round(100 * upper, 2)


def _scaled(value: int, divide: int) -> float:
    return float(value) if divide == 1 else round(value / divide, 2)
