"""One authority's part of a service's schema at one moment, and what the log tells of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, select

from services.operations.proof.mismatch import Mismatch
from services.operations.proof.numbered import Numbered, count_numbers
from services.operations.proof.told import SHOWN, CellKey, Heard, Told, tell
from services.records.model.domain import Domain
from services.records.model.record import Record

Found = Iterator[Mismatch]


@dataclass(frozen=True, slots=True)
class Books:
    """What is compared."""

    connection: Connection
    domain: Domain
    authority: str
    heard: list[Heard]
    """All that the log tells up to where the books are."""
    told: Told
    numbered: Numbered
    unsure: frozenset[CellKey]
    """Cells of which the log alone does not say what they must be."""
    records: dict[str, Record]
    contributed: Counter[CellKey]
    """What the records count in all."""

    @classmethod
    def of(cls, connection: Connection, domain: Domain, authority: str, heard: list[Heard]) -> "Books":
        """Works out what must stand there."""
        told = tell(heard, domain.own, domain.holds)
        numbered, unsure = Numbered(), frozenset[CellKey]()
        if domain.follows_counters:
            numbered, unsure = count_numbers(told, heard, authority)
        records = {subject: told.record(subject) for subject in told.facts}
        contributed = Counter[CellKey]()
        for record in records.values():
            contributed.update(domain.contributions(record))
        return cls(connection, domain, authority, heard, told, numbered, unsure, records, contributed)

    def rows(self, table: Table) -> list[Any]:
        return list(self.connection.execute(select(table).where(table.c.authority == self.authority)))

    def name(self, table: Table) -> str:
        return f"{self.domain.service}.{table.name}"

    def behind(self, subject: str) -> tuple[str, ...]:
        """Where some of the events about an order lie."""
        stated = chain.from_iterable(self.told.facts.get(subject, {}).values())
        return tuple(str(one.heard) for one in stated)[:SHOWN]
