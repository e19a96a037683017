"""Authorities compared with what chance alone would give, arranged for reading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.chassis.web import charts
from services.chassis.web.words import rounded
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.figures.comparison import Placing, compare
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import BY_AUTHORITY, Reader
from services.reporting.read.queries import Span
from services.reporting.registry.areas import name_in
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import FEWEST, ByChance, Funnel, Place


@dataclass(frozen=True, slots=True)
class Compared:
    """One authority in a comparison."""

    code: str
    name: str
    value: str
    size: str
    limits_95: str
    limits_998: str
    place: str
    kind: str
    """`within`, `alert` or `alarm`."""
    ranks: Mapping[str, float | str]
    """Values by which the table can be sorted, the lowest first."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A funnel, the same as a table, and the effect of chance."""

    chart: str
    drawing: str
    """The chart for wide screens."""
    rows: tuple[Compared, ...]
    scotland: str
    left_out: tuple[tuple[str, str], ...]
    """Why some authorities are not compared, and their names."""
    mark: str
    by_chance: tuple[str, ...]
    """The effect of chance, in sentences."""
    step: int
    """The step of published counts; 0 if they are exact."""
    off_by: float
    """The standard deviation of the effect of rounding, in cases, which limits take into account."""

    @property
    def below(self) -> tuple[Compared, ...]:
        """Return those below the 99.8% limits, the lowest first."""
        return self._outside(-1)

    @property
    def above(self) -> tuple[Compared, ...]:
        """Return those above the 99.8% limits, the lowest first."""
        return self._outside(1)

    def _outside(self, side: int) -> tuple[Compared, ...]:
        found = (row for row in self.rows if row.ranks["place"] == side * _SEVERITY[Place.ALARM])
        return tuple(sorted(found, key=lambda row: row.ranks["value"]))


_PLACES = {
    Place.WITHIN: "Within the limits",
    Place.ALERT: "outside 95% limits",
    Place.ALARM: "outside 99.8% limits",
}
_SEVERITY = {Place.WITHIN: 0, Place.ALERT: 1, Place.ALARM: 2}
SORTS = {"name": "Authority", "value": "Percent", "place": "Compared with Scotland", "size": "Out of"}
"""The columns by which the table can be sorted, with their headings."""


@dataclass(frozen=True, slots=True)
class Order:
    """How a table is sorted."""

    by: str = "name"
    down: bool = False

    @classmethod
    def of(cls, words_given: str | None) -> "Order":
        """Parse `value` or `-value`. An unknown column counts as none."""
        name = (words_given or "").removeprefix("-")
        return cls(name, (words_given or "").startswith("-")) if name in SORTS else cls()

    def asked(self, name: str) -> str:
        """Return the order that a click on a heading asks for: reversed if the table is already sorted by it."""
        return f"-{name}" if name == self.by and not self.down else name

    def said(self, name: str) -> str:
        """Return the value of `aria-sort`."""
        return "none" if name != self.by else "descending" if self.down else "ascending"


def comparison(reader: Reader, indicator: Indicator, span: Span, order: Order) -> Comparison | None:
    """Return the comparison; None if Scotland's own share is not shown."""
    found = compare(reader.ask(indicator, Question(span.first, span.last, BY_AUTHORITY)))
    if found.scotland is None or found.share is None or found.by_chance is None:
        return None
    placed = [each for each in found.authorities if each.place is not None]
    middle = 100 * found.share
    dots = [
        charts.Dot(
            name_in(each.row.authority, each.row.period),
            each.row.denominator or 0,
            each.row.value or 0,
            str(each.place),
            f"#{each.row.authority}",
        )
        for each in placed
    ]
    lines = sorted((_line(each, middle) for each in placed), key=lambda each: each.name)
    lines.sort(key=lambda each: each.ranks[order.by], reverse=order.down)
    curves = _curves(found.share, max((dot.size for dot in dots), default=1), found.off_by)

    def draw(width: float) -> str:
        title = f"{indicator.title}: authorities by size, with control limits"
        return charts.funnel(title, dots, curves, middle, "Number of cases behind the share", width)

    return Comparison(
        charts.at_both_widths(draw),
        draw(charts.WIDTH),
        tuple(lines),
        words.figure(found.scotland, "percent"),
        _left_out(each.row for each in found.authorities if each.place is None),
        words.mark(found.scotland),
        said(found.by_chance, rounded=bool(found.off_by)),
        found.step,
        found.off_by,
    )


def _left_out(rows: Iterable[Row]) -> tuple[tuple[str, str], ...]:
    """Return each reason with the names of the authorities to which it applies."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(words.why_not_compared(row), []).append(name_in(row.authority, row.period))
    return tuple((why, ", ".join(sorted(names))) for why, names in found.items())


def _line(each: Placing, middle: float) -> Compared:
    assert each.place is not None
    assert each.limits is not None
    row, limits, told = each.row, each.limits, _PLACES[each.place]
    above = (row.value or 0) > middle
    if each.place is not Place.WITHIN:
        told = f"{'Above' if above else 'Below'}, {told}"
    name = name_in(row.authority, row.period)
    severity = _SEVERITY[each.place] * (1 if above else -1)
    return Compared(
        row.authority,
        name,
        words.figure(row, "percent"),
        words.count(row, row.denominator),
        _between(limits.lower_95, limits.upper_95),
        _between(limits.lower_998, limits.upper_998),
        told,
        str(each.place),
        {"name": name, "value": row.value or 0.0, "size": row.denominator or 0.0, "place": severity},
    )


def _between(lower: float, upper: float) -> str:
    return f"{rounded(lower)} to {rounded(upper)}"


def said(found: ByChance, rounded: bool) -> tuple[str, ...]:
    """Say how many are outside and would be by chance, and whether chance explains how much they differ."""
    outside = (
        f"Of the {found.compared} authorities compared, chance alone would put {_about(found.beyond_95_by_chance)} outside the "
        f"95% limits and {_about(found.beyond_998_by_chance)} outside the 99.8% limits. "
        f"{found.beyond_95 or 'None'} {'lies' if found.beyond_95 == 1 else 'lie'} outside the first, "
        f"{found.beyond_998 or 'none'} outside the second."
    )
    if not found.overdispersed:
        return (outside,)
    errors = f"standard errors{', which take in the rounding of counts' if rounded else ''}"
    return outside, (
        f"The spread of authorities is {found.dispersion:g} times what chance would make it (overdispersion: the mean of squared "
        f"distances in {errors}). Whatever spreads them can put an authority outside, so lying outside says less about any one of them."
    )


def _about(number: float) -> str:
    return f"about {number:g}" if number else "none"


def _curves(share: float, largest: float, off_by: float) -> list[charts.Curve]:
    """Return quantiles of the binomial, which have steps if numbers are small."""
    sizes = sorted({max(FEWEST, round(largest * 1.05 * (index / 90) ** 2)) for index in range(1, 91)})
    limits = [(size, Funnel(share, size, off_by).limits) for size in sizes]
    return [
        charts.Curve("95", [(size, 100 * each.lower_95) for size, each in limits]),
        charts.Curve("95", [(size, 100 * each.upper_95) for size, each in limits]),
        charts.Curve("998", [(size, 100 * each.lower_998) for size, each in limits]),
        charts.Curve("998", [(size, 100 * each.upper_998) for size, each in limits]),
    ]
