"""Takes the indexes off tables that are filled at once, and makes them again: one after the other costs a fraction of row by row."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Engine, text

from services.chassis.database import transaction
from services.records.ingest.tables import arrivals, cells, persons, records

FILLED = (cells, arrivals, records, persons)
"""The large tables, the largest first."""
SORTED_IN = "256MB"
"""How much memory PostgreSQL may take to sort the rows of one index."""


class _Index(NamedTuple):
    table: str
    name: str
    made: str
    """The statement that makes it."""
    primary: bool


_INDEXES = text(
    "SELECT t.relname AS table, c.relname AS name, pg_get_indexdef(i.indexrelid) AS made, i.indisprimary AS primary "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid "
    "WHERE t.relnamespace = to_regnamespace(current_schema()) AND t.relname = ANY(:tables) "
    "ORDER BY array_position(CAST(:tables AS name[]), t.relname), i.indisprimary DESC, c.relname"
)


@contextmanager
def without_indexes(database: Engine, sessions: int) -> Iterator[None]:
    """Take the indexes off the large tables for the block, and make them again after it in so many sessions side by side.

    Making a primary key fails if a key is there twice; then the tables stay without.
    """
    with transaction(database) as connection:
        found = [_Index(*row) for row in connection.execute(_INDEXES, {"tables": [one.name for one in FILLED]})]
        for one in found:
            connection.execute(
                text(f"ALTER TABLE {one.table} DROP CONSTRAINT {one.name}" if one.primary else f"DROP INDEX {one.name}")
            )
    yield
    with ThreadPoolExecutor(sessions) as pool:
        for made in [pool.submit(_make, database, one) for one in found]:
            made.result()
    with transaction(database) as connection:
        for table in FILLED:
            connection.execute(text(f"ANALYZE {table.name}"))


def _make(database: Engine, index: _Index) -> None:
    with transaction(database) as connection:
        connection.execute(text(f"SET LOCAL maintenance_work_mem = '{SORTED_IN}'"))
        connection.execute(text(index.made))
    if index.primary:
        with transaction(database) as connection:
            connection.execute(
                text(f"ALTER TABLE {index.table} ADD CONSTRAINT {index.name} PRIMARY KEY USING INDEX {index.name}")
            )
