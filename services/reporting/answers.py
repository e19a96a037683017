"""Puts an answer together: which cut each viewer reads, the sums, and the gate. Pages and every format start here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from services.chassis.auth import Identity
from services.reporting.cuts import AsOf, Cut, Live, Released
from services.reporting.disclosure import Figure, Gate, Row
from services.reporting.indicators import SCOTLAND, Form, Indicator, Kind, Part
from services.reporting.periods import month_of
from services.reporting.queries import (
    WHOLE,
    Grain,
    Span,
    Sums,
    areas_of,
    earliest,
    indicator_sums,
    latest,
    reporting_areas,
)
from services.reporting.releases import ReleaseInfo, hidden_numbers, release_for

MOST_ROWS = 50_000


class TooMuch(Exception):
    """More rows than one answer may hold."""


class NothingReleased(Exception):
    """The viewer may only see releases, and there is none."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one indicator."""

    first: date | None = None
    last: date | None = None
    grain: Grain = WHOLE
    breakdown: str | None = None
    authority: str | None = None
    as_of: date | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows that may be shown, and where they come from."""

    indicator: Indicator
    question: Question
    span: Span
    release: ReleaseInfo | None
    """The release that the figures, or others' figures, come from."""
    live: bool
    """Whether any row is live."""
    rows: list[Row]


def answer(connection: Connection, viewer: Identity, indicator: Indicator, question: Question, today: date) -> Answer:
    """Raises NothingReleased, TooMuch, LookupError for a release that is not there."""
    published = release_for(connection, viewer, question.release, question.as_of)
    whole: Cut | None = None
    if viewer.audience != "public":
        whole = AsOf(question.as_of) if question.as_of else Live()
    if viewer.audience == "national" and question.release:
        assert published is not None
        whole = Released(published.id)
    if whole is None and published is None:
        raise NothingReleased
    span = _span(connection, whole, published, question, today)
    hidden = frozenset(hidden_numbers(connection, published.id, indicator)) if published else frozenset()
    gate = Gate(viewer, hidden)
    figures = list(_figures(connection, gate, indicator, question, span, whole, published))
    live = viewer.audience != "public" and not isinstance(whole, Released)
    return Answer(indicator, question, span, published, live, gate.rows(indicator, figures))


def _span(
    connection: Connection, whole: Cut | None, published: ReleaseInfo | None, question: Question, today: date
) -> Span:
    """What was asked for, and where nothing was, all that the cut has."""
    cut = Released(published.id) if whole is None and published else whole or Live()
    first = question.first or earliest(connection, cut) or today
    last = question.last or latest(connection, cut) or today
    return Span(month_of(first), max(month_of(first), month_of(last)))


def _figures(  # noqa: PLR0913, PLR0917
    connection: Connection,
    gate: Gate,
    indicator: Indicator,
    question: Question,
    span: Span,
    whole: Cut | None,
    published: ReleaseInfo | None,
) -> Iterator[Figure]:
    """Each area from the cut in which the viewer may see it."""
    areas = areas_of(question.grain, question.authority)
    of_whole = {area for area in areas if whole is not None and gate.sees_whole(area)}
    if whole is not None and of_whole:
        yield from _read(connection, whole, indicator, question, span, of_whole)
    others = [area for area in areas if area not in of_whole]
    if others and published is not None:
        frozen = Span(span.first, min(span.last, published.last_month))
        if frozen.first <= frozen.last:
            yield from _read(connection, Released(published.id), indicator, question, frozen, set(others))


def _read(
    connection: Connection, cut: Cut, indicator: Indicator, question: Question, span: Span, areas: set[str]
) -> Iterator[Figure]:
    parts = parts_of(indicator, question.breakdown)
    periods = span.labels(question.grain.period)
    if len(areas) * len(periods) * len(parts) > MOST_ROWS:
        raise TooMuch
    only = next(iter(areas)) if len(areas) == 1 and SCOTLAND not in areas else None
    total = indicator_sums(connection, cut, indicator, span, question.grain, only)
    reporting = {SCOTLAND, *reporting_areas(connection, cut)}
    for area in areas_of(question.grain, only):
        if area in areas:
            known = total if area in reporting else None
            for period in periods:
                yield from _row_figures(cut, parts, area, period, known)


def _row_figures(cut: Cut, parts: Iterable[Part], area: str, period: str, total: Sums | None) -> Iterator[Figure]:
    """One figure for each part; without numbers where the area has reported nothing."""

    def of(form: Form | None) -> int | None:
        return None if form is None or total is None else total.get((form, area, period), 0)

    for part in parts:
        counted, whole = of(part.numerator), of(part.denominator)
        yield Figure(cut, area, period, part.category, part.numerator, part.denominator, counted, whole)


def parts_of(indicator: Indicator, breakdown: str | None) -> tuple[Part, ...]:
    """The headline figure, or the categories of a breakdown. Raises KeyError for one that it does not have."""
    if breakdown is not None:
        return indicator.breakdown(breakdown)
    denominator = None if indicator.kind is Kind.STOCK else indicator.denominator
    return (Part("", indicator.numerator, denominator),)
