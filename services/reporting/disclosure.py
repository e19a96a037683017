"""The gate. Every number that leaves reporting, in whatever form, is a `Row` or a `CellRow`, and only this file makes them.

Public figures are those of a published release, less what `worlds` found must be hidden. An authority sees its own figures
whole, and others' as the public does. Statistics and inspection see everything, and each look is logged.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.chassis.auth import Identity
from services.reporting.cuts import Cut, Released
from services.reporting.families import FEWEST_FOR_A_RATE, PUBLIC_FORMS, SMALL_COUNT, left_over
from services.reporting.indicators import SCOTLAND, Form, Indicator, Kind
from services.reporting.population import aged_16_to_70
from services.reporting.statistics import wilson

log = logging.getLogger(__name__)

_PUBLIC_PERIOD = re.compile(r"\d{4}-\d{2}")
"""A month, or a whole year like 2025-26: the periods that the hiding was worked out for. Both look the same."""


class NumberKey(NamedTuple):
    """One number of a release."""

    measure: str
    grouping: str
    period: str
    area: str


def key_of(form: Form, period: str, area: str) -> NumberKey:
    return NumberKey(form.measure, form.grouping, period, area)


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


@dataclass(frozen=True, slots=True)
class CellRow:
    """A whole cell, for those who may see them."""

    measure: str
    authority: str
    period: date
    category: str
    value: int


class Change(NamedTuple):
    """A cell that moved between two releases, as it is."""

    measure: str
    category: str
    period: date
    authority: str
    before: int
    after: int
    why: str


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
    hidden: Collection[NumberKey] = frozenset()

    def rows(self, indicator: Indicator, figures: Iterable[Figure]) -> list[Row]:
        """The figures of one indicator, whole where the viewer may see them so."""
        shown = [self._row(indicator, figure) for figure in figures]
        if self.viewer.audience == "national":
            self._log_look(len(shown), indicator.id)
        return shown

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
        for change in changes:
            form = Form(change.measure, (change.category,))
            whole = self.sees_whole(change.authority)
            if not whole and PUBLIC_FORMS.get(form) is not False:
                continue
            if whole or key_of(form, f"{change.period:%Y-%m}", change.authority) not in self.hidden:
                shown.append(ChangeRow(*change, suppressed=False))
            else:
                shown.append(ChangeRow(*change[:4], None, None, change.why, suppressed=True))
        return shown

    def sees_whole(self, area: str) -> bool:
        """Whether the viewer may see figures of this area as they are."""
        return self.viewer.audience == "national" or (
            self.viewer.audience == "authority" and self.viewer.authority == area
        )

    def _row(self, indicator: Indicator, figure: Figure) -> Row:
        if figure.numerator is None:
            return Row(figure.area, figure.period, figure.category, None, None, None, None, None, suppressed=False)
        if not (self.sees_whole(figure.area) or self._is_public(indicator, figure)):
            return Row(figure.area, figure.period, figure.category, None, None, None, None, None, suppressed=True)
        denominator = figure.denominator
        if indicator.kind is Kind.POPULATION_RATE:
            denominator = aged_16_to_70(figure.area)
        value, lower, upper = _value(indicator, figure.numerator, denominator)
        return Row(
            figure.area,
            figure.period,
            figure.category,
            _scaled(figure.numerator, indicator.divide),
            None if denominator is None else float(denominator),
            value,
            lower,
            upper,
            suppressed=False,
        )

    def _is_public(self, indicator: Indicator, figure: Figure) -> bool:
        if not isinstance(figure.cut, Released) or not _PUBLIC_PERIOD.fullmatch(figure.period):
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
        return key_of(form, figure.period, figure.area) not in self.hidden

    def _stock_is_public(self, indicator: Indicator, figure: Figure) -> bool:
        """Only for Scotland, and only where no flow was hidden: a stock tells the flows of all the time before it."""
        flows = {(form.measure, form.grouping) for form in (indicator.numerator, indicator.minus) if form}
        return (
            figure.area == SCOTLAND
            and figure.numerator is not None
            and figure.numerator > SMALL_COUNT
            and not any(key.area == SCOTLAND and (key.measure, key.grouping) in flows for key in self.hidden)
        )

    def _log_look(self, count: int, kind: str) -> None:
        log.info("whole figures were read", extra={"count": count, "kind": kind, "reason": self.viewer.subject})


def told_by(numerator: Form, denominator: Form | None) -> Iterator[Form]:
    """All sums that a figure tells: numerator, denominator, and by subtraction what is left."""
    yield numerator
    if denominator is not None:
        yield denominator
        if (left := left_over(numerator, denominator)) is not None:
            yield left


def _value(
    indicator: Indicator, numerator: int, denominator: int | None
) -> tuple[float | None, float | None, float | None]:
    """Value and 95 % interval; none for a rate of nothing."""
    if denominator is None:
        return _scaled(numerator, indicator.divide), None, None
    if denominator <= 0:
        return None, None, None
    share = numerator / denominator
    if indicator.kind is Kind.POPULATION_RATE:
        return round(10_000 * share, 2), None, None
    if indicator.kind is Kind.MEAN:
        return round(share / indicator.divide, 2), None, None
    if not 0 <= share <= 1:
        return round(100 * share, 2), None, None
    lower, upper = wilson(numerator, denominator)
    return round(100 * share, 2), round(100 * lower, 2), round(100 * upper, 2)


def _scaled(value: int, divide: int) -> float:
    return float(value) if divide == 1 else round(value / divide, 2)
