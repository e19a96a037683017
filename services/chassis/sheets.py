"""Tables as CSV, in which no text becomes a formula on the reader's machine."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO

Value = str | int | float | bool | date | None
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these too
"""The beginnings that make a cell a formula."""


def plain(value: Value) -> Value:
    """Return the value as a cell of CSV. Text that a spreadsheet would compute gets an apostrophe, which marks it as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value


def as_csv(rows: Iterable[Sequence[Value]]) -> str:
    """Write rows as CSV, as in RFC 4180."""
    text = StringIO()
    csv.writer(text).writerows([plain(value) for value in row] for row in rows)
    return text.getvalue()
