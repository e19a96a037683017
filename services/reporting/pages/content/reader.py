"""Asks for figures on behalf of one viewer of pages, and says how finely they are shown. No number is made here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from contracts.periods import add_months, month_of
from services.chassis.api.auth import Identity
from services.reporting.disclosure.gate import Gate, Row
from services.reporting.disclosure.linked_tables import STEP, step_of
from services.reporting.figures import answers
from services.reporting.figures.answers import Answer, Enquiry, Question
from services.reporting.figures.quality import latest_month
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import Choice, choices, chosen
from services.reporting.pages.content.moves import Move, differ, move, off_by
from services.reporting.read.queries import Grain, Span
from services.reporting.read.vintages import Live, Rounded
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.releases.index import ReleaseInfo

TREND_SPAN = 24
BY_AUTHORITY, BY_MONTH, BY_QUARTER = Grain("authority"), Grain(period="month"), Grain(period="quarter")


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks on behalf of one viewer."""

    enquiry: Enquiry
    wanted: str | None = None
    """The requested release."""
    definition: int | None = None
    """The requested version."""

    def ask(self, indicator: Indicator, question: Question) -> Answer:
        """Answer with values before any rounding, so that what is shown is rounded once. Raises what `answers.answer` raises."""
        asked = replace(question, release=self.wanted, definition=question.definition or self.definition)
        return answers.answer(self.enquiry, indicator, asked, decimals=None)

    def in_force(self, indicator: Indicator) -> Indicator:
        """Return the version by which this reader is answered. Raises what `answers.definition_for` raises."""
        return answers.definition_for(
            self.enquiry, indicator, Question(release=self.wanted, definition=self.definition)
        )

    def moved(self, indicator: Indicator, before: Row | None, now: Row | None) -> Move | None:
        """Return how a share changed. If the reader is shown rounded figures, it must have changed by more than rounding explains, too."""
        return move(indicator, before, now, 0 if now is None else self.step(indicator, now.authority))

    def is_chance(self, indicator: Indicator, before: Row, now: Row) -> bool | None:
        """Return whether chance explains how a count changed; None of what is no count of orders or other events."""
        if indicator.kind is not Kind.COUNT or step_of(indicator.numerator) != STEP:
            return None
        return not differ(before.value or 0, now.value or 0, self.step(indicator, now.authority))

    def off_by(self, indicator: Indicator, rows: Sequence[Row]) -> list[float]:
        """Return how far rounding may change each value for this reader."""
        return [off_by(indicator, row, self.step(indicator, row.authority)) for row in rows]

    def step(self, indicator: Indicator, area: str) -> int:
        """Return the step to which this reader is shown counts of an area rounded; 0 if they are exact."""
        return Gate(self.viewer).off_by(indicator.numerator, area)

    def sees_rounded(self, area: str) -> bool:
        """Return whether this reader is shown rounded figures of this area."""
        return not Gate(self.viewer).sees_whole(area)

    @property
    def viewer(self) -> Identity:
        return self.enquiry.viewer

    @property
    def connection(self) -> Connection:
        return self.enquiry.connection

    def published(self) -> ReleaseInfo | None:
        """Return the release that is read, if any."""
        return self.enquiry.release(self.wanted)

    def choices(self) -> list[Choice]:
        """Return periods that this viewer is offered. Raises NothingReleased if there is nothing to show."""
        published = self.published()
        if published is None and self.viewer.audience == "public":
            raise answers.NothingReleased
        if published is not None and (self.wanted or self.viewer.audience != "national"):
            first, _ = self.enquiry.reach(Rounded(published.id)) or (published.last_month, published.last_month)
            return choices(first, published.last_month)
        before = add_months(month_of(self.enquiry.today), -1)
        first, last = self.enquiry.reach(Live()) or (before, before)
        return choices(min(first, last, before), min(last, before))

    def judged(self, wanted: str | None) -> tuple[list[Choice], Choice]:
        """Return periods whose completeness can be viewed, and the one asked for: by default the last whole month."""
        month = latest_month(self.enquiry)
        try:
            offered = self.choices()
        except answers.NothingReleased:
            return [], Choice("", words.month(month), Span(month, month))
        return offered, chosen(offered, wanted or f"month-{month:%Y-%m}")


def only(rows: Sequence[Row]) -> Row | None:
    """Return the period asked for; the last year if the indicator has only years."""
    return rows[-1] if rows else None


def grain_of(reader: Reader, indicator: Indicator, area: str) -> Grain:
    """Return how finely the figures of an area are shown over time: by quarter if its months are not published."""
    by_quarter = reader.sees_rounded(area) and area != SCOTLAND and indicator.kind is not Kind.STOCK
    return BY_QUARTER if by_quarter else BY_MONTH


def series(reader: Reader, indicator: Indicator, span: Span, area: str) -> list[Row]:
    """Return the months up to the end of the span; whole quarters of an area whose months are not published."""
    first = add_months(span.last, 1 - TREND_SPAN)
    grain = grain_of(reader, indicator, area)
    rows = reader.ask(indicator, Question(first, span.last, grain, area=area)).rows
    if grain == BY_QUARTER:
        rows = [row for row in rows if not row.partial]
    started = next((i for i, row in enumerate(rows) if row.value or row.suppressed), 0)
    return rows[started:]


def are_hollow(rows: Sequence[Row]) -> list[bool]:
    """Return which figures are drawn hollow: provisional ones, and those of part of a period."""
    return [row.provisional or row.partial for row in rows]
