"""Decompresses Kafka's batches piece by piece, so that no more is held than is read."""

import zlib
from typing import Any, Protocol

import zstandard
from aiokafka import codec
from lz4.frame import LZ4FrameDecompressor

WHOLE = 16 * 1024 * 1024
"""The largest batch that is decompressed at once."""
PLAIN, GZIP, SNAPPY, LZ4, ZSTD = 0, 1, 2, 3, 4
"""Kafka's numbers of the codecs."""
BROKEN = (zlib.error, zstandard.ZstdError, RuntimeError)
"""Errors of decompressors for data that is not theirs."""


class Oversized(Exception):
    """Decompressed, the batch would be too large to hold or read."""


class Inflating(Protocol):
    """Decompresses piece by piece."""

    def read(self, most: int) -> bytes:
        """Return up to `most` further bytes; none at the end."""


class _Gzip:
    def __init__(self, raw: bytes) -> None:
        self._inflater, self._rest = zlib.decompressobj(31), raw

    def read(self, most: int) -> bytes:
        out = self._inflater.decompress(self._rest, most)
        self._rest = self._inflater.unconsumed_tail
        return out


class _Lz4:
    def __init__(self, raw: bytes) -> None:
        self._inflater, self._rest = LZ4FrameDecompressor(), raw

    def read(self, most: int) -> bytes:
        if self._inflater.eof:
            return b""
        out: bytes = self._inflater.decompress(self._rest, max_length=most)
        self._rest = b""
        return out


class _Held:
    """Data that is held as a whole."""

    def __init__(self, out: bytes) -> None:
        self._out, self._at = out, 0

    def read(self, most: int) -> bytes:
        begin, self._at = self._at, self._at + most
        return bytes(self._out[begin : self._at])


def inflating(kind: int, raw: bytes) -> Inflating:
    match kind:
        case 0:
            return _Held(raw)
        case 1:
            return _Gzip(raw)
        case 2:  # Snappy cannot expand much: a block of 1 MB holds some 21 MB at most
            return _Held(codec.snappy_decode(raw))
        case 3:
            return _Lz4(raw)
        case _:
            reader: Inflating = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
            return reader


def whole(kind: int, raw: Any) -> bytes:
    """Return everything decompressed, for aiokafka. Raises Oversized."""
    piecemeal = inflating(kind, bytes(raw))
    pieces, room = [], WHOLE + 1
    while room and (piece := piecemeal.read(room)):
        pieces.append(piece)
        room -= len(piece)
    if not room:
        raise Oversized
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
