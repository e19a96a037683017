"""The periods that a page offers."""

from dataclasses import dataclass
from datetime import date

from contracts.periods import add_months, months_between, quarter_months, quarter_of, year_months, year_of
from services.reporting.pages.content import words
from services.reporting.read.queries import Span

MONTHS_OFFERED, QUARTERS_OFFERED = 24, 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One period that can be chosen."""

    value: str
    label: str
    span: Span

    @property
    def within(self) -> str:
        """Return the label within a sentence."""
        return self.label.replace("Last ", "last ", 1)


def choices(first: date, last: date) -> list[Choice]:
    """Return the choices, newest and widest first: the last 12 months, whole years, whole quarters, months."""
    span = Span(max(first, add_months(last, -11)), last)
    found = [Choice("12-months", f"Last {_months(span)}", span)]
    months = months_between(first, last)
    years = [*reversed(dict.fromkeys(map(year_of, months)))]
    quarters = [*reversed(dict.fromkeys(map(quarter_of, months)))][:QUARTERS_OFFERED]
    wide = [("year", year, year_months(year)) for year in years]
    wide += [("quarter", quarter, quarter_months(quarter)) for quarter in quarters]
    for kind, label, covered in wide:
        if covered[0] >= first and covered[-1] <= last:
            found.append(Choice(f"{kind}-{label}", words.period(label), Span(covered[0], covered[-1])))
    newest_first = reversed(months[-MONTHS_OFFERED:])
    return found + [Choice(f"month-{each:%Y-%m}", words.month(each), Span(each, each)) for each in newest_first]


def chosen(offered: list[Choice], wanted: str | None) -> Choice:
    """Return the choice asked for, or the first."""
    return next((choice for choice in offered if choice.value == wanted), offered[0])


def year_before(span: Span) -> Span:
    """Return the same months a year earlier."""
    return Span(add_months(span.first, -12), add_months(span.last, -12))


def _months(span: Span) -> str:
    count = len(months_between(span.first, span.last))
    return f"{count} months" if count > 1 else "month"
