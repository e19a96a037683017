"""The writes of the worker: rows of cells and positions, as `fold.py` plans them, and messages that were put aside."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, text, tuple_

from contracts.cells import Cell, Holdings, Position
from services.chassis.database import Excluded, upsert
from services.reporting.ingest.fold import Folded, Origin, plan
from services.reporting.read import tables
from services.reporting.read.tables import cells, positions, present


def write(connection: Connection, folded: Folded) -> None:
    """Store the rows, and show those of the generation that the positions name."""
    planned = plan(folded, visible(connection))
    _store(connection, planned.rows)
    for shard, generation in planned.swaps.items():
        _swap(connection, shard, generation)
    _show(connection, planned.shown)
    _place(connection, planned.positions)


def visible(connection: Connection) -> dict[Origin, int]:
    """Return the generation of each shard that is shown."""
    found = connection.execute(select(positions.c.service, positions.c.authority, positions.c.generation))
    return {Origin(row.service, row.authority): row.generation for row in found}


def heard(connection: Connection) -> dict[Origin, datetime]:
    """Return when the last event came whose effect is shown, by shard."""
    query = select(positions.c.service, positions.c.authority, positions.c.heard_at)
    found = connection.execute(query.where(positions.c.heard_at.is_not(None)))
    return {Origin(row.service, row.authority): row.heard_at for row in found}


class Aside(NamedTuple):
    """A message that could not be read or accepted."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    seal: bytes | None


def put_aside(connection: Connection, one: Aside, fault: str, at: datetime) -> None:
    """Keep a message to be tried again."""
    connection.execute(tables.put_aside.insert().values(**one._asdict(), fault=fault, at=at))


def aside(connection: Connection) -> list[Aside]:
    """Return the messages that were put aside, in their order."""
    columns = [tables.put_aside.c[name] for name in Aside._fields]
    query = select(*columns).order_by(tables.put_aside.c.topic, tables.put_aside.c.offset)
    return [Aside(*row) for row in connection.execute(query)]


def take_up(connection: Connection, one: Aside) -> None:
    """Keep the message no longer."""
    c = tables.put_aside.c
    here = (c.topic == one.topic) & (c.partition == one.partition) & (c.offset == one.offset)
    connection.execute(tables.put_aside.delete().where(here))


def number_aside(connection: Connection) -> int:
    """Return how many messages are aside."""
    return connection.scalar(select(func.count()).select_from(tables.put_aside)) or 0


def last_published_at(connection: Connection) -> datetime | None:
    """Return when the last release was published."""
    at: datetime | None = connection.scalar(select(func.max(tables.releases.c.published_at)))
    return at


# A version has one value. Where the same comes with another, the one here was altered, and `payback republish` puts it right.


def _newer(new: Excluded) -> ColumnElement[bool]:
    held = cells.c
    return (new.version > held.version) | ((new.version == held.version) & (new.value != held.value))


def _later(new: Excluded) -> ColumnElement[bool]:
    held = present.c
    there, here = tuple_(new.known_on, new.version), tuple_(held.known_on, held.version)
    return (there > here) | ((there == here) & (new.value != held.value))


def _further(new: Excluded) -> ColumnElement[bool]:
    held = positions.c
    there, here = tuple_(new.generation, new.version), tuple_(held.generation, held.version)
    differs = new.offsets.is_distinct_from(held.offsets) | new.heard_at.is_distinct_from(held.heard_at)
    return (there > here) | ((there == here) & differs)


def _store(connection: Connection, rows: Collection[Cell]) -> None:
    if not rows:
        return
    columns = ("service", "authority", "generation", "measure", "category", "period", "known_on", "version", "value")
    values = [
        (r.service, r.authority, r.generation, r.measure, r.category, r.period, r.known_on, r.version, r.value)
        for r in rows
    ]
    upsert(connection, cells, columns, values, key=columns[:7], where=_newer)


def _show(connection: Connection, rows: Collection[Cell]) -> None:
    if not rows:
        return
    columns = ("measure", "authority", "period", "category", "service", "known_on", "version", "value")
    values = [(r.measure, r.authority, r.period, r.category, r.service, r.known_on, r.version, r.value) for r in rows]
    upsert(connection, present, columns, values, key=columns[:5], where=_later)


def _swap(connection: Connection, shard: Origin, generation: int) -> None:
    """Replace the rows of the old generation by those of the new one. Readers see the change all at once, at the commit."""
    named = {"service": shard.service, "authority": shard.authority, "generation": generation}
    connection.execute(
        text("DELETE FROM cells WHERE service = :service AND authority = :authority AND generation < :generation"),
        named,
    )
    connection.execute(text("DELETE FROM present WHERE service = :service AND authority = :authority"), named)
    connection.execute(
        text(
            "INSERT INTO present (measure, authority, period, category, service, known_on, version, value) "
            "SELECT DISTINCT ON (measure, category, period) "
            "measure, authority, period, category, service, known_on, version, value FROM cells "
            "WHERE service = :service AND authority = :authority AND generation = :generation "
            "ORDER BY measure, category, period, known_on DESC"
        ),
        named,
    )


def _held(holds: Holdings | None) -> tuple[int | None, int | None]:
    return (None, None) if holds is None else (holds.rows, holds.versions)


def _place(connection: Connection, found: Iterable[Position]) -> None:
    columns = ("service", "authority", "generation", "version", "offsets", "heard_at", "rows_held", "versions_held")
    rows = [(p.service, p.authority, p.generation, p.version, p.offsets, p.heard_at, *_held(p.holds)) for p in found]
    if not rows:
        return
    upsert(
        connection,
        positions,
        columns,
        rows,
        key=columns[:2],
        where=_further,
    )
