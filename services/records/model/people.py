"""How people count, pure: once in a month and a year, however many orders they have, and as having an open order or none.

Two flows give the number with an open order: the stock on a date is their running difference, as for orders. Orders of one person that
follow each other without a day between them are one spell.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from contracts.periods import month_of
from services.records.model.deadlines import Cells, add

OPEN = date.max
_DAY = timedelta(days=1)
MOST_STAYS = 100
"""With more than so many stays at one authority, a pseudonym stands for no one person: it counts as nobody, and the rest is not read.

An event may be about another person each time, so that no event costs more than a few usual ones.
"""
MEASURES = ("persons_with_new_order", "persons_with_new_order_in_year", "persons_opened", "persons_closed")


class Stay(NamedTuple):
    """One order of a person, from the day on which the authority received it."""

    person: str
    begun: date
    ended: date
    """`OPEN` while the order is open."""
    is_new: bool
    """Whether it was imposed here, and not transferred in."""


Stays = Counter[Stay]
"""How many orders share each stay: a person may have two orders of the same days."""
Step = tuple[date, Stay, int]
"""The day on which a change to an order became known, and by how much the number of its stays changes."""


def count_people(stays: Iterable[Stay]) -> Cells:
    """Return the cells in which the person with these orders counts."""
    cells: Cells = {}
    found = sorted(set(stays), key=lambda stay: (stay.begun, stay.ended))
    if len(found) > MOST_STAYS:
        return cells
    months = {month_of(stay.begun) for stay in found if stay.is_new}
    for month in months:
        add(cells, "persons_with_new_order", month)
    for year in {year_of_april(month) for month in months}:
        add(cells, "persons_with_new_order_in_year", year)
    for begun, ended in _times(found):
        add(cells, "persons_opened", month_of(begun))
        if ended != OPEN:
            add(cells, "persons_closed", month_of(ended))
    return cells


def year_of_april(day: date) -> date:
    """Return the 1 April on which the reporting year of a day begins."""
    return date(day.year if day.month >= 4 else day.year - 1, 4, 1)


def _times(stays: Iterable[Stay]) -> Iterator[tuple[date, date]]:
    """Yield the spells in which a person had an open order. `stays` are in order; one that ended before it began is left out."""
    begun = ended = None
    for stay in stays:
        until = max(stay.begun, stay.ended)
        if begun is None or ended is None:
            begun, ended = stay.begun, until
        elif ended == OPEN or stay.begun <= ended + _DAY:
            ended = max(ended, until)
        else:
            yield begun, ended
            begun, ended = stay.begun, until
    if begun is not None and ended is not None:
        yield begun, ended


def steps_of(day: date, was: Stay | None, now: Stay | None) -> list[Step]:
    """Return how a change of one order changes the stays of its person."""
    if was == now:
        return []
    return [(day, stay, step) for stay, step in ((was, -1), (now, 1)) if stay is not None]


class People(NamedTuple):
    """The changes about people of one authority: cells by the day on which they became known, and the stays afterwards."""

    cells: dict[date, Cells]
    orders: Stays


def plan(known: Mapping[str, Stays], steps: Iterable[Step]) -> People:
    """Plan the changes of these steps. `known` has the stays of everybody concerned, and is not changed.

    Of whoever has more than `MOST_STAYS` whatever the steps do, it has so many, and those that the steps change.
    """
    after = {person: Stays(stays) for person, stays in known.items()}
    cells: dict[date, Cells] = {}
    changed: set[Stay] = set()
    for day, person, same in _by_day_and_person(steps):
        stays = after.setdefault(person, Stays())
        before = count_people(+stays)
        for stay, step in same:
            stays[stay] += step
            changed.add(stay)
        _add_difference(cells.setdefault(day, {}), before, count_people(+stays))
    return People(cells, Stays({stay: after[stay.person][stay] for stay in changed}))


def _by_day_and_person(steps: Iterable[Step]) -> Iterator[tuple[date, str, list[tuple[Stay, int]]]]:
    groups: dict[tuple[date, str], list[tuple[Stay, int]]] = {}
    for day, stay, step in steps:
        groups.setdefault((day, stay.person), []).append((stay, step))
    for day, person in sorted(groups):
        yield day, person, groups[day, person]


def _add_difference(cells: Cells, before: Cells, after: Cells) -> None:
    for key in before.keys() | after.keys():
        if change := after.get(key, 0) - before.get(key, 0):
            cells[key] = cells.get(key, 0) + change
