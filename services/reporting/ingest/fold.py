"""The changes of a batch of aggregates, pure: folded so that neither order nor repeats matter, and planned by what is shown now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.cells import Aggregate, Cell, Position


class Origin(NamedTuple):
    """One service's rows about one authority."""

    service: str
    authority: str


@dataclass(slots=True)
class Folded:
    """A batch with only its latest rows. Their order makes no difference."""

    rows: dict[tuple[object, ...], Cell] = field(default_factory=dict)
    positions: dict[Origin, Position] = field(default_factory=dict)


def fold(aggregates: Iterable[Aggregate]) -> Folded:
    """Keep the greatest version of each row, and the greatest position of each shard."""
    folded = Folded()
    for aggregate in aggregates:
        match aggregate:
            case Cell():
                key = _place_of(aggregate)
                held = folded.rows.get(key)
                if held is None or held.version <= aggregate.version:
                    folded.rows[key] = aggregate
            case Position():
                shard = Origin(aggregate.service, aggregate.authority)
                last = folded.positions.get(shard)
                if last is None or _rank(last) <= _rank(aggregate):
                    folded.positions[shard] = aggregate
    return folded


def _place_of(row: Cell) -> tuple[object, ...]:
    """Return what tells a row from others, which takes a tenth of the time of its written key."""
    return row.service, row.authority, row.generation, row.measure, row.period, row.category, row.known_on


def _rank(position: Position) -> tuple[int, int]:
    return position.generation, position.version


class Plan(NamedTuple):
    """The writes of a batch, in this order."""

    rows: list[Cell]
    """The rows to keep: those of older generations do not count."""
    swaps: Mapping[Origin, int]
    """The shards of which another generation is shown from now on, in order."""
    shown: list[Cell]
    """The latest of these rows of each cell that is shown and not swapped."""
    positions: list[Position]


def plan(folded: Folded, before: Mapping[Origin, int]) -> Plan:
    """Plan the writes of a batch. `before` has the generation of each shard that is shown now; the positions may name newer ones."""
    named = {shard: position.generation for shard, position in folded.positions.items()}
    after = {**before, **{shard: number for shard, number in named.items() if number > before.get(shard, 0)}}
    rows = [row for row in folded.rows.values() if row.generation >= after.get(_origin(row), 0)]
    swaps = {shard: after[shard] for shard in sorted(after) if after[shard] != before.get(shard)}
    shown = [row for row in rows if before.get(_origin(row)) == after.get(_origin(row)) == row.generation]
    return Plan(rows, swaps, _latest(shown), list(folded.positions.values()))


def _origin(row: Cell) -> Origin:
    return Origin(row.service, row.authority)


def _latest(rows: Iterable[Cell]) -> list[Cell]:
    latest: dict[tuple[object, ...], Cell] = {}
    for row in rows:
        key = (row.measure, row.authority, row.period, row.category, row.service)
        held = latest.get(key)
        if held is None or held.known_on < row.known_on:
            latest[key] = row
    return list(latest.values())
