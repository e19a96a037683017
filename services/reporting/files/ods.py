"""The same sheets as an OpenDocument spreadsheet."""

import io
from collections.abc import Mapping, Sequence

from odf.config import ConfigItem, ConfigItemMapEntry, ConfigItemMapIndexed, ConfigItemMapNamed, ConfigItemSet
from odf.dc import Language, Title
from odf.element import Element
from odf.namespaces import STYLENS, nsdict
from odf.number import Number, NumberStyle
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import (
    MasterPage,
    PageLayout,
    PageLayoutProperties,
    ParagraphProperties,
    Style,
    TableCellProperties,
    TableColumnProperties,
    TableProperties,
    TextProperties,
)
from odf.table import DatabaseRange, DatabaseRanges, Table, TableCell, TableColumn, TableHeaderRows, TableRow
from odf.text import A, P

from services.reporting.files.workbook import Cell, Sheet

Element.namespaces.update(
    nsdict
)  # The library declares the styles that it has met so far: with all of them, each document is the same at any time.
_CHARACTER = 0.22
"""Width of a character, in centimetres."""
_PLACES = 2
"""How many columns name the area, and stay visible."""


def as_ods(title: str, sheets: Sequence[Sheet]) -> bytes:
    """Return the spreadsheet. The header row of each table is marked as one."""
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
    book.meta.addElement(_told(Title(), title))
    book.meta.addElement(_told(Language(), "en-GB"))
    book.settings.addElement(_what_stays_in_sight(sheets))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _told(element: Element, words: str) -> Element:
    element.addText(words)
    return element


def _what_stays_in_sight(sheets: Sequence[Sheet]) -> Element:
    """Freeze the header row, and in tables of numbers the columns that name the area."""
    tables = ConfigItemMapNamed(name="Tables")
    for sheet in sheets:
        if sheet.header:
            tables.addElement(_entry(sheet.name, _split("Vertical", "Bottom", sheet.header_row), _aside(sheet)))
    view, views = ConfigItemMapEntry(), ConfigItemMapIndexed(name="Views")
    view.addElement(tables)
    views.addElement(view)
    found = ConfigItemSet(name="ooo:view-settings")
    found.addElement(views)
    return found


def _aside(sheet: Sheet) -> Mapping[str, int]:
    return {} if sheet.text_only else _split("Horizontal", "Right", _PLACES)


def _split(direction: str, side: str, position: int) -> Mapping[str, int]:
    frozen = 2
    return {f"{direction}SplitMode": frozen, f"{direction}SplitPosition": position, f"Position{side}": position}


def _entry(name: str, *settings: Mapping[str, int]) -> Element:
    entry = ConfigItemMapEntry(name=name)
    for key, value in {name: value for each in settings for name, value in each.items()}.items():
        entry.addElement(_told(ConfigItem(name=key, type="short" if key.endswith("Mode") else "int"), f"{value}"))
    return entry


class _Styles:
    """The styles of headings, text and numbers, by name."""

    def __init__(self, book: Element) -> None:
        self._book = book
        self.page = self._page()
        self.text = self._cell("text")
        self.title = self._cell("title", fontsize="14pt", fontweight="bold")
        self.heading = self._cell("heading", fontweight="bold")
        self.numbers_heading = self._cell("numbers_heading", right=True, fontweight="bold")
        self.mark = self._cell("mark", right=True)
        self.line = self._cell("line", wraps=True)
        self.numbers = {decimals: self._number(decimals) for decimals in (0, 1)}
        self._columns: dict[int, Element] = {}

    def column(self, characters: int) -> Element:
        """Return a column as wide as so many characters."""
        if characters not in self._columns:
            style = Style(name=f"column{characters}", family="table-column")
            style.addElement(TableColumnProperties(columnwidth=f"{characters * _CHARACTER:.2f}cm"))
            self._columns[characters] = self._added(style)
        return self._columns[characters]

    def _added(self, style: Element) -> Element:
        self._book.automaticstyles.addElement(style)
        return style

    def _cell(
        self, name: str, *, right: bool = False, wraps: bool = False, shape: Element | None = None, **letters: str
    ) -> Element:
        look = {} if shape is None else {"datastylename": shape}
        style = Style(name=name, family="table-cell", **look)
        style.addElement(TextProperties(**{"fontfamily": "Arial", "fontsize": "11pt"} | letters))
        style.addElement(TableCellProperties(verticalalign="top", **({"wrapoption": "wrap"} if wraps else {})))
        if right:
            style.addElement(ParagraphProperties(textalign="end"))
        return self._added(style)

    def _number(self, decimals: int) -> Element:
        shape = NumberStyle(name=f"number{decimals}")
        shape.addElement(Number(decimalplaces=decimals, minintegerdigits=1, grouping="true"))
        self._added(shape)
        return self._cell(f"cell{decimals}", right=True, shape=shape)

    def _page(self) -> Element:
        """Return a page as wide as a sheet of paper."""
        layout = PageLayout(name="landscape")
        properties = PageLayoutProperties(printorientation="landscape", pagewidth="29.7cm", pageheight="21cm")
        properties.setAttrNS(STYLENS, "scale-to-X", "1")
        layout.addElement(properties)
        self._book.automaticstyles.addElement(layout)
        self._book.masterstyles.addElement(MasterPage(name="Default", pagelayoutname=layout))
        style = Style(name="sheet", family="table", masterpagename="Default")
        style.addElement(TableProperties(display="true"))
        return self._added(style)


def _sheet(styles: _Styles, sheet: Sheet) -> Element:
    table = Table(name=sheet.name, stylename=styles.page)
    for column in range(max(1, len(sheet.header))):
        table.addElement(TableColumn(stylename=styles.column(sheet.width(column))))
    for place, line in enumerate((sheet.title, *sheet.words)):
        wraps = styles.line if sheet.text_only and not sheet.header else styles.text
        table.addElement(_row([line], [styles.title if place == 0 else wraps]))
    if sheet.header:
        header = TableHeaderRows()
        header.addElement(_row(sheet.header, _headings(styles, sheet)))
        table.addElement(header)
    looks = _looks(styles, sheet)
    for place, row in enumerate(sheet.rows):
        link = sheet.links[place] if sheet.links else ""
        table.addElement(_row(row, looks, styles.numbers[sheet.decimals], link))
    return table


def _headings(styles: _Styles, sheet: Sheet) -> list[Element]:
    beyond = styles.heading if sheet.text_only else styles.numbers_heading
    return [styles.heading if at < _PLACES else beyond for at in range(len(sheet.header))]


def _looks(styles: _Styles, sheet: Sheet) -> list[Element]:
    """Return the styles of text in each column."""
    if sheet.text_only:
        return [*[styles.text] * (len(sheet.header) - 1), styles.line]
    return [styles.text if at < _PLACES else styles.mark for at in range(len(sheet.header))]


def _row(cells: Sequence[Cell], looks: Sequence[Element], number: Element | None = None, link: str = "") -> Element:
    row = TableRow()
    for place, (value, look) in enumerate(zip(cells, looks, strict=True)):
        row.addElement(_cell(value, look, number, link if place == 0 else ""))
    return row


def _cell(value: Cell, look: Element, number: Element | None, link: str) -> Element:
    if value is None:
        return TableCell(stylename=look)
    if isinstance(value, int | float):
        return TableCell(valuetype="float", value=repr(value), stylename=number)
    cell, text = TableCell(valuetype="string", stylename=look), P()
    if link:
        text.addElement(A(href=f"#'{link}'.A1", text=value, type="simple"))
    else:
        text.addText(value)
    cell.addElement(text)
    return cell


def _range(sheet: Sheet) -> str:
    first, last = sheet.header_row, sheet.header_row + len(sheet.rows)
    return f"'{sheet.name}'.A{first}:'{sheet.name}'.{_letter(len(sheet.header))}{last}"


def _letter(number: int) -> str:
    return chr(64 + number) if number <= 26 else chr(64 + (number - 1) // 26) + chr(65 + (number - 1) % 26)
