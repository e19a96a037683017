"""Values for Prometheus that are read from PostgreSQL, so that a restart forgets none of them."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from contracts.periods import LONDON
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import shards
from services.records.model.calendar import Calendar
from services.records.model.record import Outcome

DAY = timedelta(days=1)
LATEST_EVENTS = 2_000
"""Most events of one authority that count as those of the last day; the largest authority sends a tenth of that."""

_ARRIVED = text(
    "SELECT w.authority, a.arrived_at FROM unnest(CAST(:authorities AS text[])) AS w (authority) JOIN LATERAL "
    '(SELECT arrived_at FROM arrivals WHERE authority = w.authority ORDER BY "offset" DESC LIMIT 1) a ON TRUE'
)
_CLOSED = text(
    "SELECT w.authority, h.day FROM unnest(CAST(:authorities AS text[])) AS w (authority) JOIN LATERAL "
    "(SELECT day FROM tree_heads WHERE authority = w.authority ORDER BY day DESC LIMIT 1) h ON TRUE"
)
_LATELY = text(
    "SELECT w.authority, a.outcome, count(*) AS number FROM unnest(CAST(:authorities AS text[])) AS w (authority) "
    "JOIN LATERAL (SELECT outcome, arrived_at FROM arrivals WHERE authority = w.authority "
    'ORDER BY "offset" DESC LIMIT :latest) a ON a.arrived_at > :since GROUP BY 1, 2'
)
_UNPUBLISHED = text(
    "SELECT s.authority, coalesce(p.generation, 0) AS generation, coalesce(p.version, 0) AS version, "
    "(SELECT count(*) FROM cells c WHERE c.authority = s.authority AND c.version > "
    "CASE WHEN p.generation = s.generation THEN p.version ELSE 0 END) AS cells "
    "FROM shards s LEFT JOIN publications p USING (authority) WHERE s.authority = ANY(:authorities) "
    "AND (s.generation, s.version) > (coalesce(p.generation, 0), coalesce(p.version, 0))"
)


class Lately(NamedTuple):
    """The number of an authority's events of the last day with one outcome."""

    authority: str
    outcome: Outcome
    number: int


class Unpublished(NamedTuple):
    """An authority whose cells have changed since version `published` was published."""

    authority: str
    published: tuple[int, int]
    cells: int


def arrived(connection: Connection, authorities: Collection[str]) -> dict[str, datetime]:
    """Return when each authority's last event arrived, whatever its outcome. Authorities without events are left out."""
    found = connection.execute(_ARRIVED, {"authorities": list(authorities)})
    return {row.authority: row.arrived_at for row in found}


def taken(connection: Connection, authorities: Collection[str]) -> dict[str, datetime]:
    """Return when each authority's last event that was not refused arrived."""
    query = select(shards.c.authority, shards.c.heard_at).where(shards.c.authority.in_(authorities))
    return {row.authority: row.heard_at for row in connection.execute(query) if row.heard_at is not None}


def closed(connection: Connection, authorities: Collection[str]) -> dict[str, datetime]:
    """Return when each authority's last signed day ended. Authorities without a signed tree are left out."""
    found = connection.execute(_CLOSED, {"authorities": list(authorities)})
    return {row.authority: datetime.combine(row.day + DAY, time.min, LONDON) for row in found}


def lately(connection: Connection, authorities: Collection[str], now: datetime) -> Iterator[Lately]:
    """Yield the number of events of the last day by outcome, zeros included, so that every authority always has a value."""
    asked = {"authorities": list(authorities), "since": now - DAY, "latest": LATEST_EVENTS}
    found = {(row.authority, OUTCOMES[row.outcome]): row.number for row in connection.execute(_LATELY, asked)}
    for authority in authorities:
        for outcome in OUTCOMES:
            yield Lately(authority, outcome, found.get((authority, outcome), 0))


def unpublished(connection: Connection, authorities: Collection[str]) -> list[Unpublished]:
    """Return the authorities with changes that wait to be published, and how many rows changed."""
    found = connection.execute(_UNPUBLISHED, {"authorities": list(authorities)})
    return [Unpublished(row.authority, (row.generation, row.version), row.cells) for row in found]


def silent_days(calendar: Calendar, last: datetime, today: date) -> int:
    """Return the number of whole working days since the last event; neither its day nor today counts."""
    return max(0, calendar.working_days(last.astimezone(LONDON).date(), today - DAY))


def is_working_day(calendar: Calendar, day: date) -> bool:
    return calendar.working_days(day - DAY, day) > 0


class Waits:
    """How long each authority has waited to be published without progress."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[tuple[int, int], float]] = {}

    def longest(self, waiting: Collection[Unpublished], now: float) -> float:
        """Return the longest wait in seconds, by the clock of `now`; 0 if nobody waits."""
        before = self._since
        self._since = {}
        for one in waiting:
            published, since = before.get(one.authority, (one.published, now))
            self._since[one.authority] = (one.published, since if published == one.published else now)
        return max((now - since for _, since in self._since.values()), default=0.0)
