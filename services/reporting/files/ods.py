"""The same sheets as an OpenDocument spreadsheet."""

import io
from collections.abc import Sequence

from odf.dc import Title
from odf.element import Element
from odf.number import Number, NumberStyle
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableColumnProperties, TextProperties
from odf.table import DatabaseRange, DatabaseRanges, Table, TableCell, TableColumn, TableHeaderRows, TableRow
from odf.text import A, P

from services.reporting.files.workbook import Cell, Sheet

_WIDTHS = ("3.5cm", "7cm", "3cm")


def as_ods(title: str, sheets: Sequence[Sheet]) -> bytes:
    """The header row of each table is marked as one."""
    book = OpenDocumentSpreadsheet()
    styles = _Styles(book)
    ranges = DatabaseRanges()
    for number, sheet in enumerate(sheets, 1):
        book.spreadsheet.addElement(_sheet(styles, sheet))
        if sheet.header:
            ranges.addElement(
                DatabaseRange(name=f"Table{number}", targetrangeaddress=_range(sheet), containsheader="true")
            )
    book.spreadsheet.addElement(ranges)
    book.meta.addElement(_title(title))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _title(words: str) -> Element:
    found = Title()
    found.addText(words)
    return found


class _Styles:
    """How headings and numbers look, by name."""

    def __init__(self, book: Element) -> None:
        self.heading = Style(name="heading", family="table-cell")
        self.heading.addElement(TextProperties(fontweight="bold"))
        book.automaticstyles.addElement(self.heading)
        self.numbers = {decimals: self._number(book, decimals) for decimals in (0, 1)}
        self.columns = [self._column(book, width) for width in _WIDTHS]

    @staticmethod
    def _number(book: Element, decimals: int) -> Element:
        shape = NumberStyle(name=f"number{decimals}")
        shape.addElement(Number(decimalplaces=decimals, minintegerdigits=1, grouping="true"))
        style = Style(name=f"cell{decimals}", family="table-cell", datastylename=shape)
        book.automaticstyles.addElement(shape)
        book.automaticstyles.addElement(style)
        return style

    @staticmethod
    def _column(book: Element, width: str) -> Element:
        style = Style(name=f"column{width}", family="table-column")
        style.addElement(TableColumnProperties(columnwidth=width))
        book.automaticstyles.addElement(style)
        return style


def _sheet(styles: _Styles, sheet: Sheet) -> Element:
    table = Table(name=sheet.name)
    for index in range(max(1, len(sheet.header))):
        table.addElement(TableColumn(stylename=styles.columns[min(index, 2)]))
    for place, line in enumerate((sheet.title, *sheet.words)):
        table.addElement(_row([line], styles.heading if place == 0 else None))
    if sheet.header:
        header = TableHeaderRows()
        header.addElement(_row(sheet.header, styles.heading))
        table.addElement(header)
    for place, row in enumerate(sheet.rows):
        link = sheet.links[place] if sheet.links else ""
        table.addElement(_row(row, None, styles.numbers[sheet.decimals], link))
    return table


def _row(cells: Sequence[Cell], style: Element | None, number: Element | None = None, link: str = "") -> Element:
    row = TableRow()
    for place, value in enumerate(cells):
        row.addElement(_cell(value, style, number, link if place == 0 else ""))
    return row


def _cell(value: Cell, style: Element | None, number: Element | None, link: str) -> Element:
    look = {} if style is None else {"stylename": style}
    if value is None:
        return TableCell(**look)
    if isinstance(value, int | float):
        return TableCell(valuetype="float", value=repr(value), stylename=number)
    cell, text = TableCell(valuetype="string", **look), P()
    if link:
        text.addElement(A(href=f"#'{link}'.A1", text=value, type="simple"))
    else:
        text.addText(value)
    cell.addElement(text)
    return cell


def _range(sheet: Sheet) -> str:
    first = len(sheet.words) + 2
    last = first + len(sheet.rows)
    return f"'{sheet.name}'.A{first}:'{sheet.name}'.{_letter(len(sheet.header))}{last}"


def _letter(number: int) -> str:
    return chr(64 + number) if number <= 26 else chr(64 + (number - 1) // 26) + chr(65 + (number - 1) % 26)
