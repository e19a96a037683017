"""A report: sections of sentences and tables, independent of the form in which it is written. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.periods import add_months
from services.desk.report.figures import Comparison, Series


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A share month by month, with its aim and the month of a change."""

    title: str
    lines: str
    """The meaning of the lines across the chart and down it."""
    months: Sequence[tuple[str, float | None, bool]]
    """Name, percent, and whether it may still change."""
    target: float
    since: int | None
    """The number of the first month after the change; None if there is none."""


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences, and perhaps a table and a chart of the same figures, under a heading."""

    title: str
    sentences: Sequence[str]
    table: Table | None = None
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    title: str
    subtitle: str
    sections: Sequence[Section]


@dataclass(frozen=True, slots=True)
class Span:
    """The months of a report, and those with which they are compared."""

    label: str
    first: date
    last: date
    """The first day of the last month."""
    before: str
    """The name of the earlier months."""
    first_before: date
    last_before: date


@dataclass(frozen=True, slots=True)
class Aim:
    """A change that was made in order to meet a standard."""

    standard: str
    since: date
    target: int
    change: str


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a report is made of."""

    authority: str
    name: str
    span: Span
    today: date
    """The day of the figures."""
    comparisons: Sequence[Comparison]
    """Comparisons of each share, in the span."""
    earlier: dict[str, Comparison]
    """By indicator, in the earlier months."""
    months: dict[str, Series]
    """By indicator, month by month, if there is an aim."""
    counts: Sequence[Series]
    """Series of counts rather than shares, by quarter or year."""
    aims: Sequence[Aim]
    wrong: int
    newly_wrong: int
    refused: int
    changes: Sequence[str] = ()
    capacity: str = ""
    quarters: dict[str, Series] = field(default_factory=dict)
    """By indicator, the last eight quarters, if evidence is asked for."""
    notes: Sequence[str] = field(default_factory=tuple)
    first_heard: date | None = None
    """The day on which the authority's first data arrived."""

    @property
    def so_far(self) -> bool:
        """Return whether the months are not over yet."""
        return self.span.first <= self.today < add_months(self.span.last, 1)

    @property
    def period(self) -> str:
        """Return the months in words, as in October to December 2026 so far."""
        return f"{self.span.label}{self.yet}"

    @property
    def yet(self) -> str:
        """Return the words after a figure of months that are not over."""
        return " so far" if self.so_far else ""
