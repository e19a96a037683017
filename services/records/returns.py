"""Yearly returns by mapping: which columns, tables and checks there are is data, which an analyst can change.

The specification of the real returns is not public. A mapping is a TOML file beside the service; `docs/returns.md` tells its language.
"""

import csv
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from contracts.events import FACTS
from services.records.clocks import Reading, State
from services.records.record import Record

Cell = str | int
Values = Mapping[str, Callable[[str, Record], object]]
"""What a service can say of an order, by the name that a mapping uses."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of the unit-level return."""

    name: str
    value: str
    """`subject`, `authority`, `fact key.member`, `count.fact key`, `clock.standard.member`, or a name of the service's own."""
    about: str
    codes: dict[str, str] = {}
    """From our codes to those of the return; a code that is not named stays as it is."""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A count of rows of the return that must equal cells."""

    title: str
    measure: str
    where: dict[str, str] = {}
    """Rows with these values; an empty value means an empty column, `*` one that is not."""
    by: str = ""
    """A column whose values are counted one by one; its values are the categories."""
    dimension: str = ""
    """The dimension of those categories; the total where there is none."""
    sum: str = ""
    """A column that is added up, instead of counting rows."""
    times: int = 1


class UnitReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A return with one row an order."""

    title: str
    version: str
    column: list[Column]
    check: list[Check] = []


class TableSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a yearly report, counted from cells."""

    id: str
    title: str
    measure: str
    dimension: str = ""
    """Categories of this dimension, one a row; only the total where there is none."""
    categories: list[str] = []
    """Instead: these categories."""
    divide: int = 1
    """Minutes to hours, for instance."""
    unit: str = "orders"


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of a yearly report."""

    title: str
    version: str
    table: list[TableSpec]


def read_return(path: Path) -> UnitReturn:
    """Raises msgspec.ValidationError where the file is not a mapping."""
    return msgspec.convert(tomllib.loads(path.read_text()), UnitReturn)


def read_report(path: Path) -> Report:
    """Raises msgspec.ValidationError where the file is not a report."""
    return msgspec.convert(tomllib.loads(path.read_text()), Report)


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
            yield {column.name: self._cell(column, subject, record, clocks) for column in self.mapping.column}

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
                return sum(key.partition("/")[0] == rest and entry.data is not None for key, entry in record.items())
            case "clock":
                standard, _, member = rest.partition(".")
                return _of_clock(clocks.get(standard), member)
            case _:
                entry = record.get(head)
                return None if entry is None or entry.data is None else getattr(entry.data, rest)


def faults(mapping: UnitReturn, own: Values) -> list[str]:
    """What in a mapping nobody can fill or check, in words."""
    names = {column.name for column in mapping.column}
    found = [f"column {c.name}: {c.value} is not known" for c in mapping.column if not _is_known(c.value, own)]
    for check in mapping.check:
        used = {*check.where, check.by, check.sum} - {""}
        found += [f"check {check.title}: there is no column {name}" for name in sorted(used - names)]
    return found


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
    if member == "state" and reading.state is State.PENDING:
        return "not_done"
    return getattr(reading, member) or None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def as_csv(names: Iterable[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Lines end as RFC 4180 says."""
    text = StringIO()
    writer = csv.DictWriter(text, list(names))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def counted(check: Check, rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """What the rows of a return say, by category."""
    found: Counter[str] = Counter()
    for row in rows:
        if all(_fits(row[name], value) for name, value in check.where.items()):
            category = f"{check.dimension}={row[check.by]}" if check.by else ""
            found[category] += check.times * (int(row[check.sum] or 0) if check.sum else 1)
    return dict(found)


def _fits(value: str, wanted: str) -> bool:
    return bool(value) if wanted == "*" else value == wanted


def table_rows(table: TableSpec, sums: Mapping[tuple[str, Any, str], int]) -> dict[str, float]:
    """The rows of a table, by category; the total has an empty one."""
    found: Counter[str] = Counter()
    for (measure, _, category), value in sums.items():
        if measure == table.measure and _in_table(table, category):
            found[category] += value
    return {category: value / table.divide for category, value in sorted(found.items())}


def _in_table(table: TableSpec, category: str) -> bool:
    if table.categories:
        return category in table.categories
    return category.partition("=")[0] == table.dimension if table.dimension else not category
