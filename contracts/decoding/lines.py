"""Files of events, one a line, of any size."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from contracts.decoding.codec import MAX_BYTES
from contracts.decoding.reading import BOM

_PIECE = 64 * 1024
_ENOUGH = 2 * MAX_BYTES
"""Of a line beyond any limit only so much is kept as is needed to refuse it."""


class Line(NamedTuple):
    """A line that is not blank."""

    number: int
    """From 1, blank lines counted."""
    raw: bytes
    end: int
    """Where the next line begins, in bytes from where reading began."""


def is_blank(raw: bytes) -> bool:
    """Whether a line says nothing: blanks, or a byte order mark."""
    return not raw.removeprefix(BOM).strip()


def lines(file: BinaryIO) -> Iterator[Line]:
    """The lines of a file from where it stands, in bounded memory."""
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
