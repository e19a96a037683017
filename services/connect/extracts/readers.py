"""Turns files into tables as they are: any encoding, separator and kind of workbook. It knows nothing of their meaning."""

import csv
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from services.connect.extracts import extent
from services.connect.extracts.cells import Grid, Scalar
from services.connect.faults import CannotGoOn

WORKBOOKS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
TEXTS = {".csv", ".tsv", ".txt"}
_SEPARATORS = ",;\t|"
_LOOK_AT = 50
_LONGEST_CELL = 1 << 20
LONGEST_TEXT = 1_000
"""Of a longer text the beginning is read: nothing in an event is that long, and to look for dates in it would take for ever."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a file that can be read from its first row."""

    file: Path
    name: str
    """The name of the sheet, or of the file if it has no sheets."""
    epoch: int
    """The year from which its numbered dates count."""
    encoding: str = ""
    separator: str = ""
    number: int = 1
    """The number of the sheet in its file."""

    def rows(self) -> Grid:
        """Yield the rows. Raises CannotGoOn if the file is damaged."""
        return self._text() if self.separator else self._workbook()

    def _text(self) -> Grid:
        csv.field_size_limit(_LONGEST_CELL)
        try:
            with self.file.open(encoding=self.encoding, newline="") as stream:
                reader = csv.reader(stream, delimiter=self.separator)
                for number, row in enumerate(reader):
                    yield [] if number == 0 and row and row[0].startswith("sep=") else _cut(row)
        except UnicodeDecodeError:
            raise CannotGoOn(f"{self.file.name} is damaged: it is not text in {self.encoding} throughout") from None
        except csv.Error:
            raise CannotGoOn(
                f"{self.file.name} is damaged: a cell is too long, or its quotation marks do not close"
            ) from None

    def _workbook(self) -> Grid:
        with _opened(self.file) as book:
            try:
                sheet = book.get_sheet_by_name(self.name)
            except CalamineError as fault:
                raise CannotGoOn(f"{self.file.name} is damaged: {fault}") from None
            before = [""] * (sheet.start[1] if sheet.start else 0)
            for row in sheet.iter_rows():
                yield [*before, *_cut(row)]


def _cut(row: Sequence[Scalar]) -> Sequence[Scalar]:
    """Return the row, with the beginnings of long texts."""
    for cell in row:
        if isinstance(cell, str) and len(cell) > LONGEST_TEXT:
            return [one[:LONGEST_TEXT] if isinstance(one, str) else one for one in row]
    return row


def sheets(file: Path, encoding: str | None = None, separator: str | None = None) -> list[Sheet]:
    """Return the tables of a file. Raises CannotGoOn if the file cannot be read."""
    suffix = file.suffix.lower()
    if not file.is_file():
        raise CannotGoOn(f"{file} does not exist")
    if suffix in WORKBOOKS:
        extent.check(file)
        with _opened(file) as book:
            epoch = _epoch(file)
            return [Sheet(file, name, epoch, number=number) for number, name in enumerate(book.sheet_names, 1)]
    if suffix in TEXTS:
        encoding = encoding or encoding_of(file)
        return [Sheet(file, file.name, 1900, encoding, separator or _separator_of(file, encoding))]
    raise CannotGoOn(f"{file.name} is neither a workbook (xlsx, xls, ods) nor text (csv)")


def encoding_of(file: Path) -> str:
    """Return the encoding: UTF-8 or UTF-16 if the text is valid, else Windows-1252, in which British and Irish systems write."""
    with file.open("rb") as stream:
        start = stream.read(4096)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding, upper in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if upper.count(0) > len(start) / 4:
            return encoding
    return next((encoding for encoding in ("utf-8-sig", "cp1252") if _reads(file, encoding)), "latin-1")


def _reads(file: Path, encoding: str) -> bool:
    try:
        with file.open(encoding=encoding, newline="") as stream:
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _separator_of(file: Path, encoding: str) -> str:
    with file.open(encoding=encoding, newline="", errors="replace") as stream:
        lines = list(islice(stream, _LOOK_AT))
    if lines and (told := re.match(r"sep=(.)", lines[0])):
        return told[1]
    return max(_SEPARATORS, key=lambda one: _agreement(lines, one))


def _agreement(lines: list[str], separator: str) -> tuple[int, int]:
    """Return how many rows have the same number of cells, if that is more than one, and how many cells."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if len(row) > 1)
    except csv.Error:
        return (0, 0)
    return max(((rows, cells) for cells, rows in counts.items()), default=(0, 0))


def _opened(file: Path) -> "closing[CalamineWorkbook]":
    try:
        return closing(CalamineWorkbook.from_path(file))
    except (CalamineError, OSError) as fault:
        raise CannotGoOn(f"{file.name} cannot be opened as a workbook: {fault}") from None


def _epoch(file: Path) -> int:
    """Return the year from which a workbook counts dates; calamine applies it itself to cells marked as dates."""
    if file.suffix.lower() in {".xlsx", ".xlsm"} and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            properties = re.search(rb"<(?:\w+:)?workbookPr\b[^>]*>", archive.read("xl/workbook.xml"))
        if properties and re.search(rb"""date1904\s*=\s*["'](1|true|on)["']""", properties[0]):
            return 1904
    return 1900
