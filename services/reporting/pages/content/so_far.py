"""The current month of one authority, for viewers who may see it live. It is always marked as provisional."""

from dataclasses import dataclass
from datetime import date

from contracts.periods import month_of
from services.reporting.disclosure.gate import Gate
from services.reporting.figures.answers import Question
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import Reader, only
from services.reporting.pages.content.standards import STANDARDS
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator

SHOWN = (INDICATORS["orders_imposed"], INDICATORS["hours_credited"], *STANDARDS)


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator so far."""

    indicator: Indicator
    value: str
    size: str
    """The denominator of a share so far."""
    mark: str


@dataclass(frozen=True, slots=True)
class SoFar:
    """The month, up to which day, and its figures."""

    month: str
    today: date
    lines: tuple[Line, ...]


def so_far(reader: Reader, code: str) -> SoFar | None:
    """Return the month so far; None for viewers who see this authority in releases only, and on pages of a release."""
    if reader.wanted is not None or not Gate(reader.viewer).sees_whole(code):
        return None
    today = reader.enquiry.today
    month = month_of(today)
    return SoFar(words.month(month), today, tuple(_line(reader, each, month, code) for each in SHOWN))


def _line(reader: Reader, indicator: Indicator, month: date, code: str) -> Line:
    row = only(reader.ask(indicator, Question(month, month, area=code)).rows)
    size = "" if row is None or row.denominator is None else words.count(row, row.denominator)
    return Line(indicator, words.figure(row, indicator.unit), size, words.mark(row))
