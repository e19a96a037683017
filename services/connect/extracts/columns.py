"""Finds the row with the headings, the columns, the first row below them, and rows that are sums. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from itertools import chain, islice
from typing import NamedTuple

from services.connect.extracts.cells import Grid, Scalar, plain, says_nothing, text_of
from services.connect.faults import CannotGoOn, Empty, NoColumn, Unread
from services.connect.mapping.model import Across, Heading
from services.connect.mapping.transforms import date_in

_SEARCHED = 40
"""How many rows are searched for headings."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_NARROW = 2
"""So many columns tell too little of what a row is that fills only one of them."""
_DIGIT = re.compile(r"\d")
_TOTALS = re.compile(r"\s*((grand|sub|sheet|overall)[ -]?)?(totals?|sum|count)\b(?![-/_.\d])", re.IGNORECASE)


_NUMBER = re.compile(r"[-\u2212]?\d{1,3}([,. ]?\d{3})*([.,]\d+)?( ?%)?")
_DAYS = (30_000, 70_000)
"""Numbers of which spreadsheets make days of our time."""


class Row(NamedTuple):
    """A row below the headings that is not blank."""

    number: int
    """The number that the spreadsheet shows, from 1."""
    cells: Sequence[Scalar]
    across: int | None = None
    """If columns are days: the place of the one from which the row was made."""


class Headings:
    """The headings of a table, found by the names in the mapping."""

    def __init__(self, table: str, first_row: int, texts: Sequence[str], wanted: Sequence[Heading]) -> None:
        self.table, self.first_row, self.texts = table, first_row, texts
        self.real = len(texts)
        """How many columns the table has; any after them were made from days across."""
        self._wanted = {plain(name) for heading in wanted for name in _names(heading)}
        self._places = {plain(text): place for place, text in reversed(list(enumerate(texts))) if plain(text)}

    def place(self, heading: Heading) -> int:
        """Return the place of a column, from 0. Raises NoColumn with what the heading may have become."""
        for name in _names(heading):
            if plain(name) in self._places:
                return self._places[plain(name)]
        raise NoColumn(self._missing(_names(heading)[0]))

    def has(self, heading: Heading) -> bool:
        return any(plain(name) in self._places for name in _names(heading))

    def _missing(self, name: str) -> str:
        free = [one for one in self._places if one not in self._wanted]
        close = get_close_matches(plain(name), free, n=1, cutoff=0.4)
        hint = f"; did you mean '{self.texts[self._places[close[0]]].strip()}'?" if close else "."
        there = ", ".join(f"'{text.strip()}'" for text in self.texts if text.strip())
        return (
            f"{self.table}: there is no column '{name}'{hint} "
            f"The headings in row {self.first_row} are {there}. Mend the heading, or the mapping."
        )


def _names(heading: Heading) -> Sequence[str]:
    return [heading] if isinstance(heading, str) else heading


def found_headings(
    table: str, grid: Grid, wanted: Sequence[Heading], over_rows: int = 1
) -> tuple[Headings, Iterator[Row]]:
    """Return the headings, and the rows below them. Raises Empty if the table holds nothing."""
    top = list(islice(grid, _SEARCHED))
    candidates = [_joined(table, top, row, over_rows, wanted) for row in range(len(top))]
    if not any(text for row in top for text in map(text_of, row)):
        raise Empty(f"{table} is empty")
    best = max(candidates, key=lambda one: (sum(map(one.has, wanted)), -one.first_row))
    if not any(map(best.has, wanted)):
        best = max(candidates, key=lambda one: (len(list(filter(plain, one.texts))), -one.first_row))
    below = best.first_row + over_rows - 1
    return best, _rows(best, chain(top[below:], grid), below)


def days_in(texts: Sequence[str], order: str = "dmy") -> dict[int, date]:
    """Return the places of headings that are days."""
    found = {}
    for place, text in enumerate(texts):
        with suppress(Unread):
            day = date_in(text, order)
            if _FIRST_YEAR <= day.year < _LAST_YEAR:
                found[place] = day
    return found


def spread(
    headings: Headings, rows: Iterator[Row], across: Across, order: str = "dmy"
) -> tuple[Headings, Iterator[Row]]:
    """Return the table with a row for each filled cell below a day, in place of a column for each. Raises CannotGoOn without one."""
    days = days_in(headings.texts, order)
    if not days:
        raise CannotGoOn(f"{headings.table}: no heading in row {headings.first_row} is a date, which `across` needs")
    texts = ["" if place in days else text for place, text in enumerate(headings.texts)]
    made = Headings(headings.table, headings.first_row, [*texts, across.day, across.cell], [])
    made.real = len(texts)
    return made, _spread(rows, days, len(texts))


def _spread(rows: Iterator[Row], days: Mapping[int, date], width: int) -> Iterator[Row]:
    for row in rows:
        for place, day in days.items():
            if not says_nothing(row.cells[place]):
                yield Row(row.number, [*row.cells[:width], day, row.cells[place]], place)


def _joined(
    table: str, top: Sequence[Sequence[Scalar]], first: int, over_rows: int, wanted: Sequence[Heading]
) -> Headings:
    """Join headings that span several rows: an upper one applies to all columns up to the next one beside it."""
    rows = [[text_of(cell) for cell in row] for row in top[first : first + over_rows]]
    width = max(map(len, rows), default=0)
    texts = [""] * width
    for level, row in enumerate(rows):
        upper, last = level < len(rows) - 1, ""
        for place in range(width):
            own = row[place] if place < len(row) else ""
            last = own or (last if upper else "")
            texts[place] = f"{texts[place]} {last}".strip()
    return Headings(table, first + 1, texts, wanted)


def _rows(headings: Headings, grid: Iterator[Sequence[Scalar]], above: int) -> Iterator[Row]:
    width = len(headings.texts)
    again = [plain(text) for text in headings.texts]
    for number, cells in enumerate(grid, above + 1):
        if not any(cells) and not any(cell != "" for cell in cells):
            continue
        if isinstance(cells[0], str) and [plain(text_of(cell)) for cell in cells[:width]] == again:
            continue  # a heading repeated on each page
        yield Row(number, cells if len(cells) >= width else [*cells, *[""] * (width - len(cells))])


def is_total(row: Row, places: Sequence[int] = ()) -> bool:
    """Return whether the first word in the row, or one in these places, says that it sums up the others."""
    first = next((cell for cell in row.cells if cell != ""), "")
    return any(_sums_up(cell) for cell in (first, *(row.cells[place] for place in places)))


def is_subheading(row: Row) -> bool:
    """Return whether the row only names the rows below it, as `LEWIS & HARRIS` over a part of a table. A reference has a digit in it."""
    filled = [cell for cell in row.cells if cell != ""]
    return len(filled) == 1 and len(row.cells) > _NARROW and isinstance(filled[0], str) and not _DIGIT.search(filled[0])


def is_footer(row: Row, place: int, used: Sequence[int]) -> bool:
    """Return whether a row below the totals tells of them, as `of which open` does: words without a digit in place of a reference, and
    only numbers beside them.
    """
    name = row.cells[place]
    if not isinstance(name, str) or says_nothing(name) or _DIGIT.search(name):
        return False
    others = [row.cells[other] for other in used if other != place and not says_nothing(row.cells[other])]
    return all(map(_counts, others)) and any(_counts(cell) for cell in row.cells)


def _counts(cell: Scalar) -> bool:
    """Return whether a cell holds a number that is no day."""
    if isinstance(cell, str):
        return bool(_NUMBER.fullmatch(cell.strip()))
    return not isinstance(cell, bool) and isinstance(cell, int | float) and not _DAYS[0] <= cell < _DAYS[1]


def _sums_up(cell: Scalar) -> bool:
    return isinstance(cell, str) and bool(_TOTALS.match(cell)) and len(cell.split()) <= 3
