"""The values of cells, how people read them, and their names: `Orders!C14`. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

Scalar = str | int | float | bool | date | datetime | time | timedelta
"""The value of a cell. An empty cell holds an empty text."""
Grid = Iterator[Sequence[Scalar]]
"""Rows from the first, blank ones included, each from column A."""


_APOSTROPHES = re.compile(r"(?<=\w)['\u2019](?=\w)")
NOTHING = frozenset({"n a", "na", "not applicable", "tbc", "tba", "to be confirmed", "to be arranged"})
"""Words that say that there is nothing to say, in the form that `plain` gives them."""
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212. /")


def says_nothing(cell: Scalar, words: Collection[str] = NOTHING) -> bool:
    """Return whether a cell is empty, or holds dashes or one of these words in place of a value."""
    if not isinstance(cell, str):
        return False
    text = cell.strip()
    return not text or _DASHES.issuperset(text) or plain(text) in words


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a heading or word without what people vary: case, blanks, dots, brackets."""
    return " ".join(re.findall(r"[^\W_]+", _APOSTROPHES.sub("", text.casefold())))


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
