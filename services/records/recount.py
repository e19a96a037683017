"""Counting again from the records: after a change of rules or calendar, and to prove that the cells are right."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, Text, cast, func, select

from services.records import store
from services.records.fold import Domain, PersonMonth
from services.records.record import Record, load
from services.records.store import Shard
from services.records.tables import cells, records

CellKey = tuple[str, date, str]
ARRIVAL_MEASURES = ("events", "reporting_delay")
"""Counted as events arrive; no record tells them."""


def expected_cells(connection: Connection, domain: Domain, authority: str) -> Counter[CellKey]:
    """What the cells must be: the sum of contributions over all records of the authority."""
    total: Counter[CellKey] = Counter()
    people: set[PersonMonth | None] = set()
    for record in _records(connection, authority):
        for key, value in domain.contributions(record, domain.calendar).items():
            total[key] += value
        people.add(domain.person_month(record))
    for person in people:
        if person is not None:
            total["persons_with_new_order", person[1], ""] += 1
    return total


def actual_cells(connection: Connection, authority: str) -> Counter[CellKey]:
    """What the cells are, without those about arrival."""
    key = (cells.c.measure, cells.c.period, cells.c.category)
    query = select(*key, func.sum(cells.c.delta)).where(cells.c.authority == authority).group_by(*key)
    rows = connection.execute(query.where(cells.c.measure.not_in(ARRIVAL_MEASURES)))
    return Counter({(measure, period, category): int(value) for measure, period, category, value in rows})


def differences(connection: Connection, domain: Domain, authority: str) -> dict[CellKey, int]:
    """Cells that are not the sum of their records, with what must be added. Empty, always."""
    wanted, found = expected_cells(connection, domain, authority), actual_cells(connection, authority)
    return {key: wanted[key] - found[key] for key in wanted.keys() | found.keys() if wanted[key] != found[key]}


def recount(connection: Connection, domain: Domain, shard: Shard) -> tuple[int, Shard]:
    """Brings the cells to what the rules in force say, as known on the shard's last day. Returns how many changed."""
    after = store.bump(connection, shard, counted_by=domain.rules)
    changes = differences(connection, domain, shard.authority)
    store.add_to_cells(
        connection, [(shard.authority, *key, after.known_on, change, after.version) for key, change in changes.items()]
    )
    return len(changes), after


def _records(connection: Connection, authority: str) -> Iterator[Record]:
    query = select(cast(records.c.facts, Text)).where(records.c.authority == authority)
    with connection.execute(query.execution_options(yield_per=1000)) as rows:
        for (facts,) in rows:
            yield load(facts.encode())
