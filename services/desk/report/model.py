"""A report: sections of sentences and tables, whatever it is written as. Pure."""

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
    """All of it."""

    title: str
    subtitle: str
    sections: Sequence[Section]


@dataclass(frozen=True, slots=True)
class Span:
    """The months that a report is of, and those that it is compared with."""

    label: str
    first: date
    last: date
    """The first day of the last month."""
    before: str
    """What the time before is called."""
    first_before: date
    last_before: date


@dataclass(frozen=True, slots=True)
class Aim:
    """What was changed in order to meet a standard."""

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
    """Of each share, in the span."""
    earlier: dict[str, Comparison]
    """By indicator, in the time before."""
    months: dict[str, Series]
    """By indicator, month by month, where there is an aim."""
    counts: Sequence[Series]
    """What is counted rather than shared, by quarter or year."""
    aims: Sequence[Aim]
    wrong: int
    newly_wrong: int
    refused: int
    changes: Sequence[str] = ()
    capacity: str = ""
    quarters: dict[str, Series] = field(default_factory=dict)
    """By indicator, the last eight quarters, where evidence is asked for."""
    notes: Sequence[str] = field(default_factory=tuple)
