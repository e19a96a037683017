"""Limits the memory and time of a fetch, however much was compressed into it: 13 KB may expand to 400 MB.

aiokafka decompresses a batch as a whole, and makes an object of each header: 2 bytes become 64. Here, a batch that would be larger than
`WHOLE`, or that holds a record longer than `LONG`, is read as a stream instead, record by record, and no more of a record is kept than
shows that it is too large. `install` replaces aiokafka's own classes.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from typing import Any
from weakref import proxy

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from contracts.decoding.codec import MAX_BYTES
from services.chassis.streaming.fetching.inflating import BROKEN, PLAIN, Inflating, Oversized, inflating, whole

LONGEST = MAX_BYTES + 1
"""How many bytes of a key or value are kept: enough to see that it is too large."""
LONG = 2 * LONGEST
"""The longest record that aiokafka may read: one that is longer is too large, or has too many headers."""
HEADER_BYTES = 64
"""How much a header takes besides its name and content."""
RECORD_BYTES = 2 * 1024
"""How much a record may take besides its key, value and headers, from here to the end of its transaction; a test measures it."""
INFLATED = 128 * 1024 * 1024
"""How much of one batch is decompressed at most, piece by piece; the broker limits its compressed size."""
FETCHED = 32 * 1024 * 1024
"""How many bytes of one partition are handed over at once, or decompressed for that if they are more: others wait meanwhile."""
PIECE = 256 * 1024
_LENGTH, _MAGIC = Struct(">i"), 16
_LOG_OVERHEAD = 12
_ATTRIBUTES_AT, _COUNT_AT, _HEADER = 22, 57, 61
_CODEC = 0b111
_LONGEST_SHIFT, _LONGEST_NUMBER = 63, 10


@dataclass(frozen=True, slots=True)
class _Record:
    """A record in aiokafka's form."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    checksum: None = None


class _Reader:
    """Reads the records of a batch, and skips those that are too long to be kept."""

    def __init__(self, inflating: Inflating) -> None:
        self._inflating, self._held, self._at, self._left = inflating, b"", 0, INFLATED

    @property
    def place(self) -> int:
        """Return how many bytes were read."""
        return INFLATED - self._left - len(self._held) + self._at

    def varint(self) -> int:
        shift = number = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number >> 1 ^ -(number & 1)
            shift += 7
            if shift > _LONGEST_SHIFT:
                raise CorruptRecordException("a number has no end")

    def string(self) -> bytes | None:
        """Return a string of bytes with its length before it, as far as it is kept."""
        length = self.varint()
        if length < 0:
            return None
        kept = self.take(min(length, LONGEST))
        self.skip(length - len(kept))
        return kept

    def take(self, number: int) -> bytes:
        pieces = []
        while number:
            piece = self._held[self._at : self._at + number]
            pieces.append(piece)
            self._at += len(piece)
            number -= len(piece)
            if number:
                self._more()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip(self, number: int) -> None:
        while number > len(self._held) - self._at:
            number -= len(self._held) - self._at
            self._more()
        self._at += number

    def _more(self) -> None:
        if self._left <= 0:
            raise Oversized
        self._held, self._at = self._inflating.read(PIECE), 0
        self._left -= len(self._held)
        if not self._held:
            raise CorruptRecordException("a batch ends too soon")


@dataclass(slots=True)
class Meter:
    """How many bytes of records the batches of a fetch turned out to be, as far as they were read."""

    inflated: int = 0


class Batch:
    """A batch in aiokafka's form, except for how its records are read."""

    def __init__(self, raw: bytes, meter: Meter) -> None:
        self._raw, self._batch, self._meter = raw, DefaultRecordBatch(raw), meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = self._records()
        except Oversized:
            return self._streamed()
        except Exception:  # noqa: BLE001 - whatever a decompressor says to what is none of its own
            return self._unread(self._batch.base_offset, b"")
        self._meter.inflated += len(records)
        return self._read(records)

    def _records(self) -> bytes:
        """Return the records as they were before they were compressed. Raises Oversized, or what a decompressor raises."""
        records, kind = self._raw[_HEADER:], self._batch.compression_type
        return records if kind == PLAIN else whole(kind, records)

    def _read(self, raw: bytes) -> Iterator[Any]:
        """Read decompressed records as aiokafka does. From one on that is too long, or that it cannot read, such as one with a header whose
        name is no text, continue as a stream.

        Each length is looked at just before its record is read: a batch may have a million, for which others would wait.
        """
        header = bytearray(self._raw[:_HEADER])
        header[_ATTRIBUTES_AT] &= ~_CODEC
        records = iter(DefaultRecordBatch(bytes(header) + raw))
        at, following, number = 0, self._batch.base_offset, self._number
        with suppress(Exception):  # whatever it says to what it does not expect
            while number and (end := _end_of(raw, at)):
                record = next(records)
                yield record
                at, following, number = end, record.offset + 1, number - 1
        yield from self._rest(_Reader(inflating(PLAIN, raw[at:])), number, following)

    @property
    def _number(self) -> int:
        return int(_LENGTH.unpack_from(self._raw, _COUNT_AT)[0])

    def _streamed(self) -> Iterator[_Record]:
        """Yield every record for which there is room; those after it are treated as too large."""
        reader = _Reader(inflating(self._batch.compression_type, self._raw[_HEADER:]))
        return self._rest(reader, self._number, self._batch.base_offset)

    def _rest(self, reader: _Reader, number: int, following: int) -> Iterator[_Record]:
        """Yield so many records from this offset on."""
        before = self._meter.inflated
        try:
            for _ in range(number):
                record = self._record(reader)
                self._meter.inflated = before + reader.place
                yield record
                following = record.offset + 1
        except (Oversized, CorruptRecordException, *BROKEN):
            self._meter.inflated = before + reader.place
            yield from self._unread(following, b" " * LONGEST)

    def _record(self, reader: _Reader) -> _Record:
        batch = self._batch
        length = reader.varint()
        end = reader.place + length
        reader.take(1)
        timestamp = batch.first_timestamp + reader.varint()
        offset = batch.base_offset + reader.varint()
        key, value = reader.string(), reader.string()
        headers, room = [], LONGEST
        for _ in range(reader.varint()):
            name, content = reader.string() or b"", reader.string()
            room -= _size(name, content)
            if room <= 0:
                _skip_to(end, reader)
                break
            headers.append((name.decode(errors="replace"), content))
        if batch.timestamp_type:
            timestamp = batch.max_timestamp
        return _bounded(_Record(offset, timestamp, batch.timestamp_type, key, value, headers), fits=room > 0)

    def _unread(self, following: int, value: bytes) -> Iterator[_Record]:
        batch = self._batch
        for offset in range(following, batch.next_offset):
            yield _Record(offset, batch.max_timestamp, batch.timestamp_type, None, value)


def _end_of(records: bytes, at: int) -> int:
    """Return where the record ends that begins there; 0 if it is longer than `LONG`, or has no length at all."""
    number = shift = 0
    for byte in records[at : at + _LONGEST_NUMBER]:
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return 0 if number & 1 or number >> 1 > LONG else at + (number >> 1)
        shift += 7
    return 0


def _skip_to(end: int, reader: _Reader) -> None:
    """Skip the rest of a record."""
    if end < reader.place:
        raise CorruptRecordException("a record is longer than it says")
    reader.skip(end - reader.place)


def _size(name: bytes | str, content: bytes | None) -> int:
    """Return how much of a record's room a header takes."""
    return HEADER_BYTES + len(name) + len(content or b"")


def _bounded(record: _Record, *, fits: bool) -> _Record:
    """Limit a record. It counts as too large if its headers alone are."""
    if fits:
        return record
    value = (record.value or b"").ljust(LONGEST)
    return _Record(record.offset, record.timestamp, record.timestamp_type, record.key, value)


class Batches:
    """The batches that a fetch brought of a partition, in place of aiokafka's MemoryRecords."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at, self._end = raw, 0, 0
        self.meter = Meter()
        self._find_end()

    def size_in_bytes(self) -> int:
        return len(self._raw)

    def has_next(self) -> bool:
        return self._end > 0

    def next_batch(self) -> Any:
        if not self._end:
            return None
        raw = self._raw[self._at : self._end]
        self._at = self._end
        self._find_end()
        return Batch(raw, self.meter) if raw[_MAGIC] >= 2 else LegacyRecordBatch(raw, raw[_MAGIC])

    def _find_end(self) -> None:
        """Find where the last whole batch ends: the last one of a fetch may be cut off."""
        if len(self._raw) - self._at < _HEADER:
            self._end = 0
            return
        end = self._at + _LOG_OVERHEAD + _LENGTH.unpack_from(self._raw, self._at + 8)[0]
        self._end = end if self._at + _HEADER <= end <= len(self._raw) else 0


class Records(fetcher.PartitionRecords):  # type: ignore[misc]
    """Keeps no more of a record than is read, and lets go of its batches once nobody reads them any more."""

    def _unpack_records(self) -> Iterator[Any]:
        """Return the records. Their iterator does not hold this object, which holds it: else only the garbage collector would part them."""
        records: Iterator[Any] = super()._unpack_records.__func__(proxy(self))
        return records

    @property
    def meter(self) -> Meter:
        """Return what tells how much was decompressed so far."""
        found: Meter = self._records.meter
        return found

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        size = sum(_size(name, content) for name, content in record.headers) if record.headers else 0
        if size > LONGEST or len(record.value or b"") > LONGEST or len(record.key or b"") > LONGEST:
            kept = _Record(
                record.offset,
                record.timestamp,
                record.timestamp_type,
                record.key and record.key[:LONGEST],
                record.value and record.value[:LONGEST],
                record.headers,
            )
            record = _bounded(kept, fits=size <= LONGEST)
        return super()._consumer_record(tp, record)


class Portion(list[Any]):
    """Records that are handed over together, and how many bytes they take, or were decompressed for them if that is more."""

    cost = 0


class Result(fetcher.FetchResult):  # type: ignore[misc]
    """Hands over a bounded number of bytes at once; the rest comes next."""

    def getall(self, max_records: int | None = None) -> list[Any]:
        records = Portion()
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return records
        incoming: Any = self._partition_records
        meter, size = incoming.meter, 0
        before = meter.inflated
        for record in incoming:
            records.append(record)
            size += RECORD_BYTES + record.serialized_key_size + record.serialized_value_size
            if record.headers:
                size += sum(_size(name, content) for name, content in record.headers)
            if size >= FETCHED or meter.inflated - before >= FETCHED or len(records) == max_records:
                break
        else:
            self._partition_records: Any = None
        records.cost = max(size, meter.inflated - before)
        self._assignment.state_value(self._topic_partition).consumed_to(incoming.next_fetch_offset)
        return records


def install() -> None:
    """Make every consumer of this process fetch in this way from here on."""
    fetcher.MemoryRecords, fetcher.PartitionRecords, fetcher.FetchResult = Batches, Records, Result
