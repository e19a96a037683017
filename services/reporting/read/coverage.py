"""From whom and about which months the services heard: the one rule that decides which figures are missing since nothing was reported.

A service has heard from an authority once it has accepted one of its events; refused events do not count. The authority has reported on the
months from that of its first accepted event to that of the day on which the last one came, and on each earlier month of which it stated any
fact. Missing is never zero: a service that reads another's topic counts nothing of an authority for months on which it did not report.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, FromClause, Select, and_, cast, func, or_, select, true

from contracts.categories import BANDS, DELAY_BANDS, of
from contracts.cells import MEASURES, Service
from contracts.periods import last_day, month_of, months_between
from services.reporting.read.tables import cells, positions, present, releases
from services.reporting.read.vintages import AsOf, Live, Released

TAKEN = ("outcome=applied", "outcome=superseded", "outcome=duplicate")
OVERHEARD: Service = "unpaid_work"
"""The service that also counts what it learns from another's topic, of authorities that never sent it anything."""
_TOLD = {"reporting_delay": of("delay_band", DELAY_BANDS)} | {
    measure: of("band", BANDS[measure]) for measure in ("induction", "placement")
}
"""Cells that show that a fact of a month was stated: of when it occurred, or of when the order was imposed."""
_LEVELS = frozenset({"minutes_outstanding_opened", "minutes_outstanding_closed"})
"""Flows that begin before an authority is heard from, since their sum is what is outstanding."""
_COUNTED = frozenset(name for name, measure in MEASURES.items() if measure.services == {OVERHEARD})


@dataclass(frozen=True, slots=True)
class Heard:
    """The months and the day up to which one service heard from one authority."""

    first: date
    """The month of the first accepted event."""
    last: date
    """The day on which the last one came."""
    told: frozenset[date] = frozenset()
    """Earlier months of which it stated any fact."""

    def reported(self, month: date) -> bool:
        """Return whether it reported on a month, given by its first day."""
        return self.covers(month) or month in self.told

    def covers(self, month: date) -> bool:
        """Return whether the month is between the first report and the last."""
        return self.first <= month <= self.last


Coverage = Mapping[str, Mapping[str, Heard]]
"""By authority and service. An authority that was never heard from is missing."""
Months = Mapping[str, frozenset[date]]
"""By authority, the months on which it reported. An authority that reported on none is missing."""


def coverage(connection: Connection, vintage: Live | AsOf | Released) -> Coverage:
    """Return the authorities heard from by the time of the vintage."""
    if isinstance(vintage, Released):
        return _frozen(connection, vintage.release)
    rows, known = _known(vintage)
    told: dict[tuple[str, str], set[date]] = defaultdict(set)
    for service, authority, month in connection.execute(_facts_told(rows, known)):
        told[service, authority].add(month)
    found: dict[str, dict[str, Heard]] = defaultdict(dict)
    for service, authority, begin, last in connection.execute(_events_taken(rows, known)):
        first = month_of(begin)
        found[authority][service] = Heard(first, last, frozenset(m for m in told[service, authority] if m < first))
    return dict(found)


def _known(vintage: Live | AsOf) -> tuple[FromClause, ColumnElement[bool]]:
    """Return the rows that show what was heard, and which of them were known by then."""
    if isinstance(vintage, Live):
        return present, true()
    shown = [positions.c[name] == cells.c[name] for name in ("service", "authority", "generation")]
    return cells.join(positions, and_(*shown)), cells.c.known_on <= vintage.day


def _events_taken(rows: FromClause, known: ColumnElement[bool]) -> Select[Any]:
    c = _columns(rows)
    return (
        select(c.service, c.authority, func.min(c.period), func.max(c.known_on))
        .select_from(rows)
        .where(c.measure == "events", c.category.in_(TAKEN), c.value > 0, known)
        .group_by(c.service, c.authority)
    )


def _facts_told(rows: FromClause, known: ColumnElement[bool]) -> Select[Any]:
    c = _columns(rows)
    told = [(c.measure == measure) & c.category.in_(categories) for measure, categories in _TOLD.items()]
    return select(c.service, c.authority, c.period).select_from(rows).where(or_(*told), c.value > 0, known).distinct()


def _columns(rows: FromClause) -> Any:
    return present.c if rows is present else cells.c


def _frozen(connection: Connection, release: str) -> Coverage:
    stored = connection.scalar(select(releases.c.heard).where(releases.c.id == release)) or {}
    return {
        authority: {service: _heard(*days) for service, days in services.items()}
        for authority, services in stored.items()
    }


def as_published(connection: Connection, release: str, there: Months) -> Coverage:
    """Return what the public may know of coverage: earlier months count if anything is published of them.

    That something small was stated of a month is no more public than how small it was.
    """
    return {
        code: {name: replace(each, told=each.told & there[code]) for name, each in by.items()}
        for code, by in _frozen(connection, release).items()
    }


def _heard(first: str, last: str, told: Iterable[str] = ()) -> Heard:
    return Heard(date.fromisoformat(first), date.fromisoformat(last), frozenset(map(date.fromisoformat, told)))


def as_stored(found: Coverage) -> dict[str, dict[str, tuple[date, date, list[date]]]]:
    """Return coverage in the form in which a release keeps it."""
    return {
        code: {name: (each.first, each.last, sorted(each.told)) for name, each in by.items()}
        for code, by in found.items()
    }


def reported(heard: Coverage, services: Collection[Service], first: date, last: date) -> Months:
    """Return the months from first to last on which each authority reported to any of these services."""
    return _months(heard, services, first, last, Heard.reported)


def covered(heard: Coverage, services: Collection[Service], first: date, last: date) -> Months:
    """Return those of the months that are between an authority's first report and its last."""
    return _months(heard, services, first, last, Heard.covers)


def _months(
    heard: Coverage, services: Collection[Service], first: date, last: date, counts: Callable[[Heard, date], bool]
) -> Months:
    months = months_between(first, last)
    found = {
        code: frozenset(m for m in months if any(counts(each, m) for name, each in by.items() if name in services))
        for code, by in heard.items()
    }
    return {code: own for code, own in found.items() if own}


def is_counted(heard: Coverage, measure: str, authority: str, month: date) -> bool:
    """Return whether a cell counts: not if the service only learned of it from another's topic."""
    if measure not in _COUNTED:
        return True
    own = heard.get(authority, {}).get(OVERHEARD)
    return own is not None and (measure in _LEVELS or own.reported(month))


def overheard(
    heard: Coverage, measures: Collection[str], first: date, last: date
) -> Sequence[tuple[str, Heard | None]]:
    """Return the authorities of which some cells of these measures, from first to last, may not count; with what they reported."""
    if _COUNTED.isdisjoint(measures):
        return ()
    own = ((code, by.get(OVERHEARD)) for code, by in heard.items())
    return [(code, each) for code, each in own if each is None or first < each.first or last > last_day(each.last)]


def counted(rows: FromClause, of_whom: Iterable[tuple[str, Heard | None]]) -> ColumnElement[bool]:
    """Return the rule of `is_counted` as a condition on rows with measure, authority and period."""
    return and_(true(), *(~_overheard(rows.c, code, own) for code, own in of_whom))


def _overheard(c: Any, code: str, own: Heard | None) -> ColumnElement[bool]:
    theirs = c.authority == code
    if own is None:
        return and_(theirs, c.measure.in_(_COUNTED))
    covered = c.period.between(own.first, last_day(own.last))
    month = cast(func.date_trunc("month", c.period), Date)
    return and_(theirs, c.measure.in_(_COUNTED - _LEVELS), ~or_(covered, month.in_(own.told)))
