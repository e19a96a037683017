"""Tables as workbooks, in which no text becomes a formula on the reader's machine."""

from collections.abc import Iterable, Sequence

from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from services.chassis.sheets import Value


def append(sheet: Worksheet, rows: Iterable[Sequence[Value]]) -> None:
    """Add rows to a sheet. Text stays text, whatever its first character is."""
    for row in rows:
        sheet.append([_text(sheet, value) if isinstance(value, str) and value[:1] == "=" else value for value in row])


def _text(sheet: Worksheet, value: str) -> Cell:
    cell = Cell(sheet, row=1, column=1, value=value)
    cell.data_type = "s"
    return cell
