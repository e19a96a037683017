"""Files of events, one a line, of any size."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from contracts.decoding.codec import MAX_BYTES
from contracts.decoding.reading import BOM

_PIECE = 64 * 1024
_ENOUGH = 2 * MAX_BYTES
"""How much is kept of a line that is too long: as much as is needed to refuse it."""


class Line(NamedTuple):
    """A line that is not blank."""

    number: int
    """The number of the line from 1; blank lines are counted."""
    raw: bytes
    end: int
    """The byte at which the next line begins, counted from where reading began."""


def is_blank(raw: bytes) -> bool:
    """Return whether a line is blank: spaces, or a byte order mark."""
    return not raw.removeprefix(BOM).strip()


def lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of a file from its present position, in bounded memory."""
    end = 0
    for number, (raw, length) in enumerate(_whole_lines(file), 1):
        end += length
        if not is_blank(raw):
            yield Line(number, raw.rstrip(b"\r"), end)


def _whole_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    kept, length = b"", 0
    while piece := file.readline(_PIECE):
        length += len(piece)
        kept = (kept + piece)[:_ENOUGH]
        if piece.endswith(b"\n"):
            yield kept.removesuffix(b"\n"), length
            kept, length = b"", 0
    if length:
        yield kept, length
