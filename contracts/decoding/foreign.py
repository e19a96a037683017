"""Recognises files that hold no events by how they begin, so that this is said once and clearly. Pure."""

import csv
import re
from itertools import pairwise

from contracts.decoding.reading import BOM, encoding_of

_TABLE = "payback connect makes events from tables"
_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", f"a ZIP file, as XLSX workbooks are: {_TABLE}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an old Office file, as XLS workbooks are: {_TABLE}"),
    (b"\x1f\x8b\x08", "compressed with gzip: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"),
    (b"BZh", "compressed with bzip2: unpack it first"),
    (b"7z\xbc\xaf", "compressed with 7-Zip: unpack it first"),
    (b"PAR1", f"a Parquet file: {_TABLE}"),
    (b"%PDF-", "a PDF document"),
)
_SEPARATORS = ",;\t|"
_FIRST_LINES = 10
_ARRAY = re.compile(rb"\[\s*\{\s*\"")
_SPREAD = re.compile(rb'\{[ \t]*\r?\n\s*"\w+"\s*:')
_SURE = 16
ENOUGH = 4096
"""How many bytes are enough to recognise a file."""


def kind_of_file(head: bytes) -> str | None:
    """Return what a file that begins like this is, in words; None if it may be lines of JSON."""
    for mark, words in _KINDS:
        if head.startswith(mark):
            return words
    encoding = encoding_of(head)
    if encoding is not None and len(head) >= _SURE and head.count(0) * 3 >= len(head):
        return f"text in {encoding}, not UTF-8: save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)"
    return _kind_of_text(head.removeprefix(BOM).lstrip())


def _kind_of_text(head: bytes) -> str | None:
    if _ARRAY.match(head):
        return "one JSON array: write each event on a line of its own, or send it as a batch over HTTP"
    if _SPREAD.match(head):
        return "JSON that is spread over several lines: write each event on one line"
    if head.startswith(b"<"):
        return "XML or HTML"
    lines = [line.strip(" ") for line in head.decode("utf-8", "replace").splitlines() if line.strip()][:_FIRST_LINES]
    return f"a table, as CSV files are: {_TABLE}" if _is_table(lines) else None


def _is_table(lines: list[str]) -> bool:
    """Return whether the lines are rows as wide as the one before, perhaps below a title, or a heading alone. If any line is an object,
    they are not.
    """
    if any(line.startswith(("{", "[")) for line in lines):
        return False
    for separator in _SEPARATORS:
        rows = list(csv.reader(lines, delimiter=separator))
        widths = [len(row) for row in rows]
        if any(sum(map(bool, row)) > 1 for row in rows) and (
            len(widths) == 1 or any(a == b > 1 for a, b in pairwise(widths))
        ):
            return True
    return False
