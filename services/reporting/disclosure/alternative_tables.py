"""Which numbers to hide, and why that is enough.

A small number is safe when there is another world: whole tables, consistent with every published number, in which that
number is different. So for each small number we look for the cheapest such world, and hide exactly the numbers that
differ in it. A world goes around a box: one step down here, up in another authority, up in another month, up in another
category, so that the sums stay. Hiding more never makes a world impossible, so the order of the search does not matter.

An authority knows its own figures. So a number needs worlds that have no other authority in common.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

ALL = -1
"""Index of the last place of an axis: Scotland, or the year."""
EVERYBODY = 2**62 - 1
PLACES_TRIED = 4
COST_OF_ZERO = 5.0


@dataclass(slots=True)
class Split:
    """A way to split a total, as arrays. The total itself is a split into one category."""

    values: Ints
    """Authorities x months x categories."""
    forms: Bools
    """Forms x categories: what each sum is made of. The first forms are the single categories."""
    rest: bool = False
    """Whether the last category is what the others leave of the total: never published, but a number like the others."""
    national_only: bool = False
    hidden: Bools = field(init=False)
    """Forms x (authorities, Scotland) x (months, year)."""
    known: Bools = field(init=False)
    """What earlier releases have told, same shape."""
    once_small: Bools = field(init=False)
    """What was small in an earlier release, same shape: it could be worked out from this one as well."""
    common: Ints = field(init=False)
    """The authorities, as bits, without which no world found so far differs here; EVERYBODY before the first world."""
    silent: Bools | None = field(init=False, default=None)
    """Authorities x months of which nothing was reported, as everybody is told; None where all were."""
    _costs: tuple[Floats, Floats] | None = field(init=False, default=None)
    _knows: bool | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        authorities, months, _ = self.values.shape
        shape = (len(self.forms), authorities + 1, months + 1)
        self.hidden = np.zeros(shape, np.bool_)
        self.hidden[:, :-1] = self.national_only
        self.known = np.zeros(shape, np.bool_)
        self.once_small = np.zeros(shape, np.bool_)
        self.common = np.full(shape, EVERYBODY, np.int64)

    @property
    def knows(self) -> bool:
        """Whether earlier releases have told anything."""
        if self._knows is None:
            self._knows = bool(self.known.any())
        return self._knows

    def hide(self, place: tuple[Ints, ...]) -> None:
        """Hide sums, given as forms, areas and months."""
        self.hidden[place] = True
        if self._costs is None:
            return
        forms, areas, months = (np.ravel(axis) for axis in place)
        atoms = np.ix_(areas[areas >= 0], months[months >= 0], forms[forms < self.values.shape[2]])
        for costs in self._costs:
            costs[atoms] = np.where(np.isfinite(costs[atoms]), 0.0, np.inf)

    def sums(self, values: Ints) -> Ints:
        """Every form at every place, margins included."""
        forms = np.einsum("amc,fc->fam", values, self.forms.astype(np.int64))
        wide = np.concatenate([forms, forms.sum(axis=1, keepdims=True)], axis=1)
        return np.concatenate([wide, wide.sum(axis=2, keepdims=True)], axis=2)

    def costs(self, step: int) -> tuple[Floats, Floats]:
        """What it costs to have each value a step lower, or higher. Worked out once; `hide` keeps it right."""
        if self._costs is None:
            self._costs = self._work_out_costs(step)
        return self._costs

    def _work_out_costs(self, step: int) -> tuple[Floats, Floats]:
        count = self.values.shape[2]
        singles = np.moveaxis(self.hidden[:count, :-1, :-1], 0, 2)
        free = singles.copy()
        if self.rest:
            free[:, :, -1] = True
        shown = np.where(self.values == 0, COST_OF_ZERO, 1 + np.log10(1 + np.abs(self.values)))
        higher: Floats = np.where(free, 0.0, shown)
        higher[np.moveaxis(self.known[:count, :-1, :-1], 0, 2)] = np.inf
        if self.silent is not None:
            higher[self.silent & (self.values == 0).all(axis=2)] = np.inf
        lower: Floats = np.where(self.values >= step, higher, np.inf)
        return lower, higher


@dataclass(slots=True)
class Table:
    """One family in one year: the total first, then the ways to split it."""

    splits: list[Split]
    complete: bool
    """Whether the sums over the year are published."""
    small: int
    step: int
    within: Ints | None = None
    """A larger total with margins; the difference from it is a count too."""


class Number(NamedTuple):
    """A place in a table. Split 0 is the total; the area or the month may be ALL."""

    split: int
    form: int
    area: int
    month: int


class World(NamedTuple):
    """A box: it begins one step lower or higher (`sign`) at (area, month) and turns at the others, where it has them."""

    cost: float
    sign: int
    area: int
    month: int
    other_area: int | None
    other_month: int | None
    categories: tuple[tuple[int, int, int], ...]
    """Split, category, and 1 or -1: whether it goes with or against the sign."""

    @property
    def authorities(self) -> int:
        """As bits."""
        return 1 << self.area | (0 if self.other_area is None else 1 << self.other_area)


def protect(table: Table) -> list[Number]:
    """Hide what has to be hidden. Answers the numbers that have no world left, because of what is known already."""
    failed = []
    for number in list(small_numbers(table)):
        place = number.form, number.area, number.month
        while needed := int(table.splits[number.split].common[place]):
            world = _cheapest(table, number, 0 if needed == EVERYBODY else needed)
            if world is None:
                if not _is_their_own(table.splits[number.split], number, needed):
                    failed.append(number)
                break
            _apply(table, world)
    return failed


def _is_their_own(split: Split, number: Number, authorities: int) -> bool:
    """Whether nobody but these authorities, as bits, reported anything of it: then they are told only what they know."""
    if split.silent is None or authorities == EVERYBODY:
        return False
    others = [area for area in range(len(split.silent)) if not authorities >> area & 1]
    months = slice(None) if number.month == ALL else number.month
    return bool(split.silent[others][:, months].all())


def small_numbers(table: Table) -> Iterator[Number]:
    """All that nobody may work out: small sums, and small differences from a larger total."""
    for index, split in enumerate(table.splits):
        sums = split.sums(split.values)
        mask = split.once_small | ((sums != 0) & (np.abs(sums) <= table.small))
        if index == 0 and table.within is not None:
            left = table.within - sums[0]
            mask[0] |= (left > 0) & (left <= table.small)
        mask[:, :-1] &= not split.national_only
        mask[:, :, -1] &= table.complete
        for form, area, month in np.argwhere(mask):
            yield Number(index, int(form), _or_all(area, mask.shape[1]), _or_all(month, mask.shape[2]))


def _or_all(index: np.int64, size: int) -> int:
    return ALL if index == size - 1 else int(index)


def _cheapest(table: Table, number: Number, avoided: int) -> World | None:
    """First a world that leaves all margins alone, then one that changes the year's, then Scotland's, then the total."""
    turns_area, turns_month = number.area != ALL, number.month != ALL and table.complete
    turns = dict.fromkeys(product((turns_area, False), (turns_month, False)))
    searches = (_total_worlds,) if number.split == 0 else (_category_worlds, _total_worlds)
    for search in searches:
        for turn in turns:
            found = [
                world
                for area, month in _starts(table, number, avoided)
                for world in search(table, number, area, month, avoided, turn)
            ]
            for world in sorted(found, key=lambda each: each.cost):
                if not _contradicts(table, world):
                    return world
    return None


def _starts(table: Table, number: Number, avoided: int) -> list[tuple[int, int]]:
    """Where a box may begin: at the number itself, or at the largest values that it sums."""
    split = table.splits[number.split]
    values = split.values[:, :, split.forms[number.form]].sum(axis=2)
    areas = range(values.shape[0]) if number.area == ALL else (number.area,)
    months = range(values.shape[1]) if number.month == ALL else (number.month,)
    places = [(a, m) for a, m in product(areas, months) if number.area != ALL or not avoided >> a & 1]
    return sorted(places, key=lambda place: -values[place])[:PLACES_TRIED]


def _box(lower: Floats, higher: Floats, area: int, month: int, turn: tuple[bool, bool]) -> Floats:
    """The cost of boxes that begin with a step down at (area, month), by other area and other month (1 where none)."""
    match turn:
        case True, True:
            return lower[area, month] + lower + higher[:, month, None] + higher[None, area]  # type: ignore[no-any-return]
        case True, False:
            return lower[area, month] + higher[:, month, None]  # type: ignore[no-any-return]
        case False, True:
            return lower[area, month] + higher[None, area]  # type: ignore[no-any-return]
        case False, False:
            return lower[None, None, area, month]
        case _:
            raise AssertionError(turn)


def _category_worlds(
    table: Table,
    number: Number,
    area: int,
    month: int,
    avoided: int,
    turn: tuple[bool, bool],
) -> Iterator[World]:
    """Between a category of the number and one outside it; the total stays."""
    split = table.splits[number.split]
    inside = split.forms[number.form]
    if inside.all():
        return
    lower, higher = split.costs(table.step)
    for sign, start, opposite in ((-1, lower, higher), (1, higher, lower)):
        going = _box(start, opposite, area, month, turn)
        against = _box(opposite, start, area, month, turn)
        going, against = np.where(inside, going, np.inf), np.where(inside, np.inf, against)
        cost = going.min(axis=2) + against.min(axis=2)
        place = _best(cost, area, month, avoided, turn)
        if place is not None:
            pair = (int(going[place].argmin()), 1), (int(against[place].argmin()), -1)
            yield _world(cost, sign, area, month, place, turn, tuple((number.split, c, side) for c, side in pair))


def _total_worlds(
    table: Table,
    number: Number,
    area: int,
    month: int,
    avoided: int,
    turn: tuple[bool, bool],
) -> Iterator[World]:
    """The total changes, and one category of every split with it."""
    costs = [split.costs(table.step) for split in table.splits]
    for sign in (-1, 1):
        boxes = []
        for index, (lower, higher) in enumerate(costs):
            box = _box(*((lower, higher) if sign < 0 else (higher, lower)), area, month, turn)
            pinned = table.splits[index].forms[number.form] if index == number.split else None
            boxes.append(box if pinned is None else np.where(pinned, box, np.inf))
        cost = np.sum([box.min(axis=2) for box in boxes], axis=0)
        place = _best(cost, area, month, avoided, turn)
        if place is not None:
            chosen = tuple((index, int(box[place].argmin()), 1) for index, box in enumerate(boxes))
            yield _world(cost, sign, area, month, place, turn, chosen)


def _best(cost: Floats, area: int, month: int, avoided: int, turn: tuple[bool, bool]) -> tuple[int, int] | None:
    """Where the cheapest box turns; None where there is none."""
    cost = cost.copy()
    if turn[0]:
        cost[[a for a in range(cost.shape[0]) if a == area or avoided >> a & 1]] = np.inf
    if turn[1]:
        cost[:, month] = np.inf
    place = np.unravel_index(cost.argmin(), cost.shape)
    return (int(place[0]), int(place[1])) if np.isfinite(cost[place]) else None


def _world(  # noqa: PLR0913, PLR0917
    cost: Floats,
    sign: int,
    area: int,
    month: int,
    place: tuple[int, int],
    turn: tuple[bool, bool],
    categories: tuple[tuple[int, int, int], ...],
) -> World:
    other_area, other_month = (index if turns else None for index, turns in zip(place, turn, strict=True))
    return World(float(cost[place]), sign, area, month, other_area, other_month, categories)


def _places(table: Table, world: World) -> Iterator[tuple[Split, tuple[Ints, ...]]]:
    """Where published sums differ in this world, by split: forms, areas and months to index with."""
    areas = [world.area, ALL if world.other_area is None else world.other_area]
    months = [world.month, ALL if world.other_month is None else world.other_month]
    by_split: dict[int, Ints] = {}
    for index, category, side in world.categories:
        forms = table.splits[index].forms[:, category] * np.int64(side)
        by_split[index] = by_split.get(index, 0) + forms
    for index, forms in by_split.items():
        yield table.splits[index], np.ix_(np.flatnonzero(forms), np.array(areas), np.array(months))


def _contradicts(table: Table, world: World) -> bool:
    """Whether an earlier release has told what this world changes."""
    if not any(split.knows for split in table.splits):
        return False
    return any(bool(split.known[place].any()) for split, place in _places(table, world))


def _apply(table: Table, world: World) -> None:
    for split, place in _places(table, world):
        own = np.array([1 << world.area, 0 if world.other_area is None else 1 << world.other_area])
        split.common[place] &= (world.authorities & ~own)[None, :, None]
        split.hide(place)
