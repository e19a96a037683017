"""Compares authorities with control limits around Scotland, from rows that may be shown."""

from dataclasses import dataclass

from contracts.periods import months_between
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Answer
from services.reporting.registry.areas import SCOTLAND
from services.reporting.statistics.funnel import FEWEST, ByChance, Funnel, Limits, Place, by_chance, rounding_of


@dataclass(frozen=True, slots=True)
class Placing:
    """One authority; without a place if its share or Scotland's is not shown, or if it has too few cases."""

    row: Row
    funnel: Funnel | None
    place: Place | None

    @property
    def limits(self) -> Limits | None:
        """Return the limits in percent, not rounded."""
        found = None if self.funnel is None else self.funnel.limits
        return None if found is None else Limits(*(100 * share for share in found))


@dataclass(frozen=True, slots=True)
class Comparison:
    """All authorities, and how many of them chance alone would put outside. If Scotland's share is not shown, none has a place."""

    scotland: Row | None
    authorities: tuple[Placing, ...]
    by_chance: ByChance | None
    step: int
    """The step of others' published counts; 0 if they are exact."""
    off_by: float
    """The standard deviation of the effect of rounding, in cases, which their limits take into account."""

    @property
    def share(self) -> float | None:
        """Return Scotland's share."""
        return share_of(self.scotland)


def compare(answer: Answer) -> Comparison:
    """Compare the authorities of an answer by authority."""
    rows = {row.authority: row for row in answer.rows}
    scotland = rows.pop(SCOTLAND, None)
    share, months = share_of(scotland), len(months_between(answer.span.first, answer.span.last))
    off_by = rounding_of(answer.off_by, months)
    if share is None:
        unplaced = tuple(Placing(row, None, None) for row in rows.values())
        return Comparison(scotland, unplaced, None, answer.off_by, off_by)
    found = tuple(placing(share, row, rounding_of(answer.off_by_in(row.authority), months)) for row in rows.values())
    placed = [(_whole(each.row.numerator), each.funnel.trials) for each in found if each.funnel is not None]
    return Comparison(scotland, found, by_chance(share, placed, off_by), answer.off_by, off_by)


def share_of(row: Row | None) -> float | None:
    """Return the share as shown; None if it is not shown, or its denominator is 0."""
    if row is None or row.numerator is None or not row.denominator:
        return None
    return row.numerator / row.denominator


def placing(share: float, row: Row, off_by: float) -> Placing:
    """Place one authority around Scotland's share, if rounding puts counts off by so much."""
    if row.numerator is None or row.denominator is None or row.denominator < FEWEST:
        return Placing(row, None, None)
    funnel = Funnel(share, _whole(row.denominator), off_by)
    return Placing(row, funnel, funnel.place(_whole(row.numerator)))


def _whole(number: float | None) -> int:
    return round(number or 0)
