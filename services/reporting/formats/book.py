"""A workbook of figures: a cover, the figures, and what their codes mean. Whoever makes one imports this: its library takes 9 MB."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from services.chassis import workbooks
from services.reporting.formats.linked_names import Dimension


def as_workbook(
    cover: Sequence[Sequence[str]],
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    described: Mapping[str, Dimension],
) -> bytes:
    """Return a workbook. The cover begins with a title."""
    book = Workbook()
    _add_cover(book, cover)
    _add_figures(book, header, rows)
    _add_dimensions(book, described)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _add_cover(book: Workbook, lines: Sequence[Sequence[str]]) -> None:
    """Add the first sheet: a title, and what readers must know."""
    cover = book.worksheets[0]
    cover.title = "Cover"
    workbooks.append(cover, lines)
    cover["A1"].font = Font(bold=True, size=14)
    cover.column_dimensions["A"].width, cover.column_dimensions["B"].width = 28, 100


def _add_figures(book: Workbook, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add the sheet of figures."""
    sheet = book.create_sheet("Figures")
    workbooks.append(sheet, [header, *rows])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for index in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(index)].width = 18


def _add_dimensions(book: Workbook, described: Mapping[str, Dimension]) -> None:
    """Add a sheet with the meanings of the codes in the figures."""
    sheet = book.create_sheet("Dimensions")
    workbooks.append(sheet, [["column", "code", "label", "linked data"]])
    for name, dimension in described.items():
        workbooks.append(sheet, ([name, code, value.label, value.uri] for code, value in dimension.values.items()))
    for column, width in zip("ABCD", (12, 24, 40, 80), strict=True):
        sheet[f"{column}1"].font = Font(bold=True)
        sheet.column_dimensions[column].width = width
