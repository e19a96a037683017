"""Records which numbers of each source's counter have come, in the transaction of their events.

A source's counter runs over both topics, so only the service that reads both topics of an authority can follow it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial

from sqlalchemy import Connection, select, text, tuple_

from contracts.decoding.codec import Event
from contracts.decoding.envelope import MAX_SEQUENCE
from contracts.periods import month_of
from services.chassis import database
from services.records.ingest.envelopes import read_envelope
from services.records.ingest.sequences import numbers_used
from services.records.ingest.store import Shard, Write
from services.records.ingest.tables import counters, gaps
from services.records.model.deadlines import add
from services.records.model.fold import Arrival, Folded, local_day
from services.records.model.sequence import Gap, Numbers, receive

SourceKey = tuple[str, str]
"""Authority and system; the system is empty if the source names none."""
Came = dict[SourceKey, dict[date, list[tuple[int, date]]]]
"""By source and the day on which they became known: numbers, with the month of their event."""


HIGHEST = MAX_SEQUENCE + 1
_WITHIN = text(
    "SELECT DISTINCT g.* FROM unnest(CAST(:a AS text[]), CAST(:s AS text[]), CAST(:n AS bigint[])) AS c (a, s, n) "
    "CROSS JOIN LATERAL (SELECT * FROM gaps WHERE authority = c.a AND system = c.s AND first <= c.n ORDER BY first DESC LIMIT 1) g "
    "WHERE c.n <= g.last ORDER BY g.first"
)
"""The gaps in which these numbers lie. Only the last gap that begins before a number can hold it, however many there are."""


def stage(
    connection: Connection, arrivals: Mapping[str, Iterable[Arrival]], changes: Mapping[Shard, Folded]
) -> Iterator[Write]:
    """Count the numbers that arrived in the cells of `changes`, and stage the counters."""
    came = _came(arrivals)
    if not came:
        return
    known = _load(connection, came)
    before = {source: list(numbers.gaps) for source, numbers in known.items()}
    folded = {shard.authority: one for shard, one in changes.items()}
    for source, by_day in came.items():
        for day, numbers in sorted(by_day.items()):
            cells = folded[source[0]].cells.setdefault(day, {})
            for (month, category), step in receive(known[source], numbers).items():
                add(cells, "sequence", month, category, step)
    used = numbers_used.find(connection, arrivals)
    for bearer in used.again:
        add(folded[bearer.number[0]].cells.setdefault(bearer.day, {}), "sequence", bearer.month, "reused", 1)
    yield from _stage(connection, known, before)
    yield from used.stage(connection)


def open_gaps(connection: Connection, authority: str) -> list[tuple[str, Gap]]:
    """Return every gap of the authority's sources, with its system."""
    query = select(gaps).where(gaps.c.authority == authority).order_by(gaps.c.system, gaps.c.first)
    return [(row.system, Gap(row.first, row.last, row.month)) for row in connection.execute(query)]


def _came(arrivals: Mapping[str, Iterable[Arrival]]) -> Came:
    came: Came = {}
    for authority, arrived in arrivals.items():
        for arrival in arrived:
            content = arrival.content
            found = _of_event(content) if isinstance(content, Event) else _of_refused(arrival, authority)
            if found is not None:
                system, number, month = found
                came.setdefault((authority, system), defaultdict(list))[arrival.day].append((number, month))
    return came


def _of_event(event: Event) -> tuple[str, int, date] | None:
    if event.sequence is None or event.sequence >= HIGHEST:
        return None
    return event.system or "", event.sequence, month_of(local_day(event.time))


def _of_refused(arrival: Arrival, authority: str) -> tuple[str, int, date] | None:
    envelope = read_envelope(arrival.message.value)
    system = None if envelope is None else envelope.system_of(authority)
    if envelope is None or system is None or not 0 < envelope.number < HIGHEST:
        return None
    return system, envelope.number, month_of(min(local_day(envelope.time), arrival.day))


def _load(connection: Connection, came: Came) -> dict[SourceKey, Numbers]:
    """Load the counters, each with only the gaps in which something arrived."""
    known = {source: Numbers() for source in came}
    authorities = {authority for authority, _ in came}
    for row in connection.execute(select(counters).where(counters.c.authority.in_(authorities))):
        if (row.authority, row.system) in known:
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


def _stage(
    connection: Connection, known: Mapping[SourceKey, Numbers], before: Mapping[SourceKey, list[Gap]]
) -> Iterator[Write]:
    highest = [(*source, numbers.highest) for source, numbers in known.items()]
    key = ("authority", "system")
    yield partial(database.stage(connection, counters, (*key, "highest"), highest).merge, key=key)
    now = {source: set(numbers.gaps) for source, numbers in known.items()}
    gone = [(*source, gap.first) for source, found in before.items() for gap in found if gap not in now[source]]
    if gone:
        where = tuple_(gaps.c.authority, gaps.c.system, gaps.c.first).in_(gone)
        yield partial(connection.execute, gaps.delete().where(where))
    new = [(*source, *gap) for source, found in now.items() for gap in sorted(found.difference(before[source]))]
    if new:
        yield database.stage(connection, gaps, ("authority", "system", "first", "last", "month"), new).append
