"""Reads the attributes of a refused event, whatever is wrong with the rest of it."""

import re
from datetime import datetime

import msgspec
from msgspec import Struct

from contracts.authorities import current_code
from contracts.decoding.reading import BOM, UNREADABLE

SOURCE = re.compile(r"/authorities/(S\d{8})(?:/systems/([A-Za-z0-9._-]{1,64}))?")


class _Source(Struct):
    source: str

    def system_of(self, authority: str) -> str | None:
        """Return the system that sent it, empty if it names none; None if it claims to be from another authority."""
        source = SOURCE.fullmatch(self.source)
        if source is None or current_code(source[1]) != authority:
            return None
        return source[2] or ""


class Envelope(_Source):
    """The attributes of an event, with its sequence number."""

    time: datetime
    sequence: int | str | None = None

    @property
    def number(self) -> int:
        """Return the number; 0 if there is none that can be read."""
        try:
            return int(self.sequence or 0)
        except ValueError:
            return 0


_source, _envelope = msgspec.json.Decoder(_Source).decode, msgspec.json.Decoder(Envelope).decode


def read_envelope(raw: bytes | None) -> Envelope | None:
    """Read the envelope; None if not even that can be read."""
    try:
        return _envelope((raw or b"").removeprefix(BOM))
    except (ValueError, *UNREADABLE):
        return None


def system_in(raw: bytes | None, authority: str) -> str | None:
    """Return the system that a refused event names; None if it names none that can be read."""
    try:
        return _source((raw or b"").removeprefix(BOM)).system_of(authority)
    except (ValueError, *UNREADABLE):
        return None
