"""The gate. Every number that leaves reporting, in any form, is a `Row` or a `CellRow`, and only this module makes them.

Public figures are sums of the rounded cells of a published release (`rounding`). Together they identify nobody, so the gate suppresses only
figures that say too little. An authority sees its own figures exactly, and others' as the public does. Statisticians and inspectors see
everything, and each view is logged.
"""

import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.chassis.api.auth import Identity
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY, STEP, STEPS, CellName, cells_in, step_of
from services.reporting.read.queries import Span
from services.reporting.read.vintages import Released, Rounded, Vintage
from services.reporting.registry.areas import SCOTLAND, members
from services.reporting.registry.indicators import Form, Indicator, Kind
from services.reporting.statistics.causes import Cause, Change, Counts
from services.reporting.statistics.intervals import wilson
from services.reporting.statistics.outlook import Outlook

log = logging.getLogger(__name__)

FEWEST_FOR_AN_OUTLOOK = 100
MONTHS_IN_A_YEAR = 12
MONTHS_IN_A_QUARTER = 3
TOO_FEW = "too few reports to say"
DECIMALS = 2
"""Decimal places of values for programs."""


class Why(StrEnum):
    """Why a figure is not shown."""

    SMALL = "small number"
    """Less than two steps of its rounding: below ten, for counts."""
    AUDIENCE = "not published for this audience"
    PERIOD = "not published for so short a period"
    """For single authorities, figures are published by quarter and year, and categories by year."""

    @property
    def mark(self) -> str:
        """Return the symbol for tables, which have no room for words."""
        return {Why.SMALL: "c", Why.AUDIENCE: "a", Why.PERIOD: "n"}[self]


@dataclass(frozen=True, slots=True)
class Figure:
    """An exact figure before it passes the gate."""

    vintage: Vintage
    area: str
    period: str
    category: str
    numerator_form: Form
    denominator_form: Form | None
    numerator: int | None
    """None if the area has reported nothing, which is not zero."""
    denominator: int | None = None
    """For a rate of the population, the number of people."""
    name: str = ""
    """The name of the period, if it differs from the months that the figure covers."""
    months: int = 1
    provisional: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as it may be shown. A suppressed figure is None, never zero."""

    authority: str
    period: str
    category: str
    numerator: float | None
    denominator: float | None
    value: float | None
    lower: float | None
    upper: float | None
    suppressed: bool
    why: Why | None = None
    """Why it is suppressed; None if it is not."""
    provisional: bool = False
    """Whether anything that would count in the period can still happen."""
    partial: bool = False
    """Whether the figure covers only part of the period."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """A whole cell, for viewers who may see those."""

    measure: str
    authority: str
    period: date
    category: str
    value: int


@dataclass(frozen=True, slots=True)
class PartRow:
    """The part of a figure's change that one cause explains."""

    cause: str
    numerator: float
    denominator: float | None
    value: float | None
    """None if the value could not be computed before or after."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure on two days. The parts add up to the difference of numerator, of denominator and of value.

    If nothing had been reported by a day, there are no numbers of that day, and the parts count from zero.
    """

    authority: str
    period: str
    numerator: tuple[float | None, float | None]
    denominator: tuple[float | None, float | None]
    value: tuple[float | None, float | None]
    parts: tuple[PartRow, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many months count in a figure, by which a rate for a year is divided."""

    before: int
    """The months as known on the first day."""
    passed: int
    """Those, and months that have passed since."""
    after: int
    """Those, and earlier months of which reports came since."""


@dataclass(frozen=True, slots=True)
class ToCome:
    """How much is still likely to arrive about one area and period. If nothing is estimated, `why` says why."""

    authority: str
    period: str
    share: float | None
    """The reports still to come, in percent of all reports in the end."""
    reports: int | None
    """The same as a number of reports, for viewers who may see it."""
    why: str | None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as it may be shown. A number too small to be shown is None."""

    measure: str
    category: str
    period: date
    authority: str
    before: int | None
    after: int | None
    why: str
    suppressed: bool


class NotForViewer(Exception):
    """The viewer may not see this at all. The message says what they may see."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets figures through for one viewer. `public` are the rounded cells of the release; the public gets no others."""

    viewer: Identity
    public: AbstractSet[CellName] = frozenset()

    def rows(self, indicator: Indicator, figures: Iterable[Figure], decimals: int | None = DECIMALS) -> list[Row]:
        """Return the figures of one indicator, exact if the viewer may see them so. `decimals` None leaves rounding to the caller."""
        shown = [self._row(indicator, figure, decimals) for figure in figures]
        self.looks_again(len(shown), indicator)
        return shown

    def looks_again(self, count: int, indicator: Indicator) -> None:
        """Log a view of so many figures that passed the gate before."""
        if self.viewer.audience == "national":
            self._log_look(count, indicator.id)

    def cells(self, cells: Iterable[tuple[str, str, date, str, int]]) -> list[CellRow]:
        """Return whole cells. Raises NotForViewer for all but national viewers."""
        if self.viewer.audience != "national":
            raise NotForViewer("Whole cells are for national statistics and inspection")
        shown = [CellRow(*cell) for cell in cells]
        self._log_look(len(shown), "cells")
        return shown

    def changes(self, changes: Iterable[Change]) -> list[ChangeRow]:
        """Return the changes between two releases. Those for Scotland use rounded cells, and everybody may see them."""
        return [self._change(each) for each in changes if each.authority == SCOTLAND or self.sees_whole(each.authority)]

    def _change(self, change: Change) -> ChangeRow:
        whole = change.authority != SCOTLAND
        before, after = (
            each if whole or _says_enough(each, change) else None for each in (change.before, change.after)
        )
        return ChangeRow(*change[:4], before, after, change.why, suppressed=None in {before, after})

    def to_come(self, vintage: Vintage, area: str, period: str, found: Outlook) -> ToCome | None:
        """Return the estimate, in whole percent; None if nothing is likely to come. The public sees no numbers of reports."""
        whole = self.sees_whole(area)
        if not whole and (not isinstance(vintage, Released) or 0 < found.arrived < FEWEST_FOR_AN_OUTLOOK):
            return ToCome(area, period, None, None, TOO_FEW)
        if found.share is None or found.expected is None:
            return ToCome(area, period, None, None, found.why)
        share = round(100 * found.share)
        return ToCome(area, period, share, round(found.expected) if whole else None, found.why) if share else None

    def explained(
        self,
        definitions: tuple[Indicator, Indicator],
        area: str,
        span: Span,
        counts: tuple[Counts, Counts],
        parts: Mapping[Cause, Counts],
        months: Counted,
    ) -> Explained:
        """Return a figure on two days, by its counts on each. Raises NotForViewer for viewers who may not see it exactly."""
        if not self.sees_whole(area):
            raise NotForViewer("Only those who may see a figure as it is may see why it moved")
        old, new = definitions
        before, after = counts
        shown, reached = [], before
        was = first = _measured(old, months.before, before)[:3]
        for cause in Cause:
            reached += parts[cause]
            counted = months.passed if cause is Cause.NEW else months.after
            here = _measured(new if cause is Cause.DEFINITION else old, counted, reached)[:3]
            steps = [_less(now, then) for now, then in zip(here, was, strict=True)]
            shown.append(PartRow(cause, steps[0] or 0.0, *steps[1:]))
            was = here
        if self.viewer.audience == "national":
            self._log_look(1, new.id)
        pairs = zip(first, _measured(new, months.after, after)[:3], strict=True)
        numerator, denominator, value = pairs
        return Explained(area, span.label, numerator, denominator, value, tuple(shown))

    def sees_whole(self, area: str) -> bool:
        """Return whether the viewer may see exact figures of this area."""
        return self.viewer.audience == "national" or (
            self.viewer.audience == "authority" and (self.viewer.authority,) == members(area)
        )

    def off_by(self, form: Form, area: str) -> int:
        """Return how far a sum of this area, as shown to the viewer, may differ from the truth: a step, or 0 if it is exact."""
        return 0 if self.sees_whole(area) else step_of(form)

    def _row(self, indicator: Indicator, figure: Figure, decimals: int | None) -> Row:
        if figure.numerator is None:
            return _without_numbers(figure, None)
        why = None if self.sees_whole(figure.area) else self._why_not(indicator, figure)
        if why is not None:
            return _without_numbers(figure, why)
        counts = Counts(figure.numerator, figure.denominator)
        numbers = _measured(indicator, figure.months, counts, decimals)
        marks = False, None, figure.provisional, figure.partial
        return Row(figure.area, figure.name or figure.period, figure.category, *numbers, *marks)

    def _why_not(self, indicator: Indicator, figure: Figure) -> Why | None:
        """Return why the public is not shown this figure; None if it is."""
        if not isinstance(figure.vintage, Rounded) or not self._is_published(indicator, figure):
            return Why.AUDIENCE
        if figure.months < _fewest_months(indicator, figure):
            return Why.PERIOD
        return None if _is_enough(figure) else Why.SMALL

    def _is_published(self, indicator: Indicator, figure: Figure) -> bool:
        forms = (figure.numerator_form, figure.denominator_form, indicator.minus)
        cells = {cell for each in forms if each is not None for cell in cells_in(each)}
        for_area = figure.area == SCOTLAND or not any(NATIONAL_ONLY.get(cell) for cell in cells)
        return for_area and cells <= self.public and cells <= NATIONAL_ONLY.keys()

    def _log_look(self, count: int, kind: str) -> None:
        log.info("whole figures were read", extra={"count": count, "kind": kind, "reason": self.viewer.subject})


def _fewest_months(indicator: Indicator, figure: Figure) -> int:
    """Return the fewest months of a figure. For a single authority, shorter ones would say more about the rounding than about the
    authority.
    """
    if indicator.kind is Kind.YEARLY:
        return MONTHS_IN_A_YEAR
    if figure.area == SCOTLAND or indicator.kind is Kind.STOCK:
        return 1
    return MONTHS_IN_A_YEAR if figure.category else MONTHS_IN_A_QUARTER


def _is_enough(figure: Figure) -> bool:
    """Return whether the count, or the denominator of a share or mean, is at least two steps of the rounding."""
    form = figure.denominator_form or figure.numerator_form
    of = figure.numerator if figure.denominator_form is None else figure.denominator
    return abs(of or 0) >= 2 * STEPS[cells_in(form)[0]]


def _says_enough(value: int, change: Change) -> bool:
    return abs(value) >= 2 * STEPS.get((change.measure, change.category), STEP)


def _without_numbers(figure: Figure, why: Why | None) -> Row:
    marks = why is not None, why, figure.provisional, figure.partial
    return Row(figure.area, figure.name or figure.period, figure.category, None, None, None, None, None, *marks)


def _measured(
    indicator: Indicator, months: int, counts: Counts, decimals: int | None = DECIMALS
) -> tuple[float | None, float | None, float | None, float | None, float | None]:
    """Return numerator, denominator, value and its interval, as shown."""
    denominator = counts.denominator
    shown = _value(indicator, counts.numerator, denominator, months)
    numerator = float(_cut(counts.numerator / indicator.divide, decimals))
    value, lower, upper = (None if each is None else _cut(each, decimals) for each in shown)
    return numerator, None if denominator is None else float(denominator), value, lower, upper


def _less(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else round(now - then, 2)


def _value(
    indicator: Indicator, numerator: int, denominator: int | None, months: int
) -> tuple[float | None, float | None, float | None]:
    """Return the value and its 95 % interval; no interval unless the value is a proportion, and nothing if the denominator is 0."""
    if denominator is None:
        return numerator / indicator.divide, None, None
    if denominator <= 0:
        return None, None, None
    share = numerator / denominator
    if indicator.kind is Kind.POPULATION_RATE:
        return 10_000 * share * (MONTHS_IN_A_YEAR / months if indicator.per_year else 1), None, None
    if indicator.kind is Kind.MEAN:
        return share / indicator.divide, None, None
    if not 0 <= share <= 1:
        return 100 * share, None, None
    lower, upper = wilson(numerator, denominator)
    return 100 * share, 100 * lower, 100 * upper


def _cut(value: float, decimals: int | None) -> float:
    return value if decimals is None else round(value, decimals)
