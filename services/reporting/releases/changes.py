"""The changes of a release from the previous one: cells by cause, and figures changed by a new definition. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from contracts.periods import last_day, month_of
from services.reporting.disclosure.rounding import CellKey, Cells
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS, definition
from services.reporting.registry.indicators import Form
from services.reporting.statistics.causes import Cause, Change, Move, Step, moves


@dataclass(frozen=True, slots=True)
class Before:
    """The previous release's cells, exact or rounded."""

    last_month: date
    cells: Cells
    versions: Mapping[str, int]
    """The definitions in force then."""


def changes(before: Before, cells: Cells) -> Iterator[Change]:
    """Yield all changes in months that were released before. New months are not changes.

    A cell that changed for two reasons has two rows, the second of which begins where the first ends.
    """
    for key, parts in _moved(before, cells):
        at = before.cells.get(key, 0)
        for move in parts:
            yield Change(*key, at, at + move.by, move.cause)
            at += move.by
    yield from _redefined_before(before, cells)


def public_changes(before: Before, cells: Cells) -> Iterator[Change]:
    """Yield the changes of published cells. Each has one row, for its main reason, so that only published numbers are shown."""
    for key, parts in _moved(before, cells):
        main = max(parts, key=lambda move: abs(move.by))
        yield Change(*key, before.cells.get(key, 0), cells.get(key, 0), main.cause)
    yield from _redefined_before(before, cells)


def of_scotland(cells: Cells) -> dict[CellKey, int]:
    """Return the sums over all authorities."""
    found: Counter[CellKey] = Counter()
    for key, value in cells.items():
        found[key._replace(authority=SCOTLAND)] += value
    return dict(found)


def _moved(before: Before, cells: Cells) -> Iterator[tuple[CellKey, list[Move]]]:
    """Yield each cell that changed, with the parts of its change by reason."""
    over = last_day(before.last_month)
    keys = before.cells.keys() | {key for key in cells if key.period <= over}
    differences = ((key, cells.get(key, 0) - before.cells.get(key, 0)) for key in sorted(keys))
    steps = (Step(k.measure, k.authority, k.period, k.category, over, by) for k, by in differences if by)
    by_cell: dict[CellKey, list[Move]] = {}
    for move in moves(steps, over):
        by_cell.setdefault(CellKey(move.measure, move.category, move.period, move.authority), []).append(move)
    return iter(sorted(by_cell.items()))


def _redefined_before(before: Before, cells: Cells) -> Iterator[Change]:
    return redefined(before.versions, {key: value for key, value in cells.items() if key.period <= before.last_month})


def redefined(versions: Mapping[str, int], cells: Cells) -> Iterator[Change]:
    """Yield each figure of an indicator whose definition changed, by the old version and by the new one, from the same cells."""
    by_month: dict[tuple[date, str], Counter[tuple[str, str]]] = {}
    for key, value in cells.items():
        by_month.setdefault((month_of(key.period), key.authority), Counter())[key.measure, key.category] += value
    for indicator in INDICATORS.values():
        version = versions.get(indicator.id, indicator.version)
        if version == indicator.version:
            continue
        old = definition(indicator.id, version)
        for part in ("numerator", "denominator"):
            was, now = getattr(old, part), getattr(indicator, part)
            if was != now:
                for month, authority in sorted(by_month):
                    sums = [_sum(form, by_month[month, authority]) for form in (was, now)]
                    if sums[0] != sums[1]:
                        how = f"{part}/{version}/{indicator.version}"
                        yield Change(indicator.id, how, month, authority, sums[0], sums[1], Cause.DEFINITION)


def _sum(form: Form | None, cells: Counter[tuple[str, str]]) -> int:
    return 0 if form is None else sum(cells[form.measure, category] for category in form.categories)
