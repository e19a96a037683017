"""Decides which tables of a mapping a sheet holds: by its name, and where no name says so, by its headings. Pure."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from services.connect.extracts.columns import Headings
from services.connect.mapping.model import Heading

NEAR = 0.5
"""From this share of its headings on, a sheet is taken for a table of which some headings were changed."""


class Sought(NamedTuple):
    """How a mapping finds one of its tables."""

    file: str | None
    sheets: tuple[str, ...]
    """The patterns for the names of its sheets; none if the mapping names no sheet."""
    headings: tuple[Heading, ...]


class Place(NamedTuple):
    """Where a sheet is."""

    file: str
    """The name of its file; empty if nobody asks for that."""
    names: tuple[str, ...]
    """Its own name, or those of all sheets that are shown as one; the name of the file if that has no sheets."""
    is_file: bool
    """Whether the file has no sheets."""
    first: bool = True
    """Whether it is the first of its file."""


def fits(pattern: str | None, name: str) -> bool:
    """Return whether a name is as a pattern of a mapping says; any is, if there is none."""
    return pattern is None or fnmatchcase(name.casefold().strip(), pattern.casefold().strip())


def fitting(tables: Sequence[Sought], place: Place, share: Callable[[int], float]) -> list[int]:
    """Return the numbers of the tables that a sheet holds. `share` tells how many of a table's headings are there, by its number.

    A table that names the file or the sheet is there. One that names neither is there if all its headings are; if no table names the
    file, most of them are enough, since what is missing is said then. One whose sheet became a text file must have all of them, unless no
    other is nearer.
    """
    there = {number: table for number, table in enumerate(tables) if _may_be(table, place)}
    shares = {number: share(number) for number, table in there.items() if not is_named(table, place)}
    least = 1.0 if len(shares) < len(there) else NEAR
    found = [n for n, table in there.items() if n not in shares or shares[n] >= (1.0 if table.sheets else least)]
    if found:
        return found
    best = max(shares.values(), default=0.0)
    return [number for number, one in shares.items() if one == best >= NEAR]


def shared(found: Headings, wanted: Sequence[Heading]) -> float:
    """Return the share of the headings that are there."""
    return sum(map(found.has, wanted)) / len(wanted) if wanted else 1.0


def _may_be(table: Sought, place: Place) -> bool:
    if place.file and not fits(table.file, place.file):
        return False
    if place.is_file or not table.sheets:
        return place.first
    return any(fits(pattern, name) for pattern in table.sheets for name in place.names)


def is_named(table: Sought, place: Place) -> bool:
    """Return whether a table names the sheet, or the file, in which it is."""
    return table.file is not None or (bool(table.sheets) and not place.is_file)
