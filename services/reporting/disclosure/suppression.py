"""From the cells of a release to the numbers of it that the public does not see. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import NamedTuple

import numpy as np

from contracts.authorities import AUTHORITIES
from contracts.periods import months_between, year_months, year_of
from services.reporting.disclosure.alternative_tables import Bools, Ints, Split, Table, protect, small_numbers
from services.reporting.disclosure.linked_tables import FAMILIES, Family
from services.reporting.disclosure.numbers import NumberKey
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.indicators import Form

AREAS = tuple(AUTHORITIES)
_PLACE = {code: index for index, code in enumerate(AREAS)}


class CellKey(NamedTuple):
    """One cell of a release."""

    measure: str
    category: str
    period: date
    authority: str


Cells = dict[CellKey, int]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the public was given before."""

    last_month: date
    cells: Mapping[CellKey, int]
    hidden: frozenset[NumberKey]
    forms: frozenset[tuple[str, str]]
    """Measure and grouping of everything that was public then."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """The definitions in force then."""


class Held(NamedTuple):
    """Months of a family whose revision waits, since it would give something away."""

    family: str
    month: date


@dataclass(frozen=True, slots=True)
class Hiding:
    """The cells as they are released, and what is hidden of them."""

    cells: Cells
    hidden: frozenset[NumberKey]
    held: tuple[Held, ...]


Told = Callable[[int, int, str], object]
"""Hears how many parts of how many are done, and which is next."""


def untold(_done: int, _of: int, _words: str) -> None:
    """Nobody listens."""


def hide(
    cells: Mapping[CellKey, int],
    last_month: date,
    earlier: Sequence[Earlier] = (),
    families: Sequence[Family] = FAMILIES,
    reported: Mapping[str, Collection[date]] | None = None,
    told: Told = untold,
) -> Hiding:
    """Work out what to hide, given all earlier releases, the latest last.

    `reported` are the months of which each authority reported, all by default: of the others everybody is told that nothing came.
    """
    released = dict(cells)
    hidden: set[NumberKey] = set()
    held: list[Held] = []
    if not cells:
        return Hiding(released, frozenset(), ())
    first = min(key.period for key in cells)
    years = list(dict.fromkeys(year_of(month) for month in months_between(first, last_month)))
    for done, family in enumerate(families):
        for more, year in enumerate(years):
            told(done * len(years) + more, len(families) * len(years), f"{family.name}, {year}")
            months = tuple(month for month in year_months(year) if month <= last_month)
            if family.yearly and len(months) < 12:
                continue  # only whole years of it are ever told
            work = _Work(family, year, months, earlier, reported)
            if work.is_unchanged(released):
                hidden |= work.carried()
                continue
            while failed := work.protect(released):
                work.hold_back(released, failed)
                held += [Held(family.name, month) for month in failed]
                if work.is_unchanged(released):  # as safe as it was, though the search finds no way to say so again
                    hidden |= work.carried()
                    break
            else:
                hidden |= work.hidden()
    return Hiding(released, frozenset(hidden), tuple(held))


class _Work:
    """One family in one year."""

    def __init__(
        self,
        family: Family,
        year: str,
        months: tuple[date, ...],
        earlier: Sequence[Earlier],
        reported: Mapping[str, Collection[date]] | None,
    ) -> None:
        self._family, self._year, self._months, self._earlier = family, year, months, earlier
        self._reported = reported
        self._complete = len(months) == 12 and not family.yearly
        self._columns = (months,) if family.yearly else tuple((month,) for month in months)
        """The months of each column of the table."""
        self._periods = (year,) if family.yearly else (*(f"{month:%Y-%m}" for month in months), year)
        self._table: Table | None = None

    def is_unchanged(self, cells: Mapping[CellKey, int]) -> bool:
        """Whether the last release had this very table, whole year and all."""
        if not self._earlier:
            return False
        last = self._earlier[-1]
        months_then = [month for month in self._months if month <= last.last_month]
        forms_then = all((f.measure, f.grouping) in last.forms for f in self._forms())
        return (
            len(months_then) == len(self._months)
            and forms_then
            and all(cells.get(key, 0) == last.cells.get(key, 0) for key in self._keys(self._months, within=True))
        )

    def carried(self) -> set[NumberKey]:
        """What the last release hid here."""
        mine = {(f.measure, f.grouping) for f in self._forms()}
        periods = set(self._periods)
        return {k for k in self._earlier[-1].hidden if (k.measure, k.grouping) in mine and k.period in periods}

    def protect(self, cells: Mapping[CellKey, int]) -> list[date]:
        """Hide what is needed. Answers the revised months that must wait, since earlier releases told too much of them."""
        self._table = self._build(cells)
        failed = {number.month for number in protect(self._table)}
        if not failed:
            return []
        revised = [m for m in self._months if self._was_released(m) and self._differs(cells, m)]
        waiting = [m for m in revised if self._column(m) in failed] or revised
        if not waiting:
            self._hide_whole()
        return waiting

    def _hide_whole(self) -> None:
        """Nothing of this family and year is told, where no choice of numbers to hide is enough: a release never fails."""
        assert self._table is not None
        for split in self._table.splits:
            split.hidden[:] = True

    def _column(self, month: date) -> int:
        return next(index for index, months in enumerate(self._columns) if month in months)

    def _was_released(self, month: date) -> bool:
        return bool(self._earlier) and month <= self._earlier[-1].last_month

    def hold_back(self, cells: Cells, months: Iterable[date]) -> None:
        """Keep the figures of the last release for these months."""
        for key in self._keys(months):
            cells[key] = self._earlier[-1].cells.get(key, 0)

    def hidden(self) -> set[NumberKey]:
        """The numbers hidden, under every name that they have."""
        assert self._table is not None
        found: set[NumberKey] = set()
        for forms, split in zip(self._named(), self._table.splits, strict=True):
            for index, names in enumerate(forms):
                for area, month in np.argwhere(split.hidden[index]):
                    if month == len(self._columns) and not self._complete:
                        continue
                    place = self._periods[month if month < len(self._columns) else -1], (*AREAS, SCOTLAND)[area]
                    found |= {NumberKey(f.measure, f.grouping, *place) for f in names}
        return found

    def _differs(self, cells: Mapping[CellKey, int], month: date) -> bool:
        before = self._earlier[-1].cells
        return any(cells.get(key, 0) != before.get(key, 0) for key in self._keys([month]))

    def _forms(self) -> Iterator[Form]:
        yield from self._family.totals
        yield from (f for d in self._family.dimensions for f in d.forms)
        yield from (second for _, second in self._family.companions)

    def _keys(self, months: Iterable[date], *, within: bool = False) -> Iterator[CellKey]:
        larger = [self._family.within] if within and self._family.within else []
        cells = dict.fromkeys((f.measure, c) for f in (*self._forms(), *larger) for c in f.categories)
        for month in months:
            for measure, category in cells:
                for area in AREAS:
                    yield CellKey(measure, category, month, area)

    def _named(self) -> list[list[list[Form]]]:
        """By split and form, the names that share its fate: equal totals, and sums over the same orders."""
        also: dict[Form, list[Form]] = {}
        for count, second in self._family.companions:
            also.setdefault(count, []).append(second)

        def names(*forms: Form) -> list[Form]:
            return [*forms, *(second for f in forms for second in also.get(f, ()))]

        found = [[names(*self._family.totals)]]
        for dimension in self._family.dimensions:
            of_forms = [names(f) for f in dimension.forms]
            if not dimension.exhaustive:
                of_forms.insert(len(dimension.categories), [])  # the rest has no name
            found.append(of_forms)
        return found

    def _build(self, cells: Mapping[CellKey, int]) -> Table:
        table = self._plain(cells)
        for earlier in self._earlier:
            self._remember(table.splits, earlier)
        if self._reported is not None:
            for split in table.splits:
                split.silent = self._silent(self._reported)
        return table

    def _silent(self, reported: Mapping[str, Collection[date]]) -> Bools:
        """Authorities and columns of which everybody is told that nothing was reported: they are nothing in every world."""
        told = [reported.get(code, ()) for code in AREAS]
        return np.array([[not any(month in own for month in months) for months in self._columns] for own in told])

    def _plain(self, cells: Mapping[CellKey, int]) -> Table:
        """The table as if nothing had been released before."""
        total = self._values(cells, self._family.totals[:1])
        splits = [Split(total, np.ones((1, 1), np.bool_))]
        for dimension in self._family.dimensions:
            values = self._values(cells, [Form(dimension.measure, (c,)) for c in dimension.categories])
            forms = np.array([[c in f.categories for c in dimension.categories] for f in dimension.forms])
            if not dimension.exhaustive:
                values, forms = _with_rest(values, forms, total)
            splits.append(Split(values, forms, rest=not dimension.exhaustive, national_only=dimension.national_only))
        within = None if self._family.within is None else self._margins(cells, self._family.within)
        return Table(splits, self._complete, self._family.small, self._family.step, within)

    def _values(self, cells: Mapping[CellKey, int], forms: Sequence[Form]) -> Ints:
        values = np.zeros((len(AREAS), len(self._columns), len(forms)), np.int64)
        for index, form in enumerate(forms):
            for at, months in enumerate(self._columns):
                for month, category, (area, place) in product(months, form.categories, _PLACE.items()):
                    values[place, at, index] += cells.get(CellKey(form.measure, category, month, area), 0)
        return values

    def _margins(self, cells: Mapping[CellKey, int], form: Form) -> Ints:
        values = self._values(cells, [form])
        margins: Ints = Split(values, np.ones((1, 1), np.bool_)).sums(values)[0]
        return margins

    def _remember(self, splits: list[Split], earlier: Earlier) -> None:
        """What an earlier release hid stays hidden; what it told is known."""
        told_months = [months[-1] <= earlier.last_month for months in self._columns]
        told_year = self._complete and all(told_months)
        told = np.array([*told_months, told_year])
        for number in small_numbers(self._plain(earlier.cells)):
            if told[number.month]:
                splits[number.split].once_small[number.form, number.area, number.month] = True
        for forms, split in zip(self._named(), splits, strict=True):
            for index, names in enumerate(forms):
                if not names or (names[0].measure, names[0].grouping) not in earlier.forms:
                    continue
                hidden = self._hidden_then(earlier, names[0])
                split.hidden[index] |= hidden
                split.known[index] |= told[None, :] & ~hidden & (not split.national_only or _only_scotland())

    def _hidden_then(self, earlier: Earlier, form: Form) -> Bools:
        found = np.zeros((len(AREAS) + 1, len(self._columns) + 1), np.bool_)
        for area, code in enumerate((*AREAS, SCOTLAND)):
            for at, period in enumerate(self._periods):
                found[area, at] = NumberKey(form.measure, form.grouping, period, code) in earlier.hidden
        return found


def _only_scotland() -> Bools:
    mask = np.zeros((len(AREAS) + 1, 1), np.bool_)
    mask[-1] = True
    return mask


def _with_rest(values: Ints, forms: Bools, total: Ints) -> tuple[Ints, Bools]:
    """What the categories leave of the total, as one more category; and its own sum, which is never published."""
    rest = np.maximum(total - values.sum(axis=2, keepdims=True), 0)
    wide = np.concatenate([forms, np.zeros((len(forms), 1), np.bool_)], axis=1)
    own = np.zeros((1, wide.shape[1]), np.bool_)
    own[0, -1] = True
    count = values.shape[2]
    return np.concatenate([values, rest], axis=2), np.concatenate([wide[:count], own, wide[count:]])
