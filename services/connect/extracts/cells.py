"""The values of cells, how people read them, and their names: `Orders!C14`. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

Scalar = str | int | float | bool | date | datetime | time | timedelta
"""The value of a cell. An empty cell holds an empty text."""
Grid = Iterator[Sequence[Scalar]]
"""Rows from the first, blank ones included, each from column A."""


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a heading or word without what people vary: case, blanks, dots, brackets."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def letters(place: int) -> str:
    """Return the name of a column: A, B, ... Z, AA."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(65 + rest) + found
    return found


def text_of(cell: Scalar) -> str:
    """Return the cell as a person reads it; whole numbers without a decimal point."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
