"""Checks what reporting holds and shows of one service and authority against what that service holds at the same versions."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, func, over, select

from services.operations.proof.books import Books, Found
from services.operations.proof.mismatch import Mismatch, unequal
from services.records.ingest import tables as ours
from services.reporting.read import tables as theirs

Key = tuple[str, Any, str, Any]
"""Measure, period, category, and the day on which the value became known."""


class Value(NamedTuple):
    """The value of a row."""

    version: int
    value: int

    def __str__(self) -> str:
        return f"{self.value} (version {self.version})"


class Latest(NamedTuple):
    """The row of a cell that is shown."""

    known_on: Any
    version: int
    value: int

    def __str__(self) -> str:
        return f"{self.value} as known on {self.known_on} (version {self.version})"


class Shown(NamedTuple):
    """The rows that reporting has of one service and authority, read at one moment before the service's own books."""

    position: Any
    rows: dict[Key, Value]
    present: dict[tuple[str, Any, str], Latest]


def read_shown(connection: Connection, service: str, authority: str) -> Shown | None:
    """Return what reporting has; None if it has received nothing yet."""
    p, c, n = theirs.positions, theirs.cells.c, theirs.present.c
    position = connection.execute(select(p).where(p.c.service == service, p.c.authority == authority)).one_or_none()
    if position is None:
        return None
    mine = (c.service == service) & (c.authority == authority) & (c.generation == position.generation)
    rows = connection.execute(select(c.measure, c.period, c.category, c.known_on, c.version, c.value).where(mine))
    shown = select(n.measure, n.period, n.category, n.known_on, n.version, n.value)
    present = connection.execute(shown.where(n.service == service, n.authority == authority))
    return Shown(
        position,
        {(m, period, category, day): Value(version, value) for m, period, category, day, version, value in rows},
        {(m, period, category): Latest(day, version, value) for m, period, category, day, version, value in present},
    )


def shown(books: Books, found: Shown) -> Found:
    """Compare the rows. Those that changed since are left for the next time."""
    yield from _present(books, found)
    (shard,) = books.rows(ours.shards)
    position = found.position
    if position.generation < shard.generation:
        return  # the new generation is on its way
    if (position.generation, position.version) > (shard.generation, shard.version):
        held = f"version {position.version} of generation {position.generation}"
        proved = f"at most version {shard.version} of generation {shard.generation}"
        yield Mismatch("reporting.positions", _named(books), held, proved)
        return
    if position.version == shard.version:
        yield from _position(books, position, shard)
    held_rows = _rows(books)
    due = {key: value for key, value in held_rows.items() if value.version <= position.version}
    later = held_rows.keys() - due.keys()
    for key in unequal(found.rows, due, later):
        measure, period, category, day = key
        name = f"{books.domain.service}: {measure}|{books.authority}|{period}|{category} as known on {day}"
        yield Mismatch("reporting.cells", name, found.rows.get(key), due.get(key))


def _named(books: Books) -> str:
    return f"{books.domain.service} of {books.authority}"


def _rows(books: Books) -> dict[Key, Value]:
    """Return the published value of each row: the sum up to its day."""
    c = ours.cells.c
    cell = (c.measure, c.period, c.category)
    value = over(func.sum(c.delta), partition_by=cell, order_by=c.known_on)
    query = select(*cell, c.known_on, c.version, value).where(c.authority == books.authority)
    return {(m, p, g, day): Value(version, int(n)) for m, p, g, day, version, n in books.connection.execute(query)}


def _position(books: Books, position: Any, shard: Any) -> Found:
    rows = books.connection.execute(select(ours.checkpoints).where(ours.checkpoints.c.next_offset > 0))
    offsets = {
        f"{row.topic}/{row.partition}": row.next_offset - 1 for row in rows if row.topic.endswith(books.authority)
    }
    for name, held, proved in (
        ("offsets", position.offsets, offsets),
        ("heard_at", position.heard_at, shard.heard_at),
    ):
        if held != proved:
            yield Mismatch("reporting.positions", f"{name} of {_named(books)}", held, proved)


def _present(books: Books, found: Shown) -> Found:
    """Check that what is shown is the latest of what is held."""
    latest: dict[tuple[str, Any, str], Latest] = {}
    for (measure, period, category, day), (version, value) in found.rows.items():
        cell = (measure, period, category)
        row = Latest(day, version, value)
        latest[cell] = max(latest.get(cell, row), row)
    for cell in unequal(found.present, latest):
        measure, period, category = cell
        name = f"{books.domain.service}: {measure}|{books.authority}|{period}|{category}"
        yield Mismatch("reporting.present", name, found.present.get(cell), latest.get(cell))
