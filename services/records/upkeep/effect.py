"""The effect that refused events would have if they came now, by today's rules. Nothing is stored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from contracts.decoding.codec import Event, decode
from contracts.events import Topic
from contracts.periods import LONDON
from contracts.rejections import OF_ORDERS, Rejection
from contracts.topics import kind_of_topic
from services.records.ingest import store
from services.records.ingest.store import Needed
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, fold, subjects
from services.records.model.record import Outcome

RefusedRow = Row[Any, Any, Any, Any, Any, Any, Any]


class _Again(NamedTuple):
    """A refused event as it would come again."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(slots=True)
class Effect:
    """The effect of one authority's events."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    """How much each measure changes, over all its periods and categories; measures that count people are left out."""
    records: int = 0
    """How many orders change."""
    still_refused: int = 0
    """How many events are not sent, since today's contract refuses them too."""


def effect(connection: Connection, domain: Domain, authority: str, rows: Iterable[RefusedRow], now: datetime) -> Effect:
    """Fold the events onto the records as they are. Writes nothing."""
    arrivals = [_arrival(row, authority, now) for row in rows]
    own = domain.of(authority)
    wanted = sorted(subjects(arrivals, own))
    loaded = store.load_records(connection, [Needed(authority, subject) for subject in wanted])
    held = {subject: own.counted(loaded.get((authority, subject), {})) for subject in wanted}
    folded = fold(arrivals, held, own)
    found = Effect(records=len(folded.records))
    found.outcomes.update(settled.outcome for settled in folded.settled)
    for cells in folded.cells.values():
        for (measure, _, category), change in cells.items():
            if not (measure == "events" and category.startswith("outcome=")):
                found.cells[measure] += change
    found.cells = Counter({measure: change for measure, change in found.cells.items() if change})
    return found


def accepted(row: RefusedRow, now: datetime) -> bool:
    """Return whether today's contract accepts it, and nothing that was sent before stands in its way."""
    return row.reason not in OF_ORDERS and isinstance(_read(row, now), Event)


def _arrival(row: RefusedRow, authority: str, now: datetime) -> Arrival:
    topic: Topic = kind_of_topic(row.topic)
    message = _Again(row.offset, round(now.timestamp() * 1000), row.key, row.value)
    return Arrival(topic, message, now.astimezone(LONDON).date(), decode(row.value, topic, authority, now))


def _read(row: RefusedRow, now: datetime) -> Event | Rejection:
    return decode(row.value, kind_of_topic(row.topic), row.authority, now)
