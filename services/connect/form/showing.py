"""Makes the form of a mapping, with the values of the dropped tables beside it. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from contracts.codes import EndReason
from services.connect.extracts.cells import plain
from services.connect.extracts.columns import Headings
from services.connect.extracts.fitting import shared
from services.connect.form import constants
from services.connect.form.lines import DATES, DECIMAL, Around
from services.connect.form.model import Field, Form, Option, Part
from services.connect.form.tables import Remarks, Table, Tree, held_by, in_words, named, sought, told_in
from services.connect.form.uses import GROUPS, Use, authorities
from services.connect.mapping.seen import Seen, Sheet

_GONE = (
    Option("report", "It still counts, and is reported each time"),
    Option("withdraw", "What it said is withdrawn"),
    *(Option(f"ended:{one}", f"The order ended: {one.label}") for one in EndReason),
)
_PLACES = {"sheet", "file", "name", "order", "caseload", "recorded", "vanished", "states"}


def form_of(tree: Tree, remarks: Remarks, sheets: Sequence[Sheet], uses: Mapping[str, Use]) -> Form:
    """Return the form of a mapping: first its tables, then the sheets that it leaves out."""
    parts, met = [], []

    def around(place: int, number: int | None, table: Table) -> Around:
        own = remarks if number is not None else Remarks()
        return Around(f"p{place}", ("tables", str(number)), table, uses, own, tree)

    held = [held_in(tables_of(tree), sheet) for sheet in sheets]
    for number, table in enumerate(tables_of(tree)):
        sheet = next((one for one, numbers in zip(sheets, held, strict=True) if number in numbers), None)
        met.append(sheet)
        parts.append(_part(around(number, number, table), number, sheet))
    for sheet in sheets:
        if not any(sheet is one for one in met):
            parts.append(_part(around(len(parts), None, {"states": {}}), None, sheet))
    kept = [f"{name}: {in_words(value)}" for name, value in tree.items() if name not in _GENERAL]
    return Form(tuple(_general(tree)), tuple(parts), tuple(kept))


def tables_of(tree: Tree) -> list[Table]:
    """Return the tables of a mapping that are written as tables."""
    found = tree.get("tables", [])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def held_in(tables: Sequence[Table], sheet: Sheet) -> list[int]:
    """Return the numbers of the tables that a sheet holds, by its name and its columns."""
    return held_by(tables, sheet.place, lambda number: share_in(tables[number], sheet))


def share_in(table: Table, sheet: Sheet) -> float:
    """Return the share of a table's headings that a sheet has."""
    if "across" in table and sheet.across is None:
        return 0.0
    headings = sought(table).headings
    return shared(Headings(sheet.name, 1, [column.heading for column in sheet.columns], ()), headings)


_GENERAL = {"authority", "dates", "decimal", "blanks", "tables"}


def _general(tree: Tree) -> Iterator[Field]:
    code = tree.get("authority", "")
    known = authorities()
    there = any(code == one.value for one in known)
    options = (Option("", "Choose"), *known)
    if code and not there and code != "S12000000":
        options = (*options, Option(code, code))
    yield Field("authority", "Your authority", "" if code == "S12000000" else code, options)
    dates = (Option("dmy", "day, month, year"), *DATES[2:])
    yield Field("dates", "Dates written as text are", tree.get("dates", "dmy"), dates)
    decimal = (Option("", "not said: a number that may be read in two ways is refused"), *DECIMAL[1:])
    yield Field("decimal", "The mark before decimals is", tree.get("decimal", ""), decimal)
    yield Field("blanks", "Your own words for nothing here, each on its line", "\n".join(tree.get("blanks", ())))


def _part(around: Around, number: int | None, sheet: Sheet | None) -> Part:
    table = around.table
    columns = [] if sheet is None else _once(sheet.columns)
    _, doubts = told_in(around.remarks.at(around.path))
    return Part(
        around.name,
        title_of(table) if sheet is None else sheet.title,
        number,
        tuple(around.lines(columns, sheet is not None)),
        tuple(constants.of(around, [one.heading for one in columns])),
        tuple(_of_table(around.name, table)) if number is not None else (),
        tuple(_kept(table)),
        (*doubts, *_counting_twice(table)),
    )


def _counting_twice(table: Table) -> Iterator[str]:
    """Yield why a corrected day would count twice: it makes another row, and the former still counts."""
    if table.get("vanished", "report") != "report":
        return
    for event, stated in table.get("states", {}).items():
        joined = constants.joined_in(stated)
        if any(named(node, one) for node in constants.days_of(table, event) for one in joined):
            yield (
                f"{GROUPS.get(event, event)}: rows are told apart by their day. If a row that is gone still counts, a day that is "
                "corrected counts twice; choose below that what it said is withdrawn"
            )


def _once(columns: Sequence[Seen]) -> list[Seen]:
    """Return columns without those of a heading that stands there again: a mapping names the first."""
    return list({plain(column.heading): column for column in reversed(columns)}.values())[::-1]


def title_of(table: Table) -> str:
    """Return what people call a table."""
    wanted = table.get("name") or table.get("sheet") or table.get("file") or "Your table"
    return wanted if isinstance(wanted, str) else ", ".join(wanted)


def _of_table(name: str, table: Table) -> Iterator[Field]:
    if "file" in table:
        yield Field(f"{name}.file", "The name of its file; * stands for anything", table["file"])
    if isinstance(table.get("sheet"), str):
        yield Field(f"{name}.sheet", "The name of its sheet; * stands for anything", table["sheet"])
    yield _vanished(name, table)


def _vanished(name: str, table: Table) -> Field:
    said = table.get("vanished", "report")
    value = f"ended:{said['ended']}" if isinstance(said, dict) else said
    there = any(value == option.value for option in _GONE)
    options = _GONE if there else (*_GONE, Option(value, value.partition(":")[2]))
    return Field(f"{name}.vanished", "When a row is gone from the table", value, options)


def _kept(table: Table) -> Iterator[str]:
    """Yield what only the text can change in a table."""
    for name, value in table.items():
        if name not in _PLACES:
            yield f"{name}: {in_words(value)}"
    for event, stated in table.get("states", {}).items():
        if isinstance(stated, list):
            yield f"{event} in {len(stated)} forms"
            continue
        for name in ("when", "unless"):
            if stated.get(name):
                yield f"{event}, {name}: {in_words(stated[name])}"
        yield from (
            f"{event}, {member}: {in_words(node)}"
            for member, node in stated.items()
            if member not in {"when", "unless"} and constants.is_kept(node)
        )
        yield from (f"{event}, {in_words(one)}" for one in _kept_requirements(stated.get("requirements", [])))


def _kept_requirements(found: Sequence[Table]) -> list[Table]:
    """Return requirements that apply to some rows only, or are found in several columns."""
    kinds = [one.get("kind") for one in found]
    return [one for one in found if {"when", "unless"} & one.keys() or kinds.count(one.get("kind")) > 1]
