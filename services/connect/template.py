"""A workbook that needs no mapping: its columns follow from the mapping beside this file, its lists from the contract."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from contracts.authorities import AUTHORITIES, current_code
from contracts.codes import Code
from contracts.events import AuthorityCode, Fact, OrderRef
from contracts.generate import words
from services.connect.extracts.cells import plain, text_of
from services.connect.extracts.readers import WORKBOOKS, Sheet
from services.connect.faults import CannotGoOn
from services.connect.mapping.forms import bare, optional
from services.connect.mapping.loading import load_mapping
from services.connect.mapping.model import Mapping, Table, Value, members, value_of

MAPPING = Path(__file__).with_name("template.yaml")
START = "Start here"
_LISTS = "Lists"
_AUTHORITY = "Authority"
_ROWS = 10_000
"""How many rows have lists and checks."""
_FILL = PatternFill("solid", fgColor="DCE6F1")


class Column(NamedTuple):
    """One column of a sheet."""

    heading: str
    kind: Any
    """The type of the member that it holds."""
    required: bool
    note: str


def built_in() -> Mapping:
    """Return the mapping of the workbook, without its authority."""
    return load_mapping(MAPPING)


def mapping_in(sheets: Iterable[Sheet]) -> Mapping | None:
    """Return the mapping of a workbook that was made here, with its authority. Raises CannotGoOn if it has none."""
    start = next((sheet for sheet in sheets if sheet.name == START), None)
    if start is None:
        return None
    for row in start.rows():
        cells = [text_of(cell) for cell in row]
        if len(cells) > 1 and cells[0] == _AUTHORITY:
            return msgspec.structs.replace(built_in(), authority=_authority(cells[1]))
    raise CannotGoOn(f"{START}: there is no row that begins with '{_AUTHORITY}'")


def _authority(text: str) -> str:
    names = {plain(one.name): one.code for one in AUTHORITIES.values()}
    code = current_code(text) or names.get(plain(text))
    if code is None:
        raise CannotGoOn(f"{START}: '{text}' is not an authority; choose one from the list")
    return code


def write(path: Path, authority: str) -> None:
    """Write an empty workbook for an authority (code)."""
    book = Workbook()
    start, lists = book.worksheets[0], book.create_sheet(_LISTS)
    start.title, lists.sheet_state = START, "hidden"
    ranges = _Lists(lists)
    mapping = built_in()
    for table in mapping.tables:
        assert isinstance(table.sheet, str)
        _fill(book.create_sheet(table.sheet), list(columns(table)), ranges)
    _welcome(start, mapping, AUTHORITIES[authority].name, ranges)
    book.move_sheet(lists, len(mapping.tables))
    book.save(path)


def columns(table: Table) -> Iterator[Column]:
    """Yield the columns of a sheet, in order, each once."""
    found: dict[str, Column] = {}
    for column in _columns(table):
        found.setdefault(column.heading, column)
    yield from found.values()


def _columns(table: Table) -> Iterator[Column]:
    if table.order is not None:
        yield _column(
            value_of(table.order), OrderRef, True, "Your own reference for the order, the same on every sheet."
        )
    facts = list(table.facts())
    for stated in facts:
        kinds, notes = members(stated.fact), words.members(stated.fact)
        must = stated.fact.KEY == "imposed" or len(facts) == 1
        for name, value in stated.fields.items():
            yield _column(
                value, kinds[name], must and not optional(kinds[name]), notes.get(name) or _meaning(kinds[name])
            )
        for one in stated.requirements:
            for cell, kind in ((one.hours, int), (one.months, int), (one.complete_by, date)):
                if cell is not None:
                    yield _column(
                        value_of(cell), kind, False, f"{one.kind.label}; leave it empty if it was not ordered."
                    )


def _column(value: Value, kind: Any, required: bool, note: str) -> Column:
    if value.born is not None:
        return Column(
            str(value.born),
            date,
            required,
            "Only the age on the day of the order is calculated from it; the date is not sent.",
        )
    assert isinstance(value.column, str)
    if value.times == 60:
        kind, note = float, note.replace("Minutes", "Hours")
    return Column(value.column, bare(kind), required and value.blank is None, note)


def _meaning(hint: Any) -> str:
    remarks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((one.description for one in remarks if getattr(one, "description", None)), "")


class _Lists:
    """Lists of words in a hidden sheet, each once."""

    def __init__(self, sheet: Worksheet) -> None:
        self._sheet, self._ranges = sheet, dict[Any, str]()

    def of(self, key: Any, entries: list[str]) -> str:
        """Return the place of the list, as a formula."""
        if key not in self._ranges:
            number = len(self._ranges) + 1
            for row, entry in enumerate(entries, 1):
                self._sheet.cell(row, number, entry)
            letter = get_column_letter(number)
            self._ranges[key] = f"={_LISTS}!${letter}$1:${letter}${len(entries)}"
        return self._ranges[key]


def _fill(sheet: Worksheet, wanted: list[Column], lists: _Lists) -> None:
    for number, column in enumerate(wanted, 1):
        letter = get_column_letter(number)
        head = sheet.cell(1, number, column.heading + (" *" if column.required else ""))
        head.font, head.fill = Font(bold=True), _FILL
        head.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[letter].width = max(14, min(28, len(column.heading) + 4))
        if column.note:
            head.comment = Comment(column.note, "payback", height=90, width=260)
        check, form = _check(column, lists)
        if form:
            for row in range(2, 202):
                sheet.cell(row, number).number_format = form
            sheet.column_dimensions[letter].number_format = form
        if check is not None:
            sheet.add_data_validation(check)
            check.add(f"{letter}2:{letter}{_ROWS}")
    sheet.freeze_panes = "B2"


def _check(column: Column, lists: _Lists) -> tuple[DataValidation | None, str]:
    """Return what may be entered, and how it is shown."""
    kind = column.kind
    if kind is date:
        check = DataValidation("date", operator="between", formula1="DATE(2000,1,1)", formula2="DATE(2099,12,31)")
        if "birth" in column.heading:
            check.formula1 = "DATE(1900,1,1)"
        return _worded(check, "Type a date, as in 04/03/2026."), "DD/MM/YYYY"
    entries = _entries(kind)
    if entries:
        check = DataValidation("list", formula1=lists.of(kind, entries), allow_blank=True)
        return _worded(check, "Choose from the list."), ""
    if kind in {int, float}:
        return _worded(
            DataValidation("decimal", operator="between", formula1="-1000", formula2="20000"), "Type a number."
        ), ""
    return None, "@" if kind is not None else ""


def _entries(kind: Any) -> list[str]:
    if kind is bool:
        return ["Yes", "No"]
    if kind == AuthorityCode:
        return sorted(one.name for one in AUTHORITIES.values())
    if isinstance(kind, type) and issubclass(kind, Code):
        return [one.label for one in kind]
    return []


def _worded(check: DataValidation, advice: str) -> DataValidation:
    check.error, check.errorTitle, check.showErrorMessage, check.allow_blank = advice, "This cannot be sent", True, True
    return check


def _welcome(sheet: Worksheet, mapping: Mapping, authority: str, lists: _Lists) -> None:
    lines: list[tuple[str, ...]] = [
        ("Community payback orders",),
        (),
        (_AUTHORITY, authority),
        (),
        (
            "1. Fill in one row for each order on the sheet Orders; the sheets after it are for later events. Fill in every column with *",
        ),
        ("2. Save. payback connect check FILE shows in plain words what would be sent, and which cells are wrong.",),
        ("3. payback connect send FILE sends what is new, changed or withdrawn since the last time.",),
        ("Enter no names and no addresses. The person number and the date of birth are never sent.",),
        (
            "If you delete a row, it is reported, and the order still counts; if you delete a date, the program withdraws that fact.",
        ),
        (),
        *((f"{table.sheet}", _about(table)) for table in mapping.tables),
    ]
    for line in lines:
        sheet.append(line)
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 80
    check = DataValidation("list", formula1=lists.of(AuthorityCode, _entries(AuthorityCode)))
    sheet.add_data_validation(_worded(check, "Choose from the list."))
    check.add("B3")


def _about(table: Table) -> str:
    return (
        " ".join(_summary(stated.fact) for stated in table.facts())
        if table.sheet != "Orders"
        else "One row for each order."
    )


@cache
def _summary(fact: type[Fact]) -> str:
    return words.summary(fact)


def is_workbook(path: Path) -> bool:
    """Return whether a file on the command line is a workbook rather than a mapping."""
    return path.suffix.lower() in WORKBOOKS
