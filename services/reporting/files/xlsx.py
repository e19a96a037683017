"""Sheets as a workbook of Excel."""

import io
from collections.abc import Sequence
from datetime import datetime

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from services.chassis import sheets
from services.reporting.files.workbook import Sheet
from services.reporting.formats.publisher import PUBLISHER

_FIRST, _SECOND, _OTHER = 14, 44, 14


def as_xlsx(title: str, made: datetime, pages: Sequence[Sheet]) -> bytes:
    """Tables are tables to Excel, so that screen readers say the headings of each cell."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator, book.properties.language = title, PUBLISHER, "en-GB"
    book.properties.created = book.properties.modified = made.replace(tzinfo=None)
    for number, sheet in enumerate(pages, 1):
        _add(book.create_sheet(sheet.name), sheet, number)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _add(page: Worksheet, sheet: Sheet, number: int) -> None:
    sheets.append(page, [(sheet.title,), *((line,) for line in sheet.words)])
    page["A1"].font = Font(bold=True, size=14)
    if sheet.header:
        _add_table(page, sheet, number)


def _add_table(page: Worksheet, sheet: Sheet, number: int) -> None:
    first = len(sheet.words) + 2
    sheets.append(page, [sheet.header, *sheet.rows])
    area = f"A{first}:{get_column_letter(len(sheet.header))}{first + len(sheet.rows)}"
    page.add_table(Table(displayName=f"Table{number}", ref=area, tableStyleInfo=TableStyleInfo("TableStyleLight1")))
    shape = "#,##0" if not sheet.decimals else f"#,##0.{'0' * sheet.decimals}"
    for line in page.iter_rows(min_row=first + 1, min_col=1, max_col=len(sheet.header)):
        for cell in line:
            if isinstance(cell.value, int | float):
                cell.number_format = shape
            elif (cell.column or 0) > 2:
                cell.alignment = Alignment(horizontal="right")
    for place, name in enumerate(sheet.links, first + 1):
        page.cell(place, 1).hyperlink = f"#'{name}'!A1"
        page.cell(place, 1).font = Font(underline="single", color="0065BD")
    for index in range(1, len(sheet.header) + 1):
        width = (
            _OTHER if index > 2 else _SECOND if index == 2 else max(_FIRST, 4 + max(map(len, sheet.links), default=0))
        )
        page.column_dimensions[get_column_letter(index)].width = width
    page.freeze_panes = f"A{first + 1}"
