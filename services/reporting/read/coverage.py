"""Who was heard, and of which months: the one rule behind every figure that is not there because nothing was reported.

An authority is heard when an event of its own is taken; a refused one says nothing. It has reported on the months from that of
the first event taken to that of the day on which the last one came, and on each earlier month of which it told any fact.
Never heard is never zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select

from contracts.cells import Service
from contracts.periods import month_of, months_between
from services.reporting.read.tables import cells, positions, present, releases
from services.reporting.read.vintages import AsOf, Cut, Live, Released, Wanted, rows_of
from services.reporting.registry.definitions.data_quality import DELAYS

TAKEN = ("outcome=applied", "outcome=superseded", "outcome=duplicate")
_TOLD = tuple(f"delay_band={band}" for band in DELAYS)
BOTH: frozenset[Service] = frozenset({"orders", "unpaid_work"})


@dataclass(frozen=True, slots=True)
class Heard:
    """What one service took of one authority."""

    first: date
    """The month of the first event taken."""
    last: date
    """The day on which the last one came."""


Coverage = Mapping[str, Mapping[str, Heard]]
"""By authority and service. Who was never heard is not in it."""
Months = Mapping[str, frozenset[date]]
"""By authority, the months of which it reported. Who reported on none is not in it."""


def coverage(connection: Connection, cut: Cut) -> Coverage:
    """Who had been heard by the time of the cut."""
    if isinstance(cut, Released):
        return _frozen(connection, cut.release)
    found: dict[str, dict[str, Heard]] = defaultdict(dict)
    for service, authority, first, last in connection.execute(_question(cut)):
        found[authority][service] = Heard(month_of(first), last)
    return dict(found)


def _question(cut: Live | AsOf) -> Select[Any]:
    rows = cells if isinstance(cut, AsOf) else present
    c = rows.c
    query = (
        select(c.service, c.authority, func.min(c.period), func.max(c.known_on))
        .where(c.measure == "events", c.category.in_(TAKEN), c.value > 0)
        .group_by(c.service, c.authority)
    )
    if isinstance(cut, Live):
        return query
    shown = [positions.c[name] == c[name] for name in ("service", "authority", "generation")]
    return query.where(*shown, c.known_on <= cut.day)


def _frozen(connection: Connection, release: str) -> Coverage:
    stored = connection.scalar(select(releases.c.heard).where(releases.c.id == release)) or {}
    return {
        authority: {service: Heard(*map(date.fromisoformat, days)) for service, days in services.items()}
        for authority, services in stored.items()
    }


def as_stored(found: Coverage) -> dict[str, dict[str, tuple[date, date]]]:
    """As a release keeps it."""
    return {code: {name: (each.first, each.last) for name, each in by.items()} for code, by in found.items()}


def reported(connection: Connection, cut: Cut, heard: Coverage, first: date, last: date) -> Months:
    """Of which months, from first to last, each authority reported."""
    months = months_between(first, last)
    found = {code: _months(services.values(), months) for code, services in heard.items()}
    if any(month not in own for own in found.values() for month in months):
        for code, month in _told(connection, cut, first, last):
            found.setdefault(code, set()).add(month)
    return {code: frozenset(own) for code, own in found.items() if own}


def _months(services: Iterable[Heard], months: Iterable[date]) -> set[date]:
    spans = [(each.first, month_of(each.last)) for each in services]
    first, last = min(begin for begin, _ in spans), max(end for _, end in spans)
    return {month for month in months if first <= month <= last}


def _told(connection: Connection, cut: Cut, first: date, last: date) -> Iterable[tuple[str, date]]:
    """Authorities and months of which any fact was told."""
    rows = rows_of(cut, Wanted(("reporting_delay",), _TOLD, None, first, last))
    found = connection.execute(select(rows.c.authority, rows.c.period).where(rows.c.value > 0).distinct())
    return [(authority, month) for authority, month in found]
