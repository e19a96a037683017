"""Checks the counts of an authority against the sum of everything in the log."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Table, func, select

from services.operations.proof.books import Books, Found
from services.operations.proof.expected import SHOWN, CellKey
from services.operations.proof.mismatch import Mismatch, unequal
from services.operations.proof.numbered import MARK
from services.records.ingest.tables import cells, counters, gaps, numbered, persons, reused
from services.records.model.people import Stay, count_people


def people(books: Books) -> Found:
    """Check the orders of people."""
    held = {
        Stay(row.person_ref, row.begun, row.ended, row.is_new): row.orders for row in books.rows(persons) if row.orders
    }
    proved = _stays(books)
    for stay in unequal(held, proved):
        what = f"number of orders of one person from {stay.begun} to {stay.ended}"
        yield Mismatch(books.name(persons), what, held.get(stay), proved.get(stay))


def _stays(books: Books) -> Counter[Stay]:
    return Counter(stay for stay in map(books.domain.stay_of, books.records.values()) if stay is not None)


def sums(books: Books) -> Found:
    """Check that every cell is the sum of what its records contribute, or of the events that it counts."""
    c = cells.c
    key = (c.measure, c.period, c.category)
    query = select(*key, func.sum(c.delta)).where(c.authority == books.authority).group_by(*key)
    held = {(m, p, category): int(number) for m, p, category, number in books.connection.execute(query) if number}
    proved = {cell: number for cell, number in _proved(books).items() if number}
    wrong = list(unequal(held, proved, books.unsure))
    behind = _behind(books, wrong)
    for cell in wrong:
        measure, period, category = cell
        name = f"{measure}|{books.authority}|{period}|{category}"
        yield Mismatch(books.name(cells), name, held.get(cell, 0), proved.get(cell, 0), tuple(behind[cell]))


def _proved(books: Books) -> Counter[CellKey]:
    total = Counter(books.contributed)
    total.update(books.told.cells)
    by_person: defaultdict[str, list[Stay]] = defaultdict(list)
    for stay in _stays(books).elements():
        by_person[stay.person].append(stay)
    for stays in by_person.values():
        total.update(count_people(stays))
    return total


def _behind(books: Books, wrong: Collection[CellKey]) -> defaultdict[CellKey, list[str]]:
    """Return some of the events that count in each cell."""
    found: defaultdict[CellKey, list[str]] = defaultdict(list)
    for cell in wrong:
        found[cell] += map(str, books.told.behind.get(cell, ()))
    for subject, record in books.records.items() if wrong else ():
        for cell in books.domain.contributions(record).keys() & set(wrong):
            found[cell] += books.behind(subject)[: max(0, SHOWN - len(found[cell]))]
    return found


def numbers(books: Books) -> Found:
    """Check the sequence numbers of sources: which came, which are missing, which were used twice."""
    held = {row.system: row.highest for row in books.rows(counters)}
    for system in unequal(held, books.numbered.highest):
        what = f"highest number of system {system or '(none)'}"
        yield Mismatch(books.name(counters), what, held.get(system), books.numbered.highest.get(system))
    yield from _sets(books, gaps, {(row.system, row.first, row.last) for row in books.rows(gaps)}, books.numbered.gaps)
    used = {(row.system, row.number) for row in books.rows(reused)}
    yield from _sets(books, reused, used, books.numbered.reused)
    marks = {mark for row in books.rows(numbered) for mark in _marks(row)}
    yield from _sets(books, numbered, marks, books.numbered.marks)


def _sets(books: Books, table: Table, held: set[Any], proved: set[Any]) -> Found:
    for one in sorted(held ^ proved):
        what = " ".join(map(str, one))
        yield Mismatch(books.name(table), what, "there" if one in held else None, "there" if one in proved else None)


def _marks(row: Any) -> Iterator[tuple[str, int, bytes]]:
    number = len(row.marks) // MARK
    for place in range(number):
        mark = bytes(row.marks[place * MARK : (place + 1) * MARK])
        if any(mark):
            yield row.system, row.block * number + place, mark
