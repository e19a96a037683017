"""Tables as CSV and as workbooks, in which no text of anybody's becomes a formula on the reader's machine."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO

from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

Value = str | int | float | bool | date | None
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these too
"""What makes a formula of a cell."""


def plain(value: Value) -> Value:
    """The value as a cell of CSV. Text that a spreadsheet would compute gets an apostrophe, which spreadsheets know for text."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value


def as_csv(rows: Iterable[Sequence[Value]]) -> str:
    """Lines as RFC 4180 has them."""
    text = StringIO()
    csv.writer(text).writerows([plain(value) for value in row] for row in rows)
    return text.getvalue()


def append(sheet: Worksheet, rows: Iterable[Sequence[Value]]) -> None:
    """Add rows to a sheet. Text is text, whatever it begins with."""
    for row in rows:
        sheet.append([_text(sheet, value) if isinstance(value, str) and value[:1] == "=" else value for value in row])


def _text(sheet: Worksheet, value: str) -> Cell:
    cell = Cell(sheet, row=1, column=1, value=value)
    cell.data_type = "s"
    return cell
