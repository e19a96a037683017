"""Keeps which numbers of each source's counter have come, in the transaction of their events.

A source's counter runs over both topics, so only the service that reads both topics of an authority can follow it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from sqlalchemy import Connection, select, text, tuple_

from services.chassis import database
from services.records.ingest.sequences import numbers_used
from services.records.ingest.sequences.following import Came, Followed, SourceKey, numbers_in
from services.records.ingest.sequences.following import follow as plan
from services.records.ingest.sequences.sequence import Gap, Numbers
from services.records.ingest.store import Write
from services.records.ingest.tables import counters, gaps
from services.records.model.fold import Arrival

MOST_GAPS = 1000
_HIGHEST = text(
    "SELECT c.* FROM unnest(CAST(:a AS text[]), CAST(:s AS text[])) AS w (authority, system) JOIN counters c USING (authority, system)"
)
_WITHIN = text(
    "SELECT DISTINCT g.* FROM unnest(CAST(:a AS text[]), CAST(:s AS text[]), CAST(:n AS bigint[])) AS c (a, s, n) "
    "CROSS JOIN LATERAL (SELECT * FROM gaps WHERE authority = c.a AND system = c.s AND first <= c.n ORDER BY first DESC LIMIT 1) g "
    "WHERE c.n <= g.last ORDER BY g.first"
)
"""The gaps in which these numbers lie. Only the last gap that begins before a number can hold it, however many there are."""


def follow(connection: Connection, arrivals: Mapping[str, Iterable[Arrival]]) -> Followed:
    """Decide what the numbers that arrived change."""
    came, bearers = numbers_in(arrivals)
    return plan(load(connection, came), came, numbers_used.load(connection, bearers), bearers)


def stage(connection: Connection, followed: Followed) -> Iterator[Write]:
    """Stage the counters, gaps and marks that changed; the cells are whoever's who writes all cells."""
    if followed.highest:
        highest = [(*source, number) for source, number in followed.highest.items()]
        key = ("authority", "system")
        yield partial(database.stage(connection, counters, (*key, "highest"), highest).merge, key=key)
    if followed.gone:
        gone = [(*source, gap.first) for source, gap in followed.gone]
        where = tuple_(gaps.c.authority, gaps.c.system, gaps.c.first).in_(gone)
        yield partial(connection.execute, gaps.delete().where(where))
    if followed.new:
        new = [(*source, *gap) for source, gap in followed.new]
        yield database.stage(connection, gaps, ("authority", "system", "first", "last", "month"), new).append
    yield from numbers_used.stage(connection, followed)


def open_gaps(connection: Connection, authority: str) -> list[tuple[str, Gap]]:
    """Return the gaps of the authority's sources, each with its system; at most a thousand."""
    query = select(gaps).where(gaps.c.authority == authority).order_by(gaps.c.system, gaps.c.first).limit(MOST_GAPS)
    return [(row.system, Gap(row.first, row.last, row.month)) for row in connection.execute(query)]


def load(connection: Connection, came: Came) -> dict[SourceKey, Numbers]:
    """Load these counters, however many others the authority has, each with only the gaps in which something arrived."""
    known = {source: Numbers() for source in came}
    if not known:
        return known
    for row in connection.execute(_HIGHEST, {"a": [a for a, _ in came], "s": [s for _, s in came]}):
        known[row.authority, row.system].highest = row.highest
    within = [
        (*source, number)
        for source, by_day in came.items()
        for numbers in by_day.values()
        for number, _ in numbers
        if number <= known[source].highest
    ]
    if within:
        names = {"a": [a for a, _, _ in within], "s": [s for _, s, _ in within], "n": [n for _, _, n in within]}
        for row in connection.execute(_WITHIN, names):
            known[row.authority, row.system].gaps.append(Gap(row.first, row.last, row.month))
    return known
