"""An authority's own targets beside the national standards, from a file that operators may change.

Lines of `authority,standard,limit,unit,since,source` under that heading, as in `S12000036,placement,5,working days,2025-04-01,committee
decision of 12 March 2025`. A target applies to orders imposed on or after `since`, until the next row of the same standard. Managers see
it; it changes no cell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.chassis.failures import Refused
from services.records.config.by_authority import Line, read
from services.records.model.calendar import Calendar
from services.records.model.standards import Length, Unit, in_force

HEADING = ["authority", "standard", "limit", "unit", "since", "source"]
STANDARDS = ("first_contact", "case_meeting", "plan", "induction", "placement")
"""The standards that run from the imposition and are met by one event."""


@dataclass(frozen=True, slots=True)
class Target:
    """One row: how long an authority allows by its own target."""

    standard: str
    limit: Length
    since: date
    source: str

    def due_on(self, imposed_on: date, calendar: Calendar) -> date:
        return self.limit.after(imposed_on, calendar)


Targets = Mapping[str, Sequence[Target]]
"""Targets by authority, the latest first."""


def targets(path: Path | None) -> Targets:
    """Return the targets in the file; none without a file. Raises Refused."""
    found: dict[str, list[Target]] = {}
    for line in read(path, HEADING) if path else ():
        found.setdefault(line.authority, []).append(_target(line))
    return {code: sorted(rows, key=lambda row: row.since, reverse=True) for code, rows in found.items()}


def decided(key: str, content: Mapping[str, Any]) -> Target:
    """Return the target that a manager set: the key names its standard and the day from which it holds."""
    standard, since = key.split(" ")
    return Target(
        standard, Length(content["limit"], Unit(content["unit"])), date.fromisoformat(since), content["source"]
    )


def own_target(rows: Iterable[Target], standard: str, imposed_on: date) -> Target | None:
    """Return the target that applies to an order imposed on that day, if there is one. `rows` has the latest first."""
    return next((row for row in rows if row.standard == standard and row.since <= imposed_on), None)


def latest_due(rows: Iterable[Target], until: date, calendar: Calendar) -> date:
    """Return an upper bound of the national due dates of orders whose own target is due by `until`."""
    return max((in_force(row.standard, until).limit.after(until, calendar) for row in rows), default=until)


def _target(line: Line) -> Target:
    try:
        standard, limit, unit, since, source = line.values
        target = Target(standard, Length(int(limit), Unit(unit)), date.fromisoformat(since), source)
    except ValueError:
        raise Refused(f"{line.where}: expected {', '.join(HEADING)}; units are {', '.join(Unit)}") from None
    if standard not in STANDARDS:
        raise Refused(f"{line.where}: there can be targets for {', '.join(STANDARDS)}")
    if target.limit.number < 0 or not source:
        raise Refused(f"{line.where}: a target needs a limit of 0 or more, and a source")
    return target
