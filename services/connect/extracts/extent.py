"""Refuses workbooks that unfold to more than an ordinary machine can hold.

The library that reads workbooks holds each sheet as a whole rectangle, from its first cell to its last. A few bytes of a file can unfold
to more than any machine has: one stray cell at the far corner of a sheet, or content that is compressed a thousandfold.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, is_zipfile

from services.connect.extracts.cells import letters
from services.connect.faults import CannotGoOn

MOST_BYTES = 1024 * 1024 * 1024
"""Largest workbook when unfolded. Every order that Scotland's courts impose in a year takes about a hundredth of that."""
MOST_CELLS = 50_000_000
"""Largest rectangle of one sheet, of which each cell takes some 24 bytes."""
_PIECE = 1024 * 1024
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_CELL = re.compile(rb"<(?:\w{1,9}:)?c\s[^>]{0,200}?\br\s?=\s?[\"']([A-Za-z]{1,3})(\d{1,7})[\"'](?:[^>]{0,200}[^>/])?>")
"""A cell that holds something. Others, such as those of a row that was only coloured, take no room."""
_LONGEST_TAG = 1024
_TAG = re.compile(
    rb"<(?:(table:table-row|table:table-cell|table:covered-table-cell|text:s)((?:\s+[^\s=<>/]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*/?|(/table:table))>"
)
"""What unfolds in an OpenDocument table: rows and cells that stand for many, and runs of blanks."""
_REPEATED = re.compile(rb"""\s(?:table:number-(?:rows|columns)-repeated|text:c)\s*=\s*["'](\d{1,9})["']""")
_VALUE = re.compile(rb"\soffice:value-type\s*=")
MOST_BLANKS = 50_000_000


def check(file: Path) -> None:
    """Raise CannotGoOn for a workbook that unfolds to too much."""
    if not is_zipfile(file):
        return
    try:
        with ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MOST_BYTES:
                raise CannotGoOn(
                    f"{file.name} unfolds to {size:,} bytes, more than the {MOST_BYTES:,} that can be read"
                )
            for member in archive.infolist():
                with archive.open(member) as content:
                    if _SHEET.fullmatch(member.filename):
                        _check_sheet(file.name, content)
                    elif member.filename == "content.xml":
                        _check_tables(file.name, content)
    except (BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        return  # whoever reads it says what is wrong with it


def _check_sheet(name: str, content: IO[bytes]) -> None:
    row = column = 0
    at = ""
    for found in _found(_CELL, content):
        place = _number(found[1])
        if place > column or int(found[2]) > row:
            row, column = max(row, int(found[2])), max(column, place)
            at = (found[1] + found[2]).decode().upper()
        if row * column > MOST_CELLS:
            raise CannotGoOn(
                f"{name} has a cell {at}, far from the others: a sheet as large as {letters(column - 1)}{row} cannot be read. "
                "Delete the rows and columns beyond your table, and save it again."
            )


def _check_tables(name: str, content: IO[bytes]) -> None:
    """Raise CannotGoOn for an OpenDocument workbook whose repeated cells or blanks come to too many."""
    table, blanks = _Table(), 0
    for found in _found(_TAG, content):
        number = int(repeated[1]) if (repeated := _REPEATED.search(found[2] or b"")) else 1
        match found[1]:
            case b"table:table-row":
                table.row(number)
            case b"text:s":
                blanks += number
            case None:
                table = _Table()
            case _:
                table.cell(number, holds=_VALUE.search(found[2]) is not None)
        if table.cells > MOST_CELLS or blanks > MOST_BLANKS:
            raise CannotGoOn(
                f"{name} has cells that are repeated so often that it cannot be read. "
                "Delete the rows and columns beyond your table, and save it again."
            )


class _Table:
    """The rectangle of a table up to its last cell that holds something."""

    def __init__(self) -> None:
        self._rows = self._columns = self._empty = self._repeated = self._at = 0

    @property
    def cells(self) -> int:
        return self._rows * self._columns

    def row(self, number: int) -> None:
        self._empty += self._repeated
        self._repeated, self._at = number, 0

    def cell(self, number: int, *, holds: bool) -> None:
        self._at += number
        if holds:
            self._rows += self._empty + self._repeated
            self._empty = self._repeated = 0
            self._columns = max(self._columns, self._at)


def _found(pattern: re.Pattern[bytes], content: IO[bytes]) -> Iterator[re.Match[bytes]]:
    rest = b""
    while piece := content.read(_PIECE):
        rest += piece
        end = 0
        for found in pattern.finditer(rest):
            end = found.end()
            yield found
        rest = rest[max(end, len(rest) - _LONGEST_TAG) :]


def _number(column: bytes) -> int:
    place = 0
    for letter in column.upper():
        place = 26 * place + letter - 64
    return place
