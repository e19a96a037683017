"""The parts of reporting's answers that the report reads, as types, pure."""

from typing import Literal

from msgspec import Struct

from services.desk.report.chance import Share


class Row(Struct, frozen=True):
    """A figure as it may be shown. A suppressed figure is None, never zero."""

    authority: str
    period: str
    numerator: float | None
    denominator: float | None
    value: float | None
    lower: float | None = None
    upper: float | None = None
    provisional: bool = False
    indicator: str = ""
    """The indicator, if an answer has several."""


class Indicator(Struct, frozen=True):
    """The definition of an indicator."""

    id: str
    title: str
    definition: str
    theme: str
    kind: str
    unit: str
    direction_of_good: str
    standard: str | None = None
    published_as: str | None = None
    """The indicator that counts the same as published tables do."""


class Indicators(Struct, frozen=True):
    """All indicators."""

    indicators: list[Indicator]


class Series(Struct, frozen=True):
    """The figures of an indicator."""

    indicator: Indicator
    rows: list[Row]


class SeveralSeries(Struct, frozen=True):
    """The figures of several indicators."""

    indicators: list[Indicator]
    rows: list[Row]

    def apart(self) -> list[Series]:
        """Return the series of each indicator by itself."""
        return [Series(one, [row for row in self.rows if row.indicator == one.id]) for one in self.indicators]


class Placed(Struct, frozen=True):
    """One authority in the funnel."""

    row: Row
    place: Literal["within", "alert", "alarm"] | None


class Doubt(Struct, frozen=True):
    """Why figures may be incomplete."""

    meaning: str = ""


class Quality(Struct, frozen=True):
    """Which authorities are complete."""

    complete: list[str]
    partial: list[str]
    missing: list[str]


class Comparison(Struct, frozen=True):
    """Authorities compared with Scotland."""

    indicator: Indicator
    scotland: Row | None
    authorities: list[Placed]
    quality: Quality


class Comparisons(Struct, frozen=True):
    """Comparisons of several indicators."""

    comparisons: list[Comparison]


def share_of(row: Row | None) -> Share | None:
    """Return the figure as a number out of a total; None if it is not shown or the total is 0."""
    if row is None or row.numerator is None or not row.denominator:
        return None
    return Share(row.numerator, row.denominator)


def percent(row: Row | None) -> str:
    """Return the share in words; a suppressed or missing one is named as such."""
    share = share_of(row)
    return "not shown" if share is None else f"{share.percent:.1f} %"
