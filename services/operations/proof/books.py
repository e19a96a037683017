"""One authority's part of a service's schema at one moment, and what the log says about it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, select

from services.operations.proof.expected import SHOWN, CellKey, Heard, Told, admitted, tell
from services.operations.proof.mismatch import Mismatch
from services.operations.proof.numbered import Numbered, count_numbers
from services.records.model.domain import Domain
from services.records.model.record import Record

Found = Iterator[Mismatch]


@dataclass(frozen=True, slots=True)
class Books:
    """The two sides of the comparison."""

    connection: Connection
    domain: Domain
    authority: str
    heard: list[Heard]
    """Everything in the log up to the position of the books."""
    told: Told
    numbered: Numbered
    unsure: frozenset[CellKey]
    """Cells whose values the log alone does not determine."""
    records: dict[str, Record]
    overfull: frozenset[str]
    """Orders of which too many facts were sent."""
    contributed: Counter[CellKey]
    """The sum of what the records count."""

    @classmethod
    def of(cls, connection: Connection, domain: Domain, authority: str, heard: list[Heard]) -> "Books":
        """Derive what the books must hold."""
        heard, marks = admitted(heard, domain.holds)
        told = tell(heard, domain.own, domain.holds)
        numbered, unsure = Numbered(), frozenset[CellKey]()
        if domain.follows_counters:
            numbered, unsure = count_numbers(told, heard, authority)
        records = {subject: told.record(subject) | marks.get(subject, {}) for subject in told.facts}
        contributed = Counter[CellKey]()
        for record in records.values():
            contributed.update(domain.contributions(record))
        return cls(connection, domain, authority, heard, told, numbered, unsure, records, frozenset(marks), contributed)

    def rows(self, table: Table) -> list[Any]:
        return list(self.connection.execute(select(table).where(table.c.authority == self.authority)))

    def name(self, table: Table) -> str:
        return f"{self.domain.service}.{table.name}"

    def behind(self, subject: str) -> tuple[str, ...]:
        """Return the places of some events about an order."""
        stated = chain.from_iterable(self.told.facts.get(subject, {}).values())
        return tuple(str(one.heard) for one in stated)[:SHOWN]
