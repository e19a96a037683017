"""Which row of which file a refused event came from, as `payback connect` says in it."""

import re
from typing import NamedTuple

import msgspec
from msgspec import Struct

from contracts.decoding.envelope import EXTRACT_ROW
from contracts.decoding.reading import UNREADABLE

_ROW = re.compile(EXTRACT_ROW)


class ExtractRow(NamedTuple):
    """A row of a sheet."""

    file: str
    """The beginning of the file's digest, with which the outcome that lies beside the file begins too."""
    sheet: int
    row: int


class _Origin(Struct):
    extractrow: str


_read = msgspec.json.Decoder(_Origin).decode


def row_of(event: str) -> ExtractRow | None:
    """Of an event as it came, however spoilt it is."""
    try:
        said = _read(event).extractrow
    except (*UNREADABLE, UnicodeEncodeError):
        return None
    if not _ROW.fullmatch(said):
        return None
    file, sheet, row = said.split(".")
    return ExtractRow(file, int(sheet), int(row))
