"""Counting in parts, pure: a change of one fact costs only the parts that read it.

A record always contributes the sum of its parts; the parts only make that cheap.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Any, Generic, NamedTuple, Self, TypeVar

from services.records.model.calendar import Calendar
from services.records.model.deadlines import NOTHING, Cells, Counts, Reading
from services.records.model.findings import FINDINGS, Finding
from services.records.model.record import Entry, Record, name_of

V = TypeVar("V")


class Ordered(NamedTuple):
    """The minutes of unpaid work that the court ordered."""

    minutes: int


Note = Reading | Finding | Ordered
"""A statement of a part about one order besides its cells, for lists of orders."""


@dataclass(frozen=True, slots=True)
class Part(Generic[V]):
    """Cells that follow from a few facts. `view` is the record in the service's model."""

    reads: frozenset[str]
    """Names of fact keys, before the slash."""
    count: Callable[[Record, V, Calendar], Counts[Note]]
    measures: frozenset[str]
    """Every measure of which it counts cells; no other part counts them."""
    spares: Callable[[Record, V, Collection[str]], bool] | None = None
    """Whether a part that counted nothing still does, given the facts that changed, while the view is the same. Cheaper than counting."""


@dataclass(frozen=True, slots=True)
class Each(Generic[V]):
    """Cells that follow from single facts, one after the other, such as sessions."""

    of: frozenset[str]
    """Names of the fact keys that are counted."""
    reads: frozenset[str]
    """Names of the fact keys on which all of them depend."""
    count: Callable[[Cells, V, Entry], None]
    measures: frozenset[str]
    """Every measure of which it counts cells."""


@dataclass(frozen=True, slots=True)
class Counting(Generic[V]):
    """Everything that a service counts in a record."""

    view: Callable[[Record], V]
    parts: tuple[Part[V], ...]
    each: Each[V] | None = None
    renew: Callable[[V, Record, Record, Collection[str]], V] | None = None
    """Makes the new view from the one before, both records and the keys of the changed facts, where that is cheaper."""
    _readers: dict[frozenset[str], tuple[int, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)
    """A cache of the parts that read facts of these names; there are few combinations."""
    finding: tuple[int, ...] = field(init=False, compare=False, repr=False)
    """The parts that find what breaks rules of data quality, by index."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "finding", tuple(i for i, part in enumerate(self.parts) if FINDINGS in part.measures))

    def of_measure(self, measure: str) -> Self:
        """Return the counting with only the parts that count cells of that measure."""
        each = self.each if self.each is not None and measure in self.each.measures else None
        return replace(self, parts=tuple(part for part in self.parts if measure in part.measures), each=each)

    @property
    def reads(self) -> frozenset[str]:
        """Return the names of the fact keys on which any cell depends."""
        each = frozenset() if self.each is None else self.each.of | self.each.reads
        return each.union(*(part.reads for part in self.parts))

    def depends_on(self, record: Record, key: str, calendar: Calendar) -> Cells:
        """Return the cells that the record would lose without that fact."""
        without = {name: entry for name, entry in record.items() if name != key}
        return self.difference(without, record, (key,), calendar)

    def contributions(self, record: Record, calendar: Calendar) -> Cells:
        """Return the cells in which a record counts."""
        total: Cells = {}
        counted = self.counted(record, calendar)
        for counts in counted.parts:
            merge(total, counts.cells)
        self._count_each(total, record, record, counted.view)
        return total

    def counted(self, record: Record, calendar: Calendar) -> "Counted":
        """Return a record with the cells of each part."""
        view = self.view(record)
        return Counted(record, [part.count(record, view, calendar) for part in self.parts], view)

    def change(
        self, deltas: Cells, before: "Counted", after: Record, changed: Collection[str], calendar: Calendar
    ) -> "Counted":
        """Add to `deltas` how a change of these fact keys changes the cells."""
        view = self.renew(before.view, before.record, after, changed) if self.renew else self.view(after)
        parts = list(before.parts)
        for index in self._reading(changed):
            part, was = self.parts[index], parts[index]
            if was is NOTHING and part.spares and view is before.view and part.spares(after, view, changed):
                continue
            now = part.count(after, view, calendar)
            if now is was or now == was:
                continue
            parts[index] = now
            if now.cells != was.cells:
                merge(deltas, now.cells)
                merge(deltas, was.cells, -1)
        self._change_each(deltas, before.record, after, changed, (before.view, view))
        return Counted(after, parts, view)

    def difference(self, before: Record, after: Record, changed: Collection[str], calendar: Calendar) -> Cells:
        """Return by how much `after` counts more than `before`; the two differ only in those facts."""
        deltas: Cells = {}
        now, reading = self.view(after), self._reading(changed)
        was = self.view(before) if reading or self._moves_each(changed) else now
        for index in reading:
            merge(deltas, self.parts[index].count(after, now, calendar).cells)
            merge(deltas, self.parts[index].count(before, was, calendar).cells, -1)
        self._change_each(deltas, before, after, changed, (was, now))
        return deltas

    def _reading(self, changed: Collection[str]) -> tuple[int, ...]:
        """Return the parts that read any of these facts, by index."""
        names = frozenset([name_of(key) for key in changed])
        found = self._readers.get(names)
        if found is None:
            found = tuple(index for index, part in enumerate(self.parts) if not names.isdisjoint(part.reads))
            self._readers[names] = found
        return found

    def _moves_each(self, changed: Collection[str]) -> bool:
        """Return whether all single facts must be counted again, since a fact on which they depend changed."""
        return self.each is not None and not self.each.reads.isdisjoint(map(name_of, changed))

    def _change_each(
        self, deltas: Cells, before: Record, after: Record, changed: Collection[str], views: tuple[V, V]
    ) -> None:
        if self.each is None:
            return
        was, now = views
        keys = before.keys() | after.keys() if self._moves_each(changed) else changed
        self._count_each(deltas, after, keys, now)
        gone: Cells = {}
        self._count_each(gone, before, keys, was)
        merge(deltas, gone, -1)

    def _count_each(self, cells: Cells, record: Record, keys: Iterable[str], view: V) -> None:
        if self.each is not None:
            for key in keys:
                entry = record.get(key)
                if entry is not None and entry.data is not None and name_of(key) in self.each.of:
                    self.each.count(cells, view, entry)


class Counted(NamedTuple):
    """A record with the cells of each part, so that a change costs one count and not two."""

    record: Record
    parts: list[Counts[Note]]
    view: Any
    """The record in terms of the service's model."""

    @property
    def notes(self) -> Iterable[Note]:
        """Return the notes of all parts."""
        return chain.from_iterable(counts.notes for counts in self.parts)


def merge(total: Cells, cells: Mapping[tuple[str, date, str], int], sign: int = 1) -> None:
    """Add `cells`, times `sign`, to `total`."""
    for key, value in cells.items():
        total[key] = total.get(key, 0) + sign * value
