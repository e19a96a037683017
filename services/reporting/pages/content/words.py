"""Figures and dates in the words of pages."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from contracts.authorities import AUTHORITIES
from contracts.cells import Service
from contracts.periods import LONDON, parse_first, quarter_months
from services.chassis.web.words import rounded
from services.reporting.disclosure.gate import Row, ToCome, Why
from services.reporting.figures.evidence import DOUBTS
from services.reporting.figures.quality import Completeness, State, Summary, summary
from services.reporting.read.queries import Span
from services.reporting.statistics.funnel import FEWEST

SUPPRESSED = f"[{Why.SMALL.mark}]"
NO_CASES = "[z]"
NOT_REPORTED = "[x]"
PROVISIONAL = "Provisional"
_WITH_TENTHS = {
    "hours for each order",
    "months for each order",
    "orders for every 10,000 people",
    "orders a year for every 10,000 people",
    "points out of 5",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def month(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.year}"


def short_period(label: str) -> str:
    """Return `2026-03` as `Mar 2026`, `2026-Q1` as `Jan to Mar 2026`; a year unchanged."""
    if "Q" in label:
        months = quarter_months(label)
        return f"{_MONTHS[months[0].month - 1][:3]} to {short_period(f'{months[-1]:%Y-%m}')}"
    if int(label[5:7]) > len(_MONTHS):
        return label
    day = parse_first(label)
    return f"{_MONTHS[day.month - 1][:3]} {day.year}"


def opening(day: date) -> str:
    """Return a day with its weekday, and the time of publication."""
    return f"{_WEEKDAYS[day.weekday()]} {long_date(day)} at 9:30"


def long_date(day: date | datetime) -> str:
    """Return a day, or the day in London at a time."""
    day = day.astimezone(LONDON) if isinstance(day, datetime) else day
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def period(label: str, *, monthly: bool = False) -> str:
    """Return the label of a span in words."""
    if "/" in label:
        first, last = label.split("/")
        return f"{month(parse_first(first))} to {month(parse_first(last))}"
    if "Q" in label:
        months = quarter_months(label)
        return f"{_MONTHS[months[0].month - 1]} to {month(months[-1])}"
    if monthly or int(label[5:7]) != (int(label[2:4]) + 1) % 100:
        return month(parse_first(label))
    return f"April {label[:4]} to March {int(label[:4]) + 1}"


def figure(row: Row | None, unit: str) -> str:
    """Return the value of a row, or the mark that says why there is none."""
    if row is None or row.numerator is None:
        return _absent(row)
    return value(row.value, unit)


def _absent(row: Row | None) -> str:
    return NOT_REPORTED if row is None or row.why is None else f"[{row.why.mark}]"


def why_absent(row: Row | None) -> str:
    """Return why a row has no figure, as its mark says in short."""
    return "nothing reported" if row is None or row.why is None else row.why


def why_not_compared(row: Row | None) -> str:
    """Return why this share cannot be compared."""
    return why_absent(row) if row is None or row.numerator is None else f"fewer than {FEWEST} cases"


def value(number: float | None, unit: str) -> str:
    if number is None:
        return NO_CASES
    if unit == "percent":
        return f"{rounded(number)}%"
    if unit in _WITH_TENTHS:
        return f"{rounded(number):,}"
    return f"{rounded(number, 0):,}"


def mark(row: Row | None) -> str:
    """Return the mark of a provisional figure or of part of a period; usually empty."""
    if row is None or row.numerator is None:
        return ""
    return PROVISIONAL if row.provisional else "Part of the period" if row.partial else ""


def interval(row: Row, unit: str) -> str:
    if row.lower is None or row.upper is None:
        return ""
    return f"{value(row.lower, unit)} to {value(row.upper, unit)}"


def count(row: Row | None, number: float | None) -> str:
    """Return the numerator or denominator of a row."""
    if number is not None:
        return f"{rounded(number, 0):,}"
    return _absent(row)


_STATES = {
    State.COMPLETE: "Complete",
    State.PARTIAL: "May lack something",
    State.NOT_KNOWN: "Not known",
    State.MISSING: "Not reported",
}


def completeness_of(found: Sequence[Completeness], services: Collection[Service]) -> str:
    """Say how complete an authority is and why, or how many of several are; and by which reports that is judged."""
    if not found:
        return ""
    if len(found) > 1:
        told = completeness(summary(found))
    else:
        why = "; ".join(DOUBTS[each] for each in found[0].doubts)
        told = f"{_STATES[found[0].state]}{f': {why}' if why else ''}."
    by = listed([each.replace("_", " ") for each in sorted(services)])
    return f"{told} Reports about {by} are judged."


def completeness(found: Summary) -> str:
    """Return the number of complete authorities, and the states of the others."""
    others = {state: codes for state, codes in found.by_state.items() if state is not State.COMPLETE and codes}
    parts = [f"{len(codes)} {_STATES[state].lower()}" for state, codes in others.items()]
    number = sum(map(len, found.by_state.values()))
    return ", ".join([f"{len(found.complete)} of {number} authorities complete", *parts]) + "."


def without(names: Sequence[str], area: str = "") -> str:
    """Name the authorities missing from the totals of an area; the area may be one authority."""
    if list(names) == [area]:
        return f"{area} has not reported."
    if len(names) == len(AUTHORITIES):
        return "No authority has reported."
    if len(names) == 1:
        return f"Totals leave out {names[0]}, which has not reported."
    return f"Totals leave out {len(names)} authorities, which have not reported: {', '.join(names)}."


def to_come(rows: Sequence[ToCome], *, silent: bool = False, doubtful: bool = False) -> str:
    """Say how much is still likely to arrive about one area and period. Nothing can be said of an area that is silent.

    `doubtful` says that figures may be incomplete for another reason than the usual delay of reports.
    """
    if silent:
        return ""
    if not rows and doubtful:
        return "Going by how long reports usually take, none is still to arrive; anything left out for other reasons cannot be estimated."
    if not rows:
        return "Nothing more is likely to arrive from those that report."
    row = rows[0]
    if row.share is None:
        return f"How much is still to arrive cannot be estimated: {row.why or 'no authority has a history'}."
    number = "" if row.reports is None else f" ({row.reports:,} report{'' if row.reports == 1 else 's'})"
    return (
        f"About {row.share:.0f}% of all reports{number} are likely still to arrive{', ' + row.why if row.why else ''}."
    )


def within(span: Span) -> str:
    """Return the months in words, as in `from April 2025 to March 2026`."""
    told = period(span.label, monthly=span.first == span.last)
    return f"in {told}" if " to " not in told else f"from {told}"


def listed(names: Sequence[str]) -> str:
    """Return names in words, as in `one, two and three`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def size(count: int) -> str:
    """Return a size in bytes in readable units."""
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{max(1, count // 1000):,} kB"
