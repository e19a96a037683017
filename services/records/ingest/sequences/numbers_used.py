"""Which event used each number of a source's counter, to find numbers that different events share."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from contracts.decoding.codec import Event
from contracts.decoding.envelope import MAX_SEQUENCE
from contracts.periods import month_of
from services.chassis import database
from services.records.ingest.store import Write
from services.records.ingest.tables import numbered, reused
from services.records.model.fold import Arrival, local_day
from services.records.model.sequence import Bearer, Blocks, Numbered, block_of, find_reused, no_marks

MOST = 1000
_LOAD = text(
    "SELECT n.* FROM unnest(CAST(:a AS text[]), CAST(:s AS text[]), CAST(:b AS bigint[])) AS w (a, s, b) "
    "JOIN numbered n ON n.authority = w.a AND n.system = w.s AND n.block = w.b"
)


class Used(NamedTuple):
    """The numbers that arrived, and those that had been used before."""

    again: list[Bearer]
    """Events whose number another event used before, each number once."""
    changed: Blocks

    def stage(self, connection: Connection) -> Iterator[Write]:
        """Stage the marks to write."""
        key = ("authority", "system", "block")
        if self.changed:
            blocks = [(*block, bytes(marks)) for block, marks in self.changed.items()]
            yield partial(database.stage(connection, numbered, (*key, "marks"), blocks).merge, key=key)
        if self.again:
            rows = [(*bearer.number, bearer.month) for bearer in self.again]
            yield database.stage(connection, reused, ("authority", "system", "number", "month"), rows).append


def find(connection: Connection, arrivals: Mapping[str, Iterable[Arrival]]) -> Used:
    """Compare the events that arrived with earlier events of the same numbers."""
    bearers = list(_bearers(arrivals))
    before = _load(connection, {block_of(bearer.number) for bearer in bearers})
    after = {block: bytearray(marks) for block, marks in before.items()}
    again = find_reused(bearers, after)
    return Used(again, {block: marks for block, marks in after.items() if marks != before[block]})


def reused_numbers(connection: Connection, authority: str) -> list[tuple[str, int, date]]:
    """Return numbers that different events share, with the system and the month of the later event; at most a thousand."""
    query = select(reused).where(reused.c.authority == authority).order_by(reused.c.system, reused.c.number)
    return [(row.system, row.number, row.month) for row in connection.execute(query.limit(MOST))]


def _bearers(arrivals: Mapping[str, Iterable[Arrival]]) -> Iterator[Bearer]:
    """Yield accepted events that have a number."""
    for authority, arrived in arrivals.items():
        for arrival in arrived:
            event = arrival.content
            if isinstance(event, Event) and event.sequence is not None and event.sequence <= MAX_SEQUENCE:
                number = (authority, event.system or "", event.sequence)
                yield Bearer(number, event.id, month_of(local_day(event.time)), arrival.day)


def _load(connection: Connection, wanted: Collection[Numbered]) -> Blocks:
    blocks = {block: no_marks() for block in wanted}
    if blocks:
        names = {name: [block[place] for block in blocks] for place, name in enumerate("asb")}
        for row in connection.execute(_LOAD, names):
            blocks[row.authority, row.system, row.block] = bytearray(row.marks)
    return blocks
