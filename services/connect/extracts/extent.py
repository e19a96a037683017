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
                if _SHEET.fullmatch(member.filename):
                    with archive.open(member) as content:
                        _check_sheet(file.name, content)
    except (BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        return  # whoever reads it says what is wrong with it


def _check_sheet(name: str, content: IO[bytes]) -> None:
    row = column = 0
    at = ""
    for found in _cells(content):
        place = _number(found[1])
        if place > column or int(found[2]) > row:
            row, column = max(row, int(found[2])), max(column, place)
            at = (found[1] + found[2]).decode().upper()
        if row * column > MOST_CELLS:
            raise CannotGoOn(
                f"{name} has a cell {at}, far from the others: a sheet as large as {letters(column - 1)}{row} cannot be read. "
                "Delete the rows and columns beyond your table, and save it again."
            )


def _cells(content: IO[bytes]) -> Iterator[re.Match[bytes]]:
    rest = b""
    while piece := content.read(_PIECE):
        rest += piece
        end = 0
        for found in _CELL.finditer(rest):
            end = found.end()
            yield found
        rest = rest[max(end, len(rest) - _LONGEST_TAG) :]


def _number(column: bytes) -> int:
    place = 0
    for letter in column.upper():
        place = 26 * place + letter - 64
    return place
