"""Yearly returns by mapping: columns, tables and checks are data, which an analyst can change.

The specification of the real returns is not public. A mapping is a TOML file beside the service; `docs/returns.md` describes its language.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from contracts.cells import MEASURES
from contracts.events import FACTS
from services.chassis import sheets
from services.chassis.failures import Refused
from services.records.model.deadlines import Reading, State
from services.records.model.record import Record, name_of

Cell = str | int
Values = Mapping[str, Callable[[str, Record], object]]
"""The values that a service can give of an order, by the name that a mapping uses."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of the unit-level return."""

    name: str
    value: str
    """`subject`, `authority`, `fact key.member`, `count.fact key`, `clock.standard.member`, or a name of the service's own."""
    about: str
    codes: dict[str, str] = {}
    """From our codes to those of the return; a code that is not listed stays as it is."""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A count of rows of the return that must equal cells."""

    title: str
    measure: str
    where: dict[str, str] = {}
    """Only rows with these values; an empty value means an empty column, and `*` a column that is not empty."""
    by: str = ""
    """A column whose values are counted one by one; the values are the categories."""
    dimension: str = ""
    """The dimension of those categories; without one, the total is compared."""
    category: str = ""
    """The one category in which all these rows count, in place of `by` and `dimension`."""
    sum: str = ""
    """A column that is added up, instead of counting rows."""
    times: int = 1


class UnitReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A return with one row an order."""

    title: str
    version: str
    column: list[Column]
    where: dict[str, str] = {}
    """Which orders have a row, in the terms of a check; all if it is empty."""
    check: list[Check] = []


class TableSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a yearly report, counted from cells."""

    id: str
    title: str
    measure: str
    dimension: str = ""
    """One row for each category of this dimension; only the total if it is empty."""
    categories: list[str] = []
    """These categories, in place of a dimension."""
    divide: int = 1
    """For example, 60 to show minutes as hours."""
    unit: str = "orders"


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of a yearly report."""

    title: str
    version: str
    table: list[TableSpec]


M = TypeVar("M", UnitReturn, Report)


def find(name: str, shipped: Path, own: Path | None) -> Path:
    """Return the operator's own mapping of that name, or else the shipped one. Raises Refused if the folder holds unknown files."""
    if own is None:
        return shipped / name
    names = {path.name for path in shipped.glob("*.toml")}
    if not own.is_dir():
        raise Refused(f"no such folder: {own}")
    if unknown := sorted(path.name for path in own.glob("*.toml") if path.name not in names):
        raise Refused(f"{own} holds {', '.join(unknown)}; mappings here are called {', '.join(sorted(names))}")
    return own / name if (own / name).exists() else shipped / name


def read(path: Path, kind: type[M]) -> M:
    """Read a mapping. Raises Refused if the file is not such a mapping."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except (OSError, ValueError) as fault:
        raise Refused(f"{path}: {fault}") from None


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills the columns of a return for one authority's orders."""

    mapping: UnitReturn
    authority: str
    own: Values
    readings: Callable[[Record], Iterable[Reading]]

    def rows(self, found: Iterable[tuple[str, Record]]) -> Iterator[dict[str, str]]:
        for subject, record in found:
            clocks = {reading.standard.name: reading for reading in self.readings(record)}
            row = {column.name: self._cell(column, subject, record, clocks) for column in self.mapping.column}
            if _all_fit(row, self.mapping.where):
                yield row

    def _cell(self, column: Column, subject: str, record: Record, clocks: Mapping[str, Reading]) -> str:
        value = _text(self._value(column.value, subject, record, clocks))
        return column.codes.get(value, value)

    def _value(self, name: str, subject: str, record: Record, clocks: Mapping[str, Reading]) -> object:
        if name == "subject":
            return subject
        if name == "authority":
            return self.authority
        if name in self.own:
            return self.own[name](subject, record)
        head, _, rest = name.partition(".")
        match head:
            case "count":
                return sum(name_of(key) == rest and entry.data is not None for key, entry in record.items())
            case "clock":
                standard, _, member = rest.partition(".")
                return _of_clock(clocks.get(standard), member)
            case _:
                entry = record.get(head)
                return None if entry is None or entry.data is None else getattr(entry.data, rest)


def faults(mapping: UnitReturn, report: Report, own: Values) -> list[str]:
    """Return the errors in the mappings, in words: columns and checks that cannot be carried out."""
    names = {column.name for column in mapping.column}
    found = [f"column {c.name}: {c.value} is not known" for c in mapping.column if not _is_known(c.value, own)]
    found += [f"where: there is no column {name}" for name in sorted(mapping.where.keys() - names)]
    for check in mapping.check:
        used = {*check.where, check.by, check.sum} - {""}
        found += [f"check {check.title}: there is no column {name}" for name in sorted(used - names)]
    counted_in = [(f"check {check.title}", check.measure) for check in mapping.check]
    counted_in += [(f"table {table.id}", table.measure) for table in report.table]
    return found + [f"{where}: there is no measure {name}" for where, name in counted_in if name not in MEASURES]


_CLOCK_MEMBERS = ("state", "band", "on", "reason", "start")
_MEMBERS = {fact.KEY: {field.name for field in msgspec.structs.fields(fact)} for fact in FACTS.values() if fact.KEY}


def _is_known(value: str, own: Values) -> bool:
    head, _, rest = value.partition(".")
    match head:
        case "subject" | "authority":
            return not rest
        case "count":
            return rest in _MEMBERS
        case "clock":
            return rest.partition(".")[2] in _CLOCK_MEMBERS
        case _:
            return value in own or rest in _MEMBERS.get(head, ())


def _of_clock(reading: Reading | None, member: str) -> object:
    if reading is None:
        return None
    if member == "state":
        return "not_done" if reading.counted_as is State.PENDING else reading.counted_as
    return getattr(reading, member) or None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def as_csv(names: Iterable[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Write rows as CSV, with line ends according to RFC 4180."""
    columns = list(names)
    return sheets.as_csv([columns, *([row[name] for name in columns] for row in rows)])


def counted(check: Check, rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """Count the rows of a return, by category."""
    found: Counter[str] = Counter()
    for row in rows:
        if _all_fit(row, check.where):
            category = f"{check.dimension}={row[check.by]}" if check.by else check.category
            found[category] += check.times * (int(row[check.sum] or 0) if check.sum else 1)
    return dict(found)


def concerns(check: Check, measure: str, category: str) -> bool:
    """Return whether the check compares this cell."""
    if measure != check.measure:
        return False
    return category == check.category if check.category else category.partition("=")[0] == check.dimension


def _all_fit(row: Mapping[str, str], where: Mapping[str, str]) -> bool:
    return all(bool(row[name]) if value == "*" else row[name] == value for name, value in where.items())


def not_compared(mapping: UnitReturn, report: Report) -> list[str]:
    """Return the tables of which no check compares anything: they count facts of orders that have no row in the unit-level return."""
    compared = {(c.measure, (c.category.partition("=")[0] if c.category else c.dimension)) for c in mapping.check}
    return [
        table.id
        for table in report.table
        if not {(table.measure, one) for one in table.categories or [table.dimension]} & compared
    ]


def table_rows(table: TableSpec, sums: Mapping[tuple[str, Any, str], int]) -> dict[str, float]:
    """Return the rows of a table, by category; the total has an empty category."""
    found: Counter[str] = Counter()
    for (measure, _, category), value in sums.items():
        if measure == table.measure and _in_table(table, category):
            found[category] += value
    return {category: value / table.divide for category, value in sorted(found.items())}


def _in_table(table: TableSpec, category: str) -> bool:
    if table.categories:
        return category in table.categories
    return category.partition("=")[0] == table.dimension if table.dimension else not category
