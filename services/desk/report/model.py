"""A report: sections of sentences and tables, independent of the form in which it is written. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from services.desk.report.figures import Comparison, Series


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences, and perhaps a table, under a heading."""

    title: str
    sentences: Sequence[str]
    table: Table | None = None


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
