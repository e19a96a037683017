"""Places a sheet that no table of a mapping fits: as a table of its own, or as one of the mapping's under another name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

from services.connect.extracts.cells import plain
from services.connect.extracts.fitting import NEAR, is_named
from services.connect.form.model import Field, Option
from services.connect.form.showing import held_in, share_in, tables_of, title_of
from services.connect.form.tables import Remarks, Table, Tree, named, names, sought
from services.connect.form.tree import remarks_in, tree_of
from services.connect.form.uses import GROUPS
from services.connect.mapping.model import STATABLE
from services.connect.mapping.seen import Sheet
from services.connect.mapping.suggest import Known, lasting, proposal

NEW, OUT, AS = "new", "", "as:"
_PLACED_BY = ("name", "sheet", "file")
_DATED = re.compile(r"[-_. ]*\*")


class Unplaced(NamedTuple):
    """A sheet that no table fits, and the question what it is."""

    title: str
    headings: tuple[str, ...]
    field: Field
    reason: str
    """Why the proposed answer is likely."""


def unplaced(tree: Tree, sheets: Sequence[Sheet]) -> list[Unplaced]:
    """Return the sheets that no table of a mapping fits, each with the likeliest answer chosen."""
    tables = tables_of(tree)
    held = [held_in(tables, sheet) for sheet in sheets]
    taken = {number for numbers in held for number in numbers}
    left = [number for number, table in enumerate(tables) if number not in taken and "query" not in table]
    known = {sheet.file for sheet, numbers in zip(sheets, held, strict=True) if numbers}
    return [
        _question(f"s{at}", sheet, tables, left, sheet.file in known)
        for at, (sheet, numbers) in enumerate(zip(sheets, held, strict=True))
        if not numbers
    ]


def left_out(tree: Tree, sheets: Sequence[Sheet]) -> list[Unplaced]:
    """Return the sheets that a proposal leaves out, each with the question what its rows are after all."""
    tables = tables_of(tree)
    options = (Option(OUT, "Leave it out: nothing in it is sent"), *_as_tables())
    return [
        Unplaced(
            sheet.title,
            tuple(column.heading for column in sheet.columns),
            Field(f"s{at}", f"Use {sheet.title} as a table of", OUT, options),
            "",
        )
        for at, sheet in enumerate(sheets)
        if not held_in(tables, sheet)
    ]


def _as_tables() -> Iterator[Option]:
    """Yield each event that rows about an order may state."""
    yield from (Option(f"{AS}{event}", label) for event, label in GROUPS.items() if event != "period.closed")


def others(tree: Tree, sheets: Sequence[Sheet]) -> list[Unplaced]:
    """Return the sheets that were taken for a table only since most of their columns are its, with the question whether they are."""
    tables = tables_of(tree)
    free = [number for number, table in enumerate(tables) if "query" not in table]
    held = [held_in(tables, sheet) for sheet in sheets]
    return [
        _question(f"s{at}", sheet, tables, free, known=False)
        for at, (sheet, numbers) in enumerate(zip(sheets, held, strict=True))
        if numbers and not any(is_named(sought(tables[number]), sheet.place) for number in numbers)
    ]


def _question(name: str, sheet: Sheet, tables: Sequence[Table], left: Sequence[int], known: bool) -> Unplaced:
    likely = max(left, key=lambda number: share_in(tables[number], sheet), default=None)
    share = 0.0 if likely is None else share_in(tables[likely], sheet)
    value, reason = (OUT if known else NEW), ""
    if likely is not None and share >= NEAR:
        value = str(likely)
        much = "all" if share == 1 else "most"
        reason = f"It has {much} of the columns of '{title_of(tables[likely])}'."
    options = (
        Option(NEW, "A table of its own: show what its columns may be"),
        *(Option(str(at), f"'{title_of(tables[at])}', under another name or with other headings") for at in left),
        Option(OUT, "None: leave it out"),
    )
    headings = tuple(column.heading for column in sheet.columns)
    return Unplaced(sheet.title, headings, Field(name, f"What {sheet.title} is", value, options), reason)


def placed(
    tree: Tree, remarks: Remarks, sheets: Sequence[Sheet], answers: Mapping[str, str]
) -> tuple[Tree, Remarks, list[str]]:
    """Return the mapping with these sheets as its tables, and the titles of sheets for which nothing could be proposed.

    Tables that are there stay as they are, but for the name of a sheet or file that a person says has become another.
    """
    found = deepcopy(tree)
    tables = found.get("tables")
    found["tables"] = tables if isinstance(tables, list) else []
    by_hand: list[str] = []
    for at, sheet in enumerate(sheets):
        answer = answers.get(f"s{at}", OUT)
        event = answer.removeprefix(AS) if answer.startswith(AS) else ""
        if answer == NEW or event in STATABLE:
            known = Known(_references(tables_of(tree), sheets, sheet), event)
            remarks = _with_proposal(found, remarks, sheet, by_hand, known)
        elif answer in {str(at) for at in range(len(tables_of(tree))) if at not in held_in(tables_of(tree), sheet)}:
            _rename(tables_of(found)[int(answer)], sheet)
    return found, remarks, by_hand


def _references(tables: Sequence[Table], sheets: Sequence[Sheet], sheet: Sheet) -> set[str]:
    """Return the references of orders in other sheets, by the tables that these are."""
    found = [
        column
        for one in sheets
        if one is not sheet
        for number in held_in(tables, one)
        for column in one.columns
        if named(tables[number].get("order", ""), column.heading)
    ]
    return {plain(word) for column in found for word in column.words}


def _with_proposal(tree: Tree, remarks: Remarks, sheet: Sheet, by_hand: list[str], known: Known) -> Remarks:
    """Add the table that is proposed for a sheet, and return the remarks with those on it."""
    fresh = deepcopy(sheet)
    text = proposal([fresh], "S12000000", alone=False, known=known)
    tables = tables_of(tree_of(text, sheet.title))
    if not tables:
        by_hand.append(sheet.title)
        return remarks
    new, first = remarks_in(text), len(tree["tables"])
    tree["tables"] += tables
    beside = {("tables", str(first), *at[2:]): told for at, told in new.beside.items() if at[:2] == ("tables", "0")}
    told = f"{sheet.title} is left out"
    kept = {at: [line for line in lines if told not in line] for at, lines in remarks.above.items()}
    above = {("tables", str(first), *at[2:]): told for at, told in new.above.items() if at[:2] == ("tables", "0")}
    return Remarks({**remarks.beside, **beside}, {**kept, **above})


def _rename(table: Table, sheet: Sheet) -> None:
    """Let a table be found in another sheet or file. Its own name stays, by which is known what was sent of it."""
    before = dict(table)
    table.clear()
    table.update(_place(before, sheet))
    table.update({name: one for name, one in before.items() if name not in _PLACED_BY})


def _place(before: Table, sheet: Sheet) -> Iterator[tuple[str, str | list[str]]]:
    name = before.get("name") or _former_name(before)
    if name:
        yield "name", name
    if sheet.is_file:
        yield "file", lasting(sheet.name)
    else:
        yield "sheet", list(sheet.tabs) or sheet.name


def _former_name(table: Table) -> str:
    """Return the name under which the connector knew a table that has none of its own."""
    if "sheet" in table:
        return ", ".join(names(table["sheet"]))
    return _DATED.sub("", table.get("file", ""))
