"""Rounds the cells of a release for the public: multiples of a step that still add up. Pure.

Each authority's cell of a month becomes one of the two multiples around it, by a draw that depends on a secret key; a multiple stays
unchanged. Categories add up to their total, parts never exceed the whole, and all sums over months, areas and categories are sums of
published cells. So the published figures are themselves a possible truth without small numbers, which nobody can rule out by adding,
subtracting or comparing any number of releases. The next cells of the same category make up for one that was published too high or too low,
so that years and Scotland stay near the truth.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import shake_256
from typing import NamedTuple

from contracts.authorities import AUTHORITIES
from contracts.periods import month_of, months_between, year_months, year_of
from services.reporting.disclosure.linked_tables import TABLES, CellName, Table, cells_in

AREAS = tuple(AUTHORITIES)
LEAST_CHANCE = 0.05
"""Each of the two multiples around a cell has at least this chance, however large the errors to be made up for are. So neither of them is
ever certain.
"""


class CellKey(NamedTuple):
    """One cell of a release."""

    measure: str
    category: str
    period: date
    authority: str


Cells = Mapping[CellKey, int]
Place = tuple[str, date]
"""Authority, and the period under which a cell counts."""
Values = Mapping[CellName, int]
ByPlace = Mapping[Place, Values]
Told = Callable[[int, int, str], object]
"""Called with how many parts of how many are done, and the name of the next."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The cells of the previous release, exact and as published."""

    cells: Cells = field(default_factory=dict)
    published: Cells = field(default_factory=dict)
    public: Collection[CellName] = frozenset()
    """The cells that were public then."""


NOTHING_EARLIER = Earlier()


def untold(_done: int, _of: int, _words: str) -> None:
    """Do nothing with the progress."""


def rounded(
    cells: Cells, last_month: date, key: bytes, earlier: Earlier = NOTHING_EARLIER, told: Told = untold
) -> dict[CellKey, int]:
    """Return the public cells, zeros left out. A cell that has not changed since the earlier release is published as it was."""
    first = min((month_of(each.period) for each in cells), default=last_month)
    months = months_between(first, last_month)
    truth, then, published = (_by_place(each) for each in (cells, earlier.cells, earlier.published))
    public = set(earlier.public)
    found: dict[Place, dict[CellName, int]] = defaultdict(dict)
    for done, table in enumerate(TABLES):
        told(done, len(TABLES), table.name)
        # Otherwise a new cell would be taken for a zero.
        before = published if public.issuperset(table.cells) else _NEVER
        _Rounding(table, truth, then, before, found, key).all(months)
    return {
        CellKey(*name, month, area): value
        for (area, month), values in found.items()
        for name, value in values.items()
        if value
    }


def _by_place(cells: Cells) -> ByPlace:
    found: dict[Place, dict[CellName, int]] = defaultdict(dict)
    for each, value in cells.items():
        found[each.authority, each.period][each.measure, each.category] = value
    return found


_NOWHERE: Values = {}
_NEVER: ByPlace = {}


class _Rounding:
    """Rounds one table over all months and authorities."""

    def __init__(
        self,
        table: Table,
        truth: ByPlace,
        then: ByPlace,
        published: ByPlace,
        found: dict[Place, dict[CellName, int]],
        key: bytes,
    ) -> None:
        self._table, self._truth, self._then, self._published = table, truth, then, published
        self._found, self._key = found, key
        self._sum, self._cells = cells_in(table.totals[0]), table.cells
        self._splits = [split.cells for split in table.splits]
        self._width = 1 + sum(len(split.categories) + 1 for split in table.splits)
        self._of_area = {area: [0] * self._width for area in AREAS}
        """By authority and slot, the sum of true values less the sum of published ones so far."""
        self._of_all = [0] * self._width

    def all(self, months: Iterable[date]) -> None:
        there = self._truth.keys() | self._published.keys()
        places = [
            place for month in self._periods(months) for area in self._order(month) if (place := (area, month)) in there
        ]
        kept = {place for place in places if self._is_unchanged(place)}
        # Kept cells first: only the cells that are drawn anew can make up for their errors.
        for place in places:
            if place in kept:
                self._publish(place, self._slots(self._published.get(place, _NOWHERE)))
        for place in places:
            if place not in kept:
                self._publish(place, self._round(place))

    def _periods(self, months: Iterable[date]) -> list[date]:
        """Return the periods of its cells: months, or the first months of whole years."""
        if not self._table.yearly:
            return list(months)
        there = set(months)
        years = {year_months(year_of(month)) for month in there}
        return sorted(year[0] for year in years if there.issuperset(year))

    def _order(self, month: date) -> list[str]:
        """Return the authorities in an order drawn for each period: in a known order, an authority could infer something about the cells
        that its own made up for.
        """
        draws = _draws(self._key, f"{self._table.name}|{month}", len(AREAS))
        return [area for _, area in sorted(zip(draws, AREAS, strict=True))]

    def _is_unchanged(self, place: Place) -> bool:
        """Return whether the earlier release had the same cells here, and published the same around them."""
        if not self._published:
            return False
        now, then = self._truth.get(place, _NOWHERE), self._then.get(place, _NOWHERE)
        return all(now.get(name, 0) == then.get(name, 0) for name in self._cells) and all(
            self._found[around].get(name, 0) == self._published.get(around, _NOWHERE).get(name, 0)
            for around, name in self._around(place)
        )

    def _around(self, place: Place) -> Iterator[tuple[Place, CellName]]:
        """Yield the published cells on which those here depend."""
        yield from self._larger(place)
        if self._table.none_without:
            yield from ((place, name) for name in cells_in(self._table.none_without))
        for split in self._table.splits:
            if split.counted:
                yield from ((place, (split.counted, category)) for category in split.categories)

    def _larger(self, place: Place) -> Iterator[tuple[Place, CellName]]:
        """Yield the published cells of the larger total, over the whole year if the table is yearly."""
        if self._table.within:
            area, month = place
            for each in year_months(year_of(month)) if self._table.yearly else (month,):
                yield from (((area, each), name) for name in cells_in(self._table.within))

    def _slots(self, values: Values) -> list[int]:
        """Return the total, and for each split its categories and the remainder of the total."""
        total = sum(values.get(name, 0) for name in self._sum)
        found = [total]
        for split in self._splits:
            own = [values.get(name, 0) for name in split]
            found += [*own, total - sum(own)]
        return found

    def _publish(self, place: Place, shown: Sequence[int]) -> None:
        area_wrong, all_wrong = self._of_area[place[0]], self._of_all
        for slot, (value, public) in enumerate(zip(self._slots(self._truth.get(place, _NOWHERE)), shown, strict=True)):
            area_wrong[slot] += value - public
            all_wrong[slot] += value - public
        into = self._found[place]
        into.update(dict.fromkeys(self._table.total_cells, shown[0]))
        at = 1
        for split in self._splits:
            into.update(zip(split, shown[at:], strict=False))
            at += len(split) + 1

    def _round(self, place: Place) -> list[int]:
        values = self._slots(self._truth.get(place, _NOWHERE))
        if not any(values):
            return values
        draws = _draws(self._key, f"{self._table.name}|{place[0]}|{place[1]}", self._width)
        own, whole = self._of_area[place[0]], self._of_all
        if self._table.none_without:
            return self._round_sums(place, [value + by for value, by in zip(values, own, strict=True)], draws)
        # Both Scotland and the authority are to stay near the truth, and Scotland counts for more.
        wrong = [by_all + by_area / 2 for by_area, by_all in zip(own, whole, strict=True)]
        total = self._round_total(place, values[0], wrong[0], draws[0])
        shown, at = [total], 1
        for split in self._table.splits:
            slots = range(at, at + len(split.categories) + 1)
            by = whole if split.national_only else wrong
            step = self._table.step
            shown += divided(total, [Part(values[s], by[s], draws[s], *_around(values[s], step)) for s in slots], step)
            at = slots.stop
        return shown

    def _round_total(self, place: Place, value: int, wrong: float, draw: float) -> int:
        step = self._table.step
        low, high = _around(value, step)
        if low == high:
            return low
        # A part that was published larger than its whole could not be true.
        if self._table.within and high > sum(self._found[at].get(name, 0) for at, name in self._larger(place)):
            return low
        # Without earlier errors this chance makes the mean of the draws the value itself, so that sums are unbiased.
        chance = (value - low + wrong) / step
        return high if draw < min(max(chance, LEAST_CHANCE), 1 - LEAST_CHANCE) else low

    def _round_sums(self, place: Place, values: list[int], draws: list[float]) -> list[int]:
        """Round sums over counted items, within what the published counts can hold. Earlier errors are made up for
        as far as that allows.
        """
        step, published = self._table.step, self._found[place]
        assert self._table.none_without is not None
        count = sum(published.get(name, 0) for name in cells_in(self._table.none_without))
        bounds = [
            [
                _held(published.get((split.counted or "", name), 0), each, step)
                for name, each in zip(split.categories, split.each, strict=True)
            ]
            for split in self._table.splits
        ]
        least, most = _held(count, self._table.each, step)
        if bounds:
            least, most = (sum(each[side] for each in bounds[0]) for side in (0, 1))
        low, high = _around(values[0], step)
        total = min(max(high if draws[0] < (values[0] - low) / step else low, least), most)
        shown, at = [total], 1
        for own in bounds:
            parts = [Part(values[at + n], 0, draws[at + n], *each) for n, each in enumerate(own)]
            shown += [*divided(total, parts, step), 0]
            at += len(own) + 1
        return shown


def _around(value: int, step: int) -> tuple[int, int]:
    """Return the multiples around the value; the value itself twice if it is one."""
    low = value // step * step
    return low, low if low == value else low + step


def _held(count: int, each: tuple[int, int], step: int) -> tuple[int, int]:
    """Return the least and the most multiple that so many items can hold."""
    return -(-count * each[0] // step) * step, count * each[1] // step * step


class Part(NamedTuple):
    """One category of a total that is divided."""

    value: int
    wrong: float
    """The sum of its true values less the sum of its published ones so far."""
    draw: float
    least: int
    most: int
    """Least and most that may be published of it, both multiples of the step."""


def divided(total: int, parts: Sequence[Part], step: int) -> list[int]:
    """Round the parts to multiples that add up to the total, near their values and within their bounds, which allow the total."""
    shown = [min(max(part.value // step * step, part.least), part.most) for part in parts]
    more = (total - sum(shown)) // step
    sign = 1 if more > 0 else -1

    def due(at: int) -> float:
        return sign * ((parts[at].value - shown[at] + parts[at].wrong) / step + parts[at].draw)

    # One step at a time, to the part that lacks most, earlier errors included; the draw decides between parts that lack about as much.
    for _ in range(abs(more)):
        free = [at for at, part in enumerate(parts) if part.least <= shown[at] + sign * step <= part.most]
        shown[max(free, key=due)] += sign * step
    return shown


def _draws(key: bytes, place: str, count: int) -> list[float]:
    """Return numbers from 0 to 1 that are always the same for this place, and that nobody can predict without the key."""
    drawn = shake_256(key + place.encode()).digest(2 * count)
    return [(256 * drawn[at] + drawn[at + 1] + 0.5) / 65536 for at in range(0, 2 * count, 2)]
