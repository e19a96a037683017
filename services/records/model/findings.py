"""Data quality findings, pure: contradictions in a record. Never refusals, since the sender does not control the order of arrival.

An order counts once under each rule that it breaks, in the month of the first fact that breaks it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from contracts.events import FACTS, Fact
from contracts.periods import month_of
from services.records.model.deadlines import Cells, Counts, add
from services.records.model.record import Record

FINDINGS = "findings"
"""The measure in which they count."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of data quality, and how to correct what breaks it."""

    code: str
    meaning: str
    remedy: str


BEFORE_IMPOSITION = Rule(
    "fact_before_imposition",
    "A fact is dated before the imposition of the order: it meets no standard.",
    "Correct the date of the fact, or imposed_on, whichever is wrong: send the event again with a later time.",
)


class Finding(NamedTuple):
    """A rule that one record breaks."""

    rule: Rule
    on: date
    facts: tuple[str, ...]
    """The keys of the facts that break it."""


def found(rule: Rule, breaking: Iterable[tuple[date, str]]) -> list[Finding]:
    """Return one finding for all the facts (day and key) that break the rule; none if there are none."""
    facts = sorted(breaking)
    return [Finding(rule, facts[0][0], tuple(key for _, key in facts))] if facts else []


def dated(record: Record) -> list[tuple[date, str]]:
    """Return every dated fact with its day, the earlier one if it has two."""
    return [(first_day(data), key) for key, entry in record.items() if (data := entry.data) is not None and data.DATES]


def first_day(data: Fact) -> date:
    """Return the day of a dated fact, the earlier one if it has two."""
    return _FIRST_DAYS[type(data)](data)


def _first_day(dates: tuple[str, ...]) -> Callable[[Fact], date]:
    return attrgetter(*dates) if len(dates) == 1 else lambda data: min(attrgetter(*dates)(data))


_FIRST_DAYS: dict[type[Fact], Callable[[Fact], date]] = {
    kind: _first_day(kind.DATES) for kind in FACTS.values() if kind.DATES
}


def counted_findings(findings: Sequence[Finding]) -> Counts[Finding]:
    """Return findings with the cells in which they count."""
    cells: Cells = {}
    for finding in findings:
        add(cells, FINDINGS, month_of(finding.on), f"rule={finding.rule.code}")
    return Counts.of(cells, findings)
