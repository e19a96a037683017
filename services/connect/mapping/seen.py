"""A table before anybody has said what it means: what each column is likely to be. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from contracts.codes import Code
from services.connect.extracts.cells import Scalar, plain, says_nothing, text_of
from services.connect.extracts.columns import Headings, Row, days_in, is_footer, is_subheading, is_total, spread
from services.connect.extracts.fitting import Place
from services.connect.faults import Unread
from services.connect.mapping.hints import ALL, UNSURE, Names
from services.connect.mapping.likeness import CLOSE, SURE, holds_name, likeliest, meant, spoken
from services.connect.mapping.model import Across
from services.connect.mapping.transforms import code_in, date_in, truth_in, whole_in
from services.connect.mapping.words import TRUTHS

DURATION, IDENTIFIER = "duration", "identifier"
"""Kinds of values that are narrower than their type: hours or minutes in any form, and what tells people apart."""
_MOST = 0.6
"""The share of cells that must fit the kind of a column if its heading alone leaves doubt."""
_LONG_AGO = 1930
_SOME_DAYS = 3
"""So many headings that are days make a table with a column for each day."""


@dataclass
class Seen:
    """A column as it was found."""

    heading: str
    cells: list[Scalar]
    used: bool = False

    @cached_property
    def filled(self) -> list[Scalar]:
        return [cell for cell in self.cells if not says_nothing(cell)]

    @cached_property
    def words(self) -> list[str]:
        """Return the distinct words in it."""
        return list(dict.fromkeys(text_of(cell) for cell in self.filled))

    @cached_property
    def likely(self) -> float:
        """Return how like any usual heading its own is."""
        return likeliest(self.heading, ALL)[0]

    def share(self, kind: Any) -> float:
        """Return the share of its cells that can be read so; 1 if all are blank or anything can be read."""
        read = reader_of(kind)
        if read is None or not self.filled:
            return 1.0
        return sum(reads(read, cell) for cell in self.filled) / len(self.filled)

    @cached_property
    def dated(self) -> bool:
        """Return whether it holds dates of our time."""
        return bool(self.filled) and sum(reads(_recent, cell) for cell in self.filled) >= _MOST * len(self.filled)

    @cached_property
    def numbers(self) -> bool:
        """Return whether it holds numbers that identify things."""
        return "number" in spoken(self.heading).split() and bool(self.filled) and not self.dated

    def fits(self, kind: Any) -> bool:
        """Return whether its cells may be values of that type. A code's words are the office's own, so any words may be."""
        if kind is date:
            return self.dated or not self.filled
        if isinstance(kind, type) and issubclass(kind, Code):
            return not self.dated and not all(isinstance(cell, int | float) for cell in self.filled)
        return self.share(kind) >= _MOST and not (kind == IDENTIFIER and self.dated)

    def speaks(self, kind: type[Code]) -> bool:
        """Return whether most of its words are known for that code list, and for more than yes and no."""
        read = code_in(kind, {})
        known = [word for word in self.words if reads(read, word)]
        telling = [word for word in known if plain(word) not in TRUTHS]
        return bool(telling) and len(known) >= 0.5 * len(self.words)

    def resembles(self, kind: type[Code]) -> bool:
        """Return whether most of its words may mean something in that code list."""
        return bool(self.words) and sum(bool(meant(word, kind)) for word in self.words) >= _MOST * len(self.words)


@dataclass(slots=True)
class Sheet:
    """A table for which a mapping is being proposed."""

    name: str
    is_file: bool
    columns: list[Seen]
    across: Across | None = None
    """If columns are days: the names of the day and of the cell."""
    days: int = 0
    tabs: tuple[str, ...] = ()
    """Other sheets of the workbook with the same headings, this one included; empty if there are none."""
    doubts: dict[str, str] = field(default_factory=dict)
    """Why a column may not be what it was taken for, by heading."""
    roles: dict[tuple[str, str], Seen] = field(default_factory=dict)
    """Columns that were recognised by their values, by event and what they are in it."""
    file: str = ""
    """The name of its file."""
    first: bool = True
    """Whether it is the first of its file."""

    @property
    def title(self) -> str:
        """Return what people call it: its own name, or those of all its sheets."""
        return ", ".join(self.tabs) or self.name

    @property
    def place(self) -> Place:
        return Place(self.file, self.tabs or (self.name,), self.is_file, self.first)

    @property
    def free(self) -> list[Seen]:
        return [column for column in self.columns if not column.used]

    def find(self, names: Names, kind: Any = None) -> Seen | None:
        """Return the column that is most likely to have one of these names, and holds suitable values."""
        found = [(*likeliest(column.heading, names), column) for column in self.free]
        fit = [one for one in found if _taken(*one, kind)]
        if not fit:
            return None
        likely, name, column = max(fit, key=lambda one: (kind is None or one[2].fits(kind), one[0]))
        if likely < SURE or name in UNSURE:
            self.doubts[column.heading] = UNSURE.get(name, f'taken for "{name}"')
        return column

    def spoken_in(self, kind: type[Code]) -> Seen | None:
        """Return the column whose words are those of a code list, whatever its heading."""
        return self.recognised([one for one in self.free if one.likely < SURE and one.speaks(kind)])

    def told_in(self, names: Names, kind: type[Code]) -> Seen | None:
        """Return the column whose heading has a usual name among other words, and whose words resemble those of the code list."""
        likely = [one for one in self.free if one.likely < SURE and holds_name(one.heading, names)]
        return self.recognised([one for one in likely if one.fits(kind) and one.resembles(kind)])

    def recognised(self, found: Sequence[Seen]) -> Seen | None:
        """Return the first of columns that were recognised by their values, with a doubt."""
        column = next(iter(found), None)
        if column is not None:
            self.doubts[column.heading] = "recognised by its words"
        return column


def sheet_of(name: str, is_file: bool, headings: Headings, rows: Iterable[Row]) -> Sheet:
    """Return a table with its first rows."""
    some = [row for row in rows if not is_total(row) and not is_subheading(row) and not _is_footer(row)]
    days, across = days_in(headings.texts), None
    if len(days) >= _SOME_DAYS:
        across = _across(row.cells[place] for row in some for place in days)
        headings, spread_rows = spread(headings, iter(some), across)
        some = list(spread_rows)
    texts = enumerate(headings.texts)
    columns = [Seen(text, [row.cells[place] for row in some]) for place, text in texts if text.strip()]
    return Sheet(name, is_file, columns, across, len(days) if across else 0)


def _is_footer(row: Row) -> bool:
    """Return whether a row tells of totals, as far as can be told before anybody has said which column holds the reference."""
    first = next((place for place, cell in enumerate(row.cells) if not says_nothing(cell)), 0)
    return len(row.cells) > _SOME_DAYS and is_footer(row, first, range(len(row.cells)))


def _across(cells: Iterable[Scalar]) -> Across:
    """Return the names of day and cell: cells hold hours if most of them are numbers, and else how somebody attended."""
    told = [cell for cell in cells if not says_nothing(cell)]
    hours = sum(reads(whole_in, cell) for cell in told)
    return Across("Session date", "Hours credited" if told and hours >= _MOST * len(told) else "Attendance")


def gathered(found: Iterable[Sheet]) -> Iterator[Sheet]:
    """Yield tables, those with the same headings as one: sheets for each month, for example."""
    groups: dict[tuple[bool, tuple[str, ...]], list[Sheet]] = {}
    for sheet in found:
        groups.setdefault((sheet.is_file, tuple(plain(column.heading) for column in sheet.columns)), []).append(sheet)
    for (is_file, _), same in groups.items():
        if is_file or len(same) == 1:
            yield from same
        else:
            yield _as_one(same)


def _as_one(same: Sequence[Sheet]) -> Sheet:
    columns = [
        Seen(each[0].heading, [cell for column in each for cell in column.cells])
        for each in zip(*(sheet.columns for sheet in same), strict=True)
    ]
    return replace(same[0], columns=columns, days=sum(sheet.days for sheet in same), tabs=tuple(s.name for s in same))


def _taken(likely: float, name: str, column: Seen, kind: Any) -> bool:
    """Return whether a column is taken: a sure heading is trusted, a likely one if its cells agree and nothing else is likelier."""
    if kind == IDENTIFIER and not column.fits(kind):
        return False
    if likely >= SURE:
        return True
    return bool(name) and likely >= CLOSE and likely >= column.likely and (kind is None or column.fits(kind))


def reader_of(kind: Any) -> Callable[[Scalar], Any] | None:
    """Return how cells of this type are read; None if any text is suitable."""
    return _READERS.get(kind)


def reads(read: Callable[[Scalar], Any], cell: Scalar) -> bool:
    """Return whether a cell can be read so."""
    try:
        read(cell)
    except Unread:
        return False
    return True


def _recent(cell: Scalar) -> date:
    day = date_in(cell)
    if day.year < _LONG_AGO:
        raise Unread("is a number")
    return day


def _minutes(cell: Scalar) -> int:
    return whole_in(cell, 60, "minutes")


def _identifier(cell: Scalar) -> str:
    """Read what may be a person's number: it has a digit, as names have not."""
    text = text_of(cell)
    if not any(sign.isdigit() for sign in text):
        raise Unread("has no digit")
    return text


_READERS: dict[Any, Callable[[Scalar], Any]] = {
    date: date_in,
    int: whole_in,
    bool: lambda cell: truth_in(cell, {}),
    DURATION: _minutes,
    IDENTIFIER: _identifier,
}
