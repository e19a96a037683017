"""Why figures changed: every change of a cell is split by cause, and the parts always add up to the change. Pure.

`RULES` says how, within one authority, month and way of splitting.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from contracts.periods import last_day, month_of
from services.reporting.registry.indicators import Form


class Cause(StrEnum):
    """Why a cell, or a figure, changed."""

    NEW = "new"
    LATE = "late"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    DUE = "due"
    DEFINITION = "definition"


RULES = {
    Cause.NEW: "The month was not over yet on the first day, so its figure was bound to move.",
    Cause.CORRECTED: "Moves between categories of one month that cancel each other out.",
    Cause.LATE: "What is left of a day's moves, where there were more than before.",
    Cause.WITHDRAWN: "What is left of a day's moves, where there were fewer than before.",
    Cause.DUE: "What became overdue between the two days, less what was overdue and is so no longer.",
    Cause.DEFINITION: "The same cells, counted by another version of the definition.",
}
_ONE_OUTCOME = ("band", "class")
OF_CELLS = (Cause.NEW, Cause.LATE, Cause.CORRECTED, Cause.WITHDRAWN)


class Change(NamedTuple):
    """A cell that changed between two releases. If a definition changed, `measure` is the indicator and `category` says how."""

    measure: str
    category: str
    period: date
    authority: str
    before: int
    after: int
    why: str


class Step(NamedTuple):
    """The change of one cell on one day."""

    measure: str
    authority: str
    period: date
    category: str
    known_on: date
    by: int


class Move(NamedTuple):
    """The part of a cell's changes with one cause."""

    measure: str
    authority: str
    period: date
    category: str
    cause: Cause
    by: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Numerator and denominator, before they are divided."""

    numerator: int
    denominator: int | None

    def __add__(self, other: "Counts") -> "Counts":
        if self.denominator is None or other.denominator is None:
            return Counts(self.numerator + other.numerator, None)
        return Counts(self.numerator + other.numerator, self.denominator + other.denominator)

    def __sub__(self, other: "Counts") -> "Counts":
        return self + Counts(-other.numerator, None if other.denominator is None else -other.denominator)


def moves(steps: Iterable[Step], first_day: date) -> Iterator[Move]:
    """Yield each step by its causes, given the months that were over on the first day."""
    groups: dict[tuple[str, str, date, str, date], dict[str, int]] = {}
    for step in steps:
        place = step.measure, step.authority, step.period, _dimension(step.category), step.known_on
        group = groups.setdefault(place, {})
        group[step.category] = group.get(step.category, 0) + step.by
    for (measure, authority, period, _, _), group in groups.items():
        over = last_day(month_of(period)) <= first_day
        parts = split(group) if over else ((category, Cause.NEW, by) for category, by in group.items())
        for category, cause, by in parts:
            yield Move(measure, authority, period, category, cause, by)


def _dimension(category: str) -> str:
    """Return the dimension of a category. Bands and bare words such as `missed` are one, since an overdue duty that is done late moves from
    one to the other.
    """
    dimension, separator, _ = category.partition("=")
    return "outcome" if dimension in _ONE_OUTCOME or (category and not separator) else dimension


def split(group: Mapping[str, int]) -> Iterator[tuple[str, Cause, int]]:
    """Yield changes of categories that changed together, by cause. Corrections add up to zero; the rest is late or withdrawn."""
    net = sum(group.values())
    sign, rest = (1, Cause.LATE) if net >= 0 else (-1, Cause.WITHDRAWN)
    along = sum(by for by in group.values() if by * sign > 0)
    against = along - net
    passed = 0
    for category, by in sorted(group.items()):
        if by * sign <= 0:
            corrected = by
        else:
            # Each category's share of the corrections, in whole numbers that add up.
            corrected = sign * (
                abs(against) * abs(passed + by) // abs(along) - abs(against) * abs(passed) // abs(along)
            )
            passed += by
        for cause, part in ((Cause.CORRECTED, corrected), (rest, by - corrected)):
            if part:
                yield category, cause, part


def by_cause(found: Iterable[Move], numerator: Form, denominator: Form | None) -> dict[Cause, Counts]:
    """Return what each cause adds to numerator and denominator."""
    totals = {cause: [0, 0] for cause in OF_CELLS}
    for move in found:
        for index, form in enumerate((numerator, denominator)):
            if form is not None and form.measure == move.measure and move.category in form.categories:
                totals[move.cause][index] += move.by
    return {cause: Counts(n, None if denominator is None else d) for cause, (n, d) in totals.items()}
