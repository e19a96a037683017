"""Authorities against what chance alone would give, arranged for reading."""

from dataclasses import dataclass

from services.chassis.web import charts
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.figures.comparison import compare
from services.reporting.pages import words
from services.reporting.pages.views import BY_AUTHORITY, Reader
from services.reporting.read.queries import Span
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import FEWEST, ByChance, Funnel, Place


@dataclass(frozen=True, slots=True)
class Compared:
    """One authority in a comparison."""

    code: str
    name: str
    value: str
    size: str
    place: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A funnel, the same as a table, and what chance would do."""

    chart: str
    rows: tuple[Compared, ...]
    scotland: str
    hidden: int
    mark: str
    by_chance: tuple[str, ...]
    """In sentences."""


_PLACES = {
    Place.WITHIN: "Within what chance explains",
    Place.ALERT: "Outside the 95% limits",
    Place.ALARM: "Outside the 99.8% limits",
}


def comparison(reader: Reader, indicator: Indicator, span: Span) -> Comparison | None:
    """None where Scotland's own share is not shown."""
    found = compare(reader.ask(indicator, Question(span.first, span.last, BY_AUTHORITY)))
    if found.scotland is None or found.share is None or found.by_chance is None:
        return None
    placed = sorted(
        (
            (AREA_NAMES[each.row.authority], each.row, each.place)
            for each in found.authorities
            if each.place is not None
        ),
        key=lambda each: each[0],
    )
    middle = 100 * found.share
    dots = [charts.Dot(name, row.denominator or 0, row.value or 0, str(place)) for name, row, place in placed]
    return Comparison(
        charts.funnel(
            f"{indicator.title}: authorities by size, with control limits",
            dots,
            _curves(found.share, max((dot.size for dot in dots), default=1)),
            middle,
            "Number that the share is of",
        ),
        tuple(_line(name, row, place, middle) for name, row, place in placed),
        words.figure(found.scotland, "percent"),
        len(found.authorities) - len(placed),
        words.mark(found.scotland),
        _said(found.by_chance),
    )


def _line(name: str, row: Row, place: Place, middle: float) -> Compared:
    told = _PLACES[place]
    if place is not Place.WITHIN:
        told += ", above Scotland" if (row.value or 0) > middle else ", below Scotland"
    return Compared(row.authority, name, words.figure(row, "percent"), words.count(row, row.denominator), told)


def _said(found: ByChance) -> tuple[str, ...]:
    """How many lie outside and would by chance, and whether chance explains how much they differ."""
    outside = (
        f"Of the {found.compared} authorities compared, chance alone would put about {found.beyond_95_by_chance:g} outside the "
        f"95% limits and {found.beyond_998_by_chance:g} outside the 99.8% limits. {found.beyond_95} lie outside the first, "
        f"{found.beyond_998} outside the second."
    )
    if not found.overdispersed:
        return (outside,)
    return outside, (
        f"Authorities vary {found.dispersion:g} times as much as chance would make them (overdispersion: the mean of squared "
        "distances in standard errors). Many lie outside for reasons that they share, so a place outside says less of any one."
    )


def _curves(share: float, largest: float) -> list[charts.Curve]:
    """Quantiles of the binomial, which go in steps where numbers are small."""
    sizes = sorted({max(FEWEST, round(largest * 1.05 * (index / 90) ** 2)) for index in range(1, 91)})
    limits = [(size, Funnel(share, size).limits) for size in sizes]
    return [
        charts.Curve("95", [(size, 100 * each.lower_95) for size, each in limits]),
        charts.Curve("95", [(size, 100 * each.upper_95) for size, each in limits]),
        charts.Curve("998", [(size, 100 * each.lower_998) for size, each in limits]),
        charts.Curve("998", [(size, 100 * each.upper_998) for size, each in limits]),
    ]
