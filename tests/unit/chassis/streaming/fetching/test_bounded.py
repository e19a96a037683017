"""Batches are read as aiokafka reads them, whatever the codec; one that would fill the memory is bounded, each record with an outcome."""

import gc
import tracemalloc
import weakref
from collections.abc import Sequence
from itertools import islice
from typing import Any

import aiokafka.codec
import pytest
import zstandard
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.streaming.fetching import bounded, inflating
from services.chassis.streaming.fetching.bounded import LONGEST
from services.chassis.streaming.fetching.inflating import GZIP, LZ4, SNAPPY, ZSTD

NONE = 0
CODECS = [NONE, GZIP, SNAPPY, LZ4, ZSTD]
NAMES = ["none", "gzip", "snappy", "lz4", "zstd"]
HUGE = 100 * 1024 * 1024
Sent = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]

bounded.install()


def batch(codec: int, sent: Sequence[Sent], base: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**31 - 1,
    )
    for index, (key, value, headers) in enumerate(sent):
        assert builder.append(index, 1_750_000_000_000 + index, key, value, headers) is not None
    raw = bytearray(builder.build())
    raw[:8] = base.to_bytes(8, "big")
    return bytes(raw)


def bomb(size: int = HUGE, base: int = 0) -> bytes:
    """Return a batch of a small record, one of `size` bytes and another small one, in zstd, made without holding it."""

    def varint(number: int) -> bytes:
        number, out = number << 1, bytearray()
        while number >= 0x80:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes([*out, number])

    def record(delta: int, length: int) -> tuple[bytes, bytes]:
        head = b"\0" + varint(delta) + varint(delta) + varint(1) + b"k" + varint(length)
        return varint(len(head) + length + 1) + head, varint(0)

    out = zstandard.ZstdCompressor().compressobj()
    packed = bytearray()
    for delta, length in enumerate((10, size, 10)):
        head, tail = record(delta, length)
        packed += out.compress(head)
        for begin in range(0, length, 1 << 20):
            packed += out.compress(b"x" * min(1 << 20, length - begin))
        packed += out.compress(tail)
    packed += out.flush()
    raw = bytearray(batch(ZSTD, [(b"k", b"x" * 10, [])] * 3, base))[:61] + packed
    raw[8:12] = (len(raw) - 12).to_bytes(4, "big")
    return bytes(raw)


def read(raw: bytes, *, checked: bool = True) -> list[Any]:
    found = fetcher.PartitionRecords(TopicPartition("t", 0), fetcher.MemoryRecords(raw), [], 0, None, None, checked, 0)
    return list(found)


def plain(records: Sequence[Any]) -> list[tuple[int, int, bytes | None, bytes | None, tuple[Any, ...]]]:
    return [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]


words = st.none() | st.binary(max_size=300)
messages = st.lists(
    st.tuples(words, words, st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=20)), max_size=2)),
    min_size=1,
    max_size=30,
)


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
@given(sent=messages, base=st.integers(0, 2**40), whole=st.booleans())
def test_every_codec_is_read_whole_or_as_a_stream(codec: int, sent: list[Sent], base: int, *, whole: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not whole:
            patch.setattr(inflating, "WHOLE", 1)
        raw = batch(codec, sent, base)
        found = read(raw + batch(codec, sent, base + len(sent)) + raw[:-3])
    assert plain(found) == [
        (base + index, 1_750_000_000_000 + index % len(sent), key, value, tuple(headers))
        for index, (key, value, headers) in enumerate([*sent, *sent])
    ]


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
def test_of_a_value_that_is_too_large_no_more_is_kept_than_shows_it(codec: int) -> None:
    sent: list[Sent] = [
        (b"k", b"small", []),
        (b"k" * 200_000, b"v" * 20_000_000, []),
        (b"k", b"after", [("h", b"x" * 99_999)]),
    ]
    before, large, after = read(batch(codec, sent))
    assert (before.value, before.offset) == (b"small", 0)
    assert (large.value, large.key, large.offset) == (b"v" * LONGEST, b"k" * LONGEST, 1)
    assert (len(after.value), after.headers, after.offset) == (LONGEST, (), 2)
    assert after.value.startswith(b"after")


def test_a_bomb_is_bounded_and_its_neighbours_are_read() -> None:
    raw = bomb()
    assert len(raw) < 20_000
    tracemalloc.start()
    first, huge, last = read(raw, checked=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (first.value, last.value) == (b"x" * 10, b"x" * 10)
    assert huge.value == b"x" * LONGEST
    assert peak < 3 * inflating.WHOLE


def test_what_is_too_much_to_read_has_an_outcome_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflating, "WHOLE", 1000)
    monkeypatch.setattr(bounded, "INFLATED", 1_000_000)
    found = read(bomb(50_000_000), checked=False)
    assert [record.offset for record in found] == [0, 1, 2]
    assert [len(record.value) for record in found] == [10, LONGEST, LONGEST]


def test_the_first_of_many_records_does_not_wait_for_the_others_to_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kafka answers nothing to whoever is busy for seconds, and the batch was read again from its beginning each time."""
    looked, end_of = [], bounded._end_of

    def counted(records: bytes, at: int) -> int:
        looked.append(at)
        return end_of(records, at)

    monkeypatch.setattr(bounded, "_end_of", counted)
    raw = batch(ZSTD, [(None, b"{}", [])] * 50_000)
    found = iter(
        fetcher.PartitionRecords(TopicPartition("t", 0), fetcher.MemoryRecords(raw), [], 0, None, None, False, 0)
    )
    assert [next(found).offset for _ in range(3)] == [0, 1, 2]
    assert len(looked) <= 4
    assert sum(1 for _ in found) == 50_000 - 3
    assert len(looked) >= 50_000


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
def test_a_long_record_among_small_ones_does_not_have_them_read_again(
    codec: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_as_stream, one = [], bounded.Batch._record

    def noted(batch: Any, reader: Any) -> Any:
        record = one(batch, reader)
        read_as_stream.append(record.offset)
        return record

    monkeypatch.setattr(bounded.Batch, "_record", noted)
    small: list[Sent] = [(b"k", b"%d" % number, []) for number in range(5)]
    found = read(batch(codec, [*small, (b"k", b"x" * 300_000, []), *small]))
    assert [record.value for record in found] == [*(v for _, v, _ in small), b"x" * LONGEST, *(v for _, v, _ in small)]
    assert [record.offset for record in found] == list(range(11))
    assert read_as_stream == list(range(5, 11))


@pytest.mark.parametrize("codec", CODECS[1:], ids=NAMES[1:])
@pytest.mark.parametrize("whole", [True, False])
def test_what_cannot_be_decompressed_has_an_outcome_all_the_same(
    monkeypatch: pytest.MonkeyPatch, codec: int, *, whole: bool
) -> None:
    if not whole:
        monkeypatch.setattr(inflating, "WHOLE", 100)
    raw = batch(codec, [(b"k", b"0123456789" * 100, [])] * 5)
    found = read(raw[:-40] + b"\xff" * 40, checked=False)
    assert [record.offset for record in found] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
def test_a_header_whose_name_is_no_text_harms_nobody(codec: int) -> None:
    """Some clients send any bytes as a name, and Kafka takes them."""
    raw = bytearray(batch(NONE, [(b"k", b"%d" % n, [("name", b"x")] if n == 1 else []) for n in range(3)]))
    at = raw.index(b"name")
    raw[at : at + 4] = b"\xff\xfe\x00!"
    if codec != NONE:
        raw[61:], raw[22] = getattr(aiokafka.codec, f"{NAMES[codec]}_encode")(bytes(raw[61:])), codec
        raw[8:12] = (len(raw) - 12).to_bytes(4, "big")
    found = read(bytes(raw), checked=False)
    assert [(record.offset, record.value) for record in found] == [(0, b"0"), (1, b"1"), (2, b"2")]
    assert found[1].headers == (("\ufffd\ufffd\0!", b"x"),)


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
@pytest.mark.parametrize("number", [2_000, 500_000])
def test_of_too_many_headers_nothing_is_kept_however_small_they_are(codec: int, number: int) -> None:
    """An empty header is two bytes on the wire, and dozens once it was read."""
    before, many, after = read(
        batch(codec, [(b"k", b"before", []), (b"k", b"many", [("", b"")] * number), (b"k", b"after", [("h", b"x")])])
    )
    assert (before.value, after.value, after.headers) == (b"before", b"after", (("h", b"x"),))
    assert (len(many.value), many.headers, many.offset) == (LONGEST, (), 1)


def test_headers_that_are_not_kept_take_no_memory() -> None:
    raw = batch(ZSTD, [(b"k", b"many", [("", b"")] * 1_000_000)] * 3)
    assert len(raw) < 20_000
    tracemalloc.start()
    found = read(raw, checked=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 3
    assert peak < 2 * inflating.WHOLE, "as they were sent, 6 MB, and pieces of that"


def test_a_record_that_is_shorter_than_it_says_is_no_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LONG", 100)
    raw = bytearray(batch(NONE, [(b"k", b"v", [("", b"")] * 2_000)] * 2))
    raw[61:63] = b"\x80\x01"  # 64 bytes, where it is thousands
    assert [record.offset for record in read(bytes(raw), checked=False)] == [0, 1]


class Assigned:
    """An assignment that notes how far was read."""

    def __init__(self) -> None:
        self.consumed: list[int] = []

    def state_value(self, _: object) -> "Assigned":
        return self

    def consumed_to(self, offset: int) -> None:
        self.consumed.append(offset)


def handed_over(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """Return how many records are handed over at a time, and how far was read each time."""
    assigned = Assigned()
    held = fetcher.PartitionRecords(TopicPartition("t", 0), fetcher.MemoryRecords(raw), [], 0, None, None, False, 0)
    result = fetcher.FetchResult(TopicPartition("t", 0), assignment=assigned, partition_records=held, backoff=0)
    monkeypatch.setattr(result, "check_assignment", lambda _: True)
    numbers = []
    while result.has_more():
        numbers.append(len(result.getall(1000)))
    return numbers, assigned.consumed


@pytest.mark.parametrize(
    ("whole", "numbers", "places"),
    [(False, [10, 10, 5], [10, 20, 25]), (True, [1, 10, 10, 4], [1, 11, 21, 25])],
    ids=["stream", "whole"],
)
def test_what_is_handed_over_at_once_is_bounded(
    monkeypatch: pytest.MonkeyPatch, numbers: list[int], places: list[int], *, whole: bool
) -> None:
    """A batch that is decompressed as a whole counts at once."""
    monkeypatch.setattr(bounded, "FETCHED", 10 * 1000)
    monkeypatch.setattr(bounded, "RECORD_BYTES", 0)
    if not whole:
        monkeypatch.setattr(inflating, "WHOLE", 1)
    raw = batch(ZSTD, [(b"k", b"v" * 1000, [])] * 25)
    assert handed_over(raw, monkeypatch) == (numbers, places)


@pytest.mark.parametrize("number", [0, 3])
def test_batches_of_which_only_some_was_read_are_let_go_at_once(number: int) -> None:
    """A worker collects garbage by the number of objects, and these are few, however large."""
    found = fetcher.PartitionRecords(
        TopicPartition("t", 0), fetcher.MemoryRecords(batch(ZSTD, [(b"k", b"v", [])] * 9)), [], 0, None, None, False, 0
    )
    assert [record.offset for record in islice(found, number)] == [*range(number)]
    held, collected = weakref.ref(found), gc.isenabled()
    gc.disable()
    try:
        del found
        assert held() is None
    finally:
        if collected:
            gc.enable()


def test_headers_count_towards_what_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "FETCHED", 10_000)
    monkeypatch.setattr(bounded, "RECORD_BYTES", 0)
    monkeypatch.setattr(inflating, "WHOLE", 1)
    raw = batch(ZSTD, [(b"k", b"v", [("", b"")] * 20)] * 25)
    numbers, _ = handed_over(raw, monkeypatch)
    assert max(numbers) <= 8
    assert sum(numbers) == 25


def test_each_record_counts_however_little_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight bytes in Kafka become an object here, and more while it is processed."""
    monkeypatch.setattr(bounded, "FETCHED", 10 * bounded.RECORD_BYTES)
    raw = batch(ZSTD, [(b"", b"", [])] * 25)
    assert handed_over(raw, monkeypatch) == ([10, 10, 5], [10, 20, 25])


def test_what_was_decompressed_counts_although_nothing_of_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait meanwhile, and no heartbeats are sent."""
    monkeypatch.setattr(bounded, "FETCHED", 5_000_000)
    raw = b"".join(bomb(20_000_000, base) for base in (0, 3, 6))
    assert handed_over(raw, monkeypatch) == ([2, 3, 3, 1], [2, 5, 8, 9])
