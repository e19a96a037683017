"""Counts again from the records, after a change of rules or calendar, or to check the cells."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select

from services.chassis.database import stage
from services.records.ingest import news, store
from services.records.ingest.store import Shard
from services.records.ingest.tables import cells, records, recounts
from services.records.model.domain import Domain
from services.records.model.people import Stay, Stays, count_people
from services.records.model.record import Record, load
from services.records.model.summary import Summary, summary

CellKey = tuple[str, date, str]
ARRIVAL_MEASURES = ("events", "reporting_delay", "sequence")
"""Counted as events arrive; they cannot be counted again from records."""
FETCHED = 50
"""Records that are fetched together. The largest ones take 440 KB for each topic, so nobody may hold many of them."""
AT_ONCE = 2000
"""Records whose summaries are written in one statement."""


def expected_cells(
    connection: Connection, domain: Domain, authority: str, look: Callable[[str, Record], None] = lambda *_: None
) -> Counter[CellKey]:
    """Return the correct cells: the sum of contributions over all records of the authority."""
    total: Counter[CellKey] = Counter()
    people: defaultdict[str, list[Stay]] = defaultdict(list)
    for subject, record in records_of(connection, authority):
        look(subject, record)
        for key, value in domain.contributions(record).items():
            total[key] += value
        stay = domain.stay_of(record)
        if stay is not None:
            people[stay.person].append(stay)
    for stays in people.values():
        for key, value in count_people(stays).items():
            total[key] += value
    return total


def actual_cells(connection: Connection, authority: str) -> Counter[CellKey]:
    """Return the stored cells, without those about arrival."""
    key = (cells.c.measure, cells.c.period, cells.c.category)
    query = select(*key, func.sum(cells.c.delta)).where(cells.c.authority == authority).group_by(*key)
    rows = connection.execute(query.where(cells.c.measure.not_in(ARRIVAL_MEASURES)))
    return Counter({(measure, period, category): int(value) for measure, period, category, value in rows})


def differences(connection: Connection, domain: Domain, authority: str) -> dict[CellKey, int]:
    """Return the cells that are not the sum of their records, with what must be added. There should be none."""
    return _missing(expected_cells(connection, domain, authority), actual_cells(connection, authority))


def recount(connection: Connection, domain: Domain, shard: Shard) -> tuple[int, Shard]:
    """Bring cells and summaries in line with the rules in force, as known on the shard's last day, and record the recount.

    Returns how many cells changed, and the shard after it.
    """
    after = shard.next_commit(counted_by=domain.rules)
    summaries: list[tuple[str, Summary]] = []
    stays = Stays()

    def look(subject: str, record: Record) -> None:
        summaries.append((subject, summary(domain.counted(record))))
        if (stay := domain.stay_of(record)) is not None:
            stays[stay] += 1

    wanted = expected_cells(connection, domain, shard.authority, look)
    changes = _missing(wanted, actual_cells(connection, shard.authority))
    rows = [(shard.authority, *key, after.known_on, change, after.version) for key, change in changes.items()]
    writes = [*store.stage_cells(connection, rows), *store.replace_people(connection, shard.authority, stays)]
    store.hurry(connection)
    store.bump(connection, [after])  # Fenced if what was read has changed since
    for write in writes:
        write()
    news.note(connection, after, [(subject, found.standing) for subject, found in summaries])
    _write_summaries(connection, shard.authority, summaries)
    if shard.counted_by:
        _note(connection, domain, shard, after, len(changes))
    return len(changes), after


def records_of(
    connection: Connection, authority: str, names: Container[str] | None = None
) -> Iterator[tuple[str, Record]]:
    """Yield every record of the authority, by subject; if names are given, only with the facts of these names."""
    query = select(records.c.subject, cast(records.c.facts, Text)).where(records.c.authority == authority)
    with connection.execute(query.execution_options(yield_per=FETCHED)) as rows:
        for subject, facts in rows:
            yield subject, load(facts.encode(), names)


def _missing(wanted: Counter[CellKey], found: Counter[CellKey]) -> dict[CellKey, int]:
    return {key: wanted[key] - found[key] for key in wanted.keys() | found.keys() if wanted[key] != found[key]}


def _write_summaries(connection: Connection, authority: str, summaries: list[tuple[str, Summary]]) -> None:
    """Write summaries in portions. For a large authority, all at once could take longer than a statement may, every time."""
    columns = ("authority", "subject", *Summary._fields)
    for begin in range(0, len(summaries), AT_ONCE):
        some = [(authority, subject, *found) for subject, found in summaries[begin : begin + AT_ONCE]]
        stage(connection, records, columns, some).change(key=("authority", "subject"))


def latest(connection: Connection, authority: str, most: int = 10) -> list[dict[str, Any]]:
    """Return the last times that the authority was counted again, the latest first."""
    query = select(recounts).where(recounts.c.authority == authority).order_by(recounts.c.version.desc()).limit(most)
    return [dict(row) for row in connection.execute(query).mappings()]


def _note(connection: Connection, domain: Domain, before: Shard, after: Shard, changed: int) -> None:
    connection.execute(
        recounts.insert().values(
            authority=after.authority,
            version=after.version,
            known_on=after.known_on,
            rules_before=before.counted_by,
            rules_after=after.counted_by,
            calendar=domain.calendar.version,
            cells_changed=changed,
        )
    )
