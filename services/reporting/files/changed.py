"""The published figures that a release changed, and the main reason for each."""

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from contracts.periods import last_day, month_of
from services.chassis import sheets
from services.reporting.files.tidy import KINDS, MEANINGS, NUMBER, Tidy
from services.reporting.read.queries import BEGINNING
from services.reporting.registry.areas import members
from services.reporting.registry.indicators import Form, Indicator, Kind
from services.reporting.releases.index import ReleaseInfo
from services.reporting.statistics.causes import Cause, Move

COVERAGE = "coverage"
"""No count changed, but the months or authorities of a rate did."""
REASONS = {
    Cause.LATE: "Came late",
    Cause.CORRECTED: "Corrected",
    Cause.WITHDRAWN: "Withdrawn",
    Cause.DEFINITION: "New definition",
    COVERAGE: "Other months or authorities count",
}
SHOWN = ("value", "numerator", "denominator", "mark")
KEY = ("area_code", "period_type", "period", "breakdown", "category_code")
_FIRST = ("indicator", "indicator_title", "unit", "area_code", "area", "area_type", "period_type", "period")
_KEPT = (*_FIRST, "breakdown", "category_code", "category")
COLUMNS = (
    "release",
    "release_before",
    *_KEPT,
    *(name for each in SHOWN for name in (f"{each}_before", each)),
    "reason",
)
_ORDER = {"country": 0, "authority": 1, "health board area": 2, "year": 0, "quarter": 1, "month": 2}
_key, _shown = attrgetter(*KEY), attrgetter(*SHOWN)
Key = tuple[str, ...]


class Was(NamedTuple):
    """A figure as it was published before."""

    value: float | None
    numerator: float | None
    denominator: float | None
    mark: str
    definition_version: int


Earlier = Callable[[Indicator], Mapping[Key, Was]]
"""The figures of one indicator in the release before."""


class Changed(NamedTuple):
    """A figure that was published before, and is different now."""

    before: Was
    now: Tidy
    reason: str

    def row(self, release_before: str) -> tuple[str | float | None, ...]:
        """Return its cells, in the order of the columns."""
        kept = (getattr(self.now, name) for name in _KEPT)
        pairs = (getattr(each, name) for name in SHOWN for each in (self.before, self.now))
        return self.now.release, release_before, *kept, *pairs, self.reason


def of_rows(rows: Iterable[Tidy]) -> Mapping[Key, Was]:
    """Read the earlier figures from rows that were made again."""
    return {_key(row): Was(*(getattr(row, name) for name in Was._fields)) for row in rows}


def changed(
    before: ReleaseInfo,
    earlier: Earlier,
    found: Iterable[tuple[Indicator, Sequence[Tidy]]],
    moves: Sequence[Move],
) -> list[Changed]:
    """Return all figures that changed, of periods that were over in the previous release.

    Whole figures come first, Scotland before its parts, years before months, the last before the first.
    """
    why, over = _Reasons(moves), last_day(before.last_month)
    moved = [
        Changed(was, row, _reason(why, indicator, was, row))
        for indicator, rows in found
        for was, row in _pairs(earlier(indicator), rows, over)
    ]
    return sorted(moved, key=lambda each: _place(each.now))


def _pairs(earlier: Mapping[Key, Was], rows: Iterable[Tidy], over: date) -> Iterator[tuple[Was, Tidy]]:
    for row in rows:
        was = earlier.get(_key(row)) if row.period_end <= over else None
        if was is not None and _shown(was) != _shown(row):
            yield was, row


def _place(row: Tidy) -> tuple[bool, int, int, int]:
    """Return a key that puts the last periods first; equal ones stay in the order of indicators."""
    return bool(row.breakdown), _ORDER[row.area_type], _ORDER[row.period_type], -row.period_start.toordinal()


def _reason(why: "_Reasons", indicator: Indicator, was: Was, row: Tidy) -> str:
    return Cause.DEFINITION if was.definition_version != row.definition_version else why.main(indicator, row)


class _Reasons:
    """The changes of published cells, from which each figure's main reason follows."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._moves: dict[tuple[str, str, str], list[tuple[date, Cause, int]]] = defaultdict(list)
        for each in moves:
            at = month_of(each.period), each.cause, abs(each.by)
            self._moves[each.measure, each.category, each.authority].append(at)

    def main(self, indicator: Indicator, row: Tidy) -> str:
        """Return the reason that changed numerator and denominator most."""
        first = BEGINNING if indicator.kind is Kind.STOCK else row.period_start
        moved = Counter[str]()
        for form in _forms(indicator, row):
            for category in form.categories:
                for code in members(row.area_code):
                    for month, cause, by in self._moves.get((form.measure, category, code), ()):
                        if first <= month <= row.period_end:
                            moved[cause] += by
        return moved.most_common(1)[0][0] if moved else COVERAGE


def _forms(indicator: Indicator, row: Tidy) -> Sequence[Form]:
    """Return the forms of which the figure is made."""
    if row.category_code:
        parts = (part for _, parts in indicator.breakdowns for part in parts if part.category == row.category_code)
        forms = [form for part in parts for form in (part.numerator, part.denominator)]
    else:
        forms = [indicator.numerator, indicator.denominator, indicator.minus]
    return tuple(dict.fromkeys(form for form in forms if form is not None))


def as_csv(before: ReleaseInfo, moved: Iterable[Changed]) -> bytes:
    """Return the changed figures as CSV, one in each row."""
    return sheets.as_csv([COLUMNS, *(each.row(before.id) for each in moved)]).encode()


def lines_of(file: bytes, wanted: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Read the rows of the CSV whose columns have these values."""
    rows = csv.reader(file.decode().splitlines())
    header = next(rows, [])
    places = [(header.index(column), value) for column, value in wanted.items() if header]
    for row in rows:
        if all(row[place] == value for place, value in places):
            yield dict(zip(header, row, strict=True))


def typed(row: Mapping[str, str]) -> dict[str, str | float | None]:
    """Return a row with numbers as numbers, and without the names of the releases, which are the same in every row."""
    return {
        column: (float(row[column]) if row[column] else None) if kind_of(column) == NUMBER else row[column]
        for column in COLUMNS[2:]
    }


def kind_of(column: str) -> str:
    """Return the kind of value in a column, as in the data dictionary."""
    return KINDS.get(column.removesuffix("_before"), "string")


def meaning_of(column: str) -> str:
    """Return the meaning of a column in words."""
    if column == "reason":
        return "The main reason why it changed: " + "; ".join(f"{name}: {said}" for name, said in REASONS.items())
    if column == "release_before":
        return "The release that had been published before"
    told = MEANINGS[column.removesuffix("_before")]
    return f"{told}, in the release before" if column.endswith("_before") else told
