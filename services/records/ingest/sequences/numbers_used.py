"""Keeps which event used each number of a source's counter, to find numbers that different events share."""

from collections.abc import Collection, Iterator
from datetime import date
from functools import partial

from sqlalchemy import Connection, select, text

from services.chassis import database
from services.records.ingest.sequences.following import Followed
from services.records.ingest.sequences.sequence import Bearer, Blocks, block_of, no_marks
from services.records.ingest.store import Write
from services.records.ingest.tables import numbered, reused

MOST = 1000
_LOAD = text(
    "SELECT n.* FROM unnest(CAST(:a AS text[]), CAST(:s AS text[]), CAST(:b AS bigint[])) AS w (a, s, b) "
    "JOIN numbered n ON n.authority = w.a AND n.system = w.s AND n.block = w.b"
)


def load(connection: Connection, bearers: Collection[Bearer]) -> Blocks:
    """Load the blocks of marks of these events' numbers."""
    blocks = {block: no_marks() for block in {block_of(bearer.number) for bearer in bearers}}
    if blocks:
        names = {name: [block[place] for block in blocks] for place, name in enumerate("asb")}
        for row in connection.execute(_LOAD, names):
            blocks[row.authority, row.system, row.block] = bytearray(row.marks)
    return blocks


def stage(connection: Connection, followed: Followed) -> Iterator[Write]:
    """Stage the marks that changed, and the numbers that came again."""
    key = ("authority", "system", "block")
    if followed.marks:
        blocks = [(*block, bytes(marks)) for block, marks in followed.marks.items()]
        yield partial(database.stage(connection, numbered, (*key, "marks"), blocks).merge, key=key)
    if followed.reused:
        rows = [(*bearer.number, bearer.month) for bearer in followed.reused]
        yield database.stage(connection, reused, ("authority", "system", "number", "month"), rows).append


def reused_numbers(connection: Connection, authority: str) -> list[tuple[str, int, date]]:
    """Return numbers that different events share, with the system and the month of the later event; at most a thousand."""
    query = select(reused).where(reused.c.authority == authority).order_by(reused.c.system, reused.c.number)
    return [(row.system, row.number, row.month) for row in connection.execute(query.limit(MOST))]
