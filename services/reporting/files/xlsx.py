"""Sheets as a workbook of Excel."""

import io
from collections.abc import Sequence
from datetime import datetime
from math import ceil
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from services.chassis import workbooks
from services.reporting.files.workbook import Sheet
from services.reporting.formats.publisher import PUBLISHER

_LETTERS = "Arial"
_LINE_HEIGHT, _BROAD = 15, 1.05
"""The height of a line, in points; and how much wider letters may be than digits, by which columns are measured."""
_PLACES = 2
"""How many columns name the area, and stay visible."""


def as_xlsx(title: str, made: datetime, pages: Sequence[Sheet]) -> bytes:
    """Write tables as Excel tables, so that screen readers read out the headings of each cell."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator, book.properties.language = title, PUBLISHER, "en-GB"
    book.properties.created = book.properties.modified = made.replace(tzinfo=None)
    for number, sheet in enumerate(pages, 1):
        _add(book.create_sheet(sheet.name), sheet, number)
    file = io.BytesIO()
    ExcelWriter(book, ZipFile(file, "w", ZIP_DEFLATED)).save()  # `book.save` would write the present time into it
    return file.getvalue()


def _add(page: Worksheet, sheet: Sheet, number: int) -> None:
    workbooks.append(page, [(sheet.title,), *((line,) for line in sheet.words)])
    if sheet.header:
        workbooks.append(page, [sheet.header, *sheet.rows])
        _make_table(page, sheet, number)
    for line in page.iter_rows():
        for cell in line:
            _dress(cell, sheet)
    for place, name in enumerate(sheet.links, sheet.header_row + 1):
        page.cell(place, 1).hyperlink = f"#'{name}'!A1"
        page.cell(place, 1).font = Font(name=_LETTERS, underline="single", color="0065BD")
    for column in range(max(1, len(sheet.header))):
        page.column_dimensions[get_column_letter(column + 1)].width = sheet.width(column)
    if sheet.text_only:
        _leave_room(page, sheet)
    _prepare_for_print(page, sheet)


def _leave_room(page: Worksheet, sheet: Sheet) -> None:
    """Make room for lines that wrap: Excel leaves rows as high as the file says."""
    for row, line in enumerate(page.iter_rows(min_row=2), 2):
        lines = max(ceil(len(f"{cell.value or ''}") * _BROAD / sheet.width(at)) for at, cell in enumerate(line))
        wraps = not sheet.header or row > sheet.header_row
        page.row_dimensions[row].height = _LINE_HEIGHT * (lines if wraps else 1)


def _make_table(page: Worksheet, sheet: Sheet, number: int) -> None:
    first = sheet.header_row
    area = f"A{first}:{get_column_letter(len(sheet.header))}{first + len(sheet.rows)}"
    page.add_table(Table(displayName=f"Table{number}", ref=area, tableStyleInfo=TableStyleInfo("TableStyleLight1")))
    page.freeze_panes = f"A{first + 1}" if sheet.text_only else f"{get_column_letter(_PLACES + 1)}{first + 1}"


def _dress(cell: Cell | MergedCell, sheet: Sheet) -> None:
    is_title, is_header = cell.row == 1, bool(sheet.header) and cell.row == sheet.header_row
    cell.font = Font(name=_LETTERS, size=14 if is_title else 11, bold=is_title or is_header)
    if isinstance(cell.value, int | float):
        cell.number_format = "#,##0" if not sheet.decimals else f"#,##0.{'0' * sheet.decimals}"
    if sheet.text_only:
        cell.alignment = Alignment(vertical="top", wrap_text=cell.column == max(1, len(sheet.header)))
    elif (cell.column or 0) > _PLACES:  # above and among numbers
        cell.alignment = Alignment(horizontal="right")


def _prepare_for_print(page: Worksheet, sheet: Sheet) -> None:
    """Set the width of a sheet of paper, with the header on each page."""
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if sheet.header:
        page.print_title_rows = f"{sheet.header_row}:{sheet.header_row}"
