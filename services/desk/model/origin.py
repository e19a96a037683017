"""Reads what a refused event says of itself: its id, its order, and the row of a file from which it came."""

import re
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from contracts.decoding.envelope import EXTRACT_ROW
from contracts.decoding.reading import UNREADABLE

_ROW = re.compile(EXTRACT_ROW)


class ExtractRow(NamedTuple):
    """A row of a sheet."""

    file: str
    """The beginning of the file's digest, with which the report beside the file begins too."""
    sheet: int
    row: int


class _Origin(Struct):
    extractrow: str


_read = msgspec.json.Decoder(_Origin).decode
_read_members = msgspec.json.Decoder(dict[str, Any]).decode
_LONGEST = 64
"""Most characters shown in a list; anything longer is not a reference of an order."""


def row_of(event: str) -> ExtractRow | None:
    """Return the row that an event names, however damaged the event is; None if it names none."""
    try:
        said = _read(event).extractrow
    except (*UNREADABLE, UnicodeEncodeError):
        return None
    if not _ROW.fullmatch(said):
        return None
    file, sheet, row = said.split(".")
    return ExtractRow(file, int(sheet), int(row))


def subject_of(event: str) -> str:
    """Return the order reference of an event as it came; empty if none can be read."""
    subject = _member(event, "subject")
    return subject if len(subject) <= _LONGEST else ""


def id_of(event: str) -> str:
    """Return the id of an event; empty if none can be read."""
    return _member(event, "id")


def _member(event: str, name: str) -> str:
    try:
        said = _read_members(event).get(name)
    except (*UNREADABLE, UnicodeEncodeError):
        return ""
    return said if isinstance(said, str) else ""
