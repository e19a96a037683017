"""Checks whether the books balance within themselves: cells against records, outcomes against offsets."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, func, select

from services.chassis.database import transaction
from services.records.ingest.recount import differences
from services.records.ingest.tables import arrivals, checkpoints
from services.records.model.domain import Domain


def unbalanced(database: Engine, domain: Domain, authority: str) -> Iterator[str]:
    """Yield everything about the authority that does not add up, in words. Reads at one moment, so workers may continue."""
    with transaction(database.execution_options(isolation_level="REPEATABLE READ")) as connection:
        for (measure, period, category), change in differences(connection, domain.of(authority), authority).items():
            cell = "|".join((measure, authority, str(period), category))
            yield f"{domain.service}: {cell} is {-change:+d} off the sum of its records"
        yield from _unsettled(connection, domain, authority)


def _unsettled(connection: Connection, domain: Domain, authority: str) -> Iterator[str]:
    topic = f"{domain.own}.{authority}"
    consumed = connection.scalar(select(checkpoints.c.next_offset).where(checkpoints.c.topic == topic)) or 0
    settled = select(func.count()).select_from(arrivals).where(arrivals.c.authority == authority)
    outcomes = connection.scalar(settled) or 0
    if outcomes != consumed:
        yield f"{domain.service}: {topic} was read up to {consumed}, but {outcomes} events have an outcome"
