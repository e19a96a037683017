"""Puts together what was read, and asks of each number that must be hidden whether it can be worked out."""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from random import Random
from typing import Any

from services.reporting.disclosure.linked_tables import PUBLIC_FORMS
from services.reporting.figures.answers import parts_of
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form, Indicator, Kind
from tests.support.attacker import rules
from tests.support.attacker.fetching import breakdowns
from tests.support.attacker.program import Cell, Program, Target, Weights
from tests.support.attacker.reading import Reading, World, counted, limits

SMALL = 4
SAMPLE = 200
"""Of some 13,000 small numbers: each takes a tenth of a second."""
SMALL_MINUTES, STEP_OF_MINUTES = 4 * 600, 600
"""Minutes that four sessions can hold."""


LOOKED_AT = 40
"""Sums, of those that a channel tells."""


def _key(reading: Reading) -> tuple[object, ...]:
    return (*reading[:-1], *sorted(reading.numbers.items()))


class Attacker:
    """Knows the rules, and what is read to them."""

    def __init__(self, world: World, releases: int, truth: Callable[[Cell], int]) -> None:
        self.world, self.releases = world, releases
        self.program = Program(truth)
        self._read: set[tuple[object, ...]] = set()
        places = product(range(releases), world.months, self._authorities())
        rules.apply(self.program, places)

    def reads(self, readings: Iterable[Reading]) -> None:
        """Everything once, however often it is told."""
        for reading in readings:
            if not self._has_read(reading):
                self._read.add(_key(reading))
                for weights, lowest, highest in limits(reading, self.world):
                    self.program.says(weights, lowest, highest)

    def _has_read(self, reading: Reading) -> bool:
        return _key(reading) in self._read

    def moved(self, changes: Iterable[tuple[int, Any]]) -> None:
        """What is told of a change; and what is not listed has not changed, whatever it is."""
        listed: set[Cell] = set()
        for release, change in changes:
            at = (change["measure"], change["category"], change["period"][:7], change["authority"])
            for which, number in ((release - 1, change["before"]), (release, change["after"])):
                cell = Cell(which, *at)
                listed.add(cell)
                if number is not None and at[-1] in self.world.areas:
                    self.program.says({cell: 1}, number, number)
        public = {(form.measure, form.grouping) for form, national in PUBLIC_FORMS.items() if not national}
        for release, month, area in product(range(1, self.releases), self.world.months, self._authorities()):
            for name in public.intersection(rules.CELLS):
                cell = Cell(release, *name, month, area)
                if cell not in listed:
                    self.program.says({cell: 1, cell._replace(release=release - 1): -1}, 0, 0)

    def knows(self, area: str) -> None:
        """An authority knows its own cells of every release."""
        for release, month, name in product(range(self.releases), self.world.months, rules.CELLS):
            cell = Cell(release, *name, month, area)
            is_now = self.program.truth(cell)
            self.program.says({cell: 1}, is_now, is_now)

    def recovers_any(self, indicators: Iterable[Indicator]) -> bool:
        """Whether anything small at all can be worked out."""
        targets = {target.name: target for each in indicators for target in self.targets(each, None)}
        return bool(self.program.recovered(targets.values(), one_is_enough=True))

    def pins(self, readings: Iterable[Reading]) -> bool:
        """Whether these readings leave one value for a sum that had several before."""
        new = [each for each in readings if not self._has_read(each)]
        sums = [Target(f"{n}", weights) for n, each in enumerate(new) for weights in counted(each, self.world)]
        return self.program.pinned(sums[::-1][:LOOKED_AT], lambda: self.reads(new))

    def recovered(self, indicators: Iterable[Indicator], without: str | None = None) -> list[str]:
        """What can be worked out of a sample of all that must not be."""
        targets = {target.name: target for each in indicators for target in self.targets(each, without)}
        some = Random(1).sample(sorted(targets.values()), min(SAMPLE, len(targets)))
        return [target.name for target in self.program.recovered(some)]

    def targets(self, indicator: Indicator, without: str | None) -> Iterator[Target]:
        """Every small number that the indicator could show by month or year, but the attacker's own.

        Health board areas and quarters are sums of those, and shown only with all of them: they are not protected by themselves.
        """
        areas = [area for area in (*self.world.authorities, SCOTLAND) if area != without]
        for breakdown, release in product(breakdowns(indicator), range(self.releases)):
            for part, area, months in product(parts_of(indicator, breakdown or None), areas, self.periods()):
                for words, form, less in _counts(part.numerator, part.denominator):
                    weights = self._sum(form, release, months, area)
                    for cell, weight in self._sum(less, release, months, area).items() if less else ():
                        weights[cell] = weights.get(cell, 0) - weight
                    yield from self._small(words, weights, (release, months, area))

    def periods(self) -> list[tuple[str, ...]]:
        """Each month, and the year."""
        return [*((month,) for month in self.world.months), self.world.months]

    def _small(self, words: str, weights: Weights, place: tuple[int, tuple[str, ...], str]) -> Iterator[Target]:
        minutes = words.startswith("minutes_credited")
        small, step = (SMALL_MINUTES, STEP_OF_MINUTES) if minutes else (SMALL, 1)
        if 0 < self.program.value(weights) <= small:
            release, months, area = place
            when = months[0] if len(months) == 1 else "year"
            yield Target(f"{words} {area} {when} release {release}", weights, step)

    def _sum(self, form: Form, release: int, months: tuple[str, ...], area: str) -> dict[Cell, float]:
        places = product(form.categories, months, self.world.areas[area])
        return {Cell(release, form.measure, category, month, one): 1.0 for category, month, one in places}

    def _authorities(self) -> list[str]:
        return sorted({one for areas in self.world.areas.values() for one in areas})


NOT_COUNTS = ("unpaid_work_minutes_imposed", "unpaid_work_days", "supervision_months_imposed", "minutes_outstanding")
"""Sums over orders: hidden wherever their orders are few, which `counts` of the orders see to."""


def _counts(numerator: Form, denominator: Form | None) -> Iterator[tuple[str, Form, Form | None]]:
    """What a figure counts, what it is of, and what it leaves: their names, and the sums they are made of."""
    for form in (numerator, denominator):
        if form is not None and _is_count(form):
            yield f"{form.measure}|{form.grouping}", form, None
    if denominator is not None and _is_part(numerator, denominator):
        name = f"{denominator.measure}|{denominator.grouping} less {numerator.measure}|{numerator.grouping}"
        yield name, denominator, numerator


def _is_count(form: Form) -> bool:
    return not form.measure.startswith(NOT_COUNTS) and not form.categories[0].startswith("sum=")


def _is_part(numerator: Form, denominator: Form) -> bool:
    """Whether what is left is a count of the same kind of thing."""
    if not (_is_count(numerator) and _is_count(denominator)):
        return False
    return numerator.measure in {denominator.measure, "requirements_imposed"}


def public_indicators() -> list[Indicator]:
    """Of which the public is told anything."""
    return [each for each in INDICATORS.values() if each.kind not in {Kind.OVERDUE, Kind.AGREEMENT}]
