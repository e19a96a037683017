"""Checks whether a mirrored topic holds what the books of a service were made from. Pure: says in words what is against it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

from services.chassis.streaming.batches import Bounds, Fingerprint, SourceIdentity, TopicPartition


class Position(NamedTuple):
    """How far the books have read a source, which topic of which cluster it is, and the last record that they processed."""

    source: TopicPartition
    next_offset: int
    identity: SourceIdentity
    taken: Fingerprint | None


class Mirror(NamedTuple):
    """The state of a source in the new Kafka; `last` is the record at the offset of the last one that the books processed."""

    identity: SourceIdentity
    bounds: Bounds
    last: Fingerprint | None
    is_cut_off: bool = False
    """Whether its first events are gone."""


def against(one: Position, mirror: Mirror) -> Iterator[str]:
    """Yield, in words, why the books of a service of records cannot continue there."""
    topic, read = one.source.topic, one.next_offset
    if not read:
        return
    if mirror.is_cut_off:
        yield f"{topic} begins at offset {mirror.bounds.first}: delete it, and copy it again from its first event"
    elif mirror.bounds.end < read:
        yield (
            f"{topic} ends at offset {mirror.bounds.end}, and the books have read to {read}: the mirror is not done, or lost some, "
            "or its offsets differ"
        )
    elif one.taken is None:
        yield f"{topic}: the last record that was processed is not known, so it cannot be compared: rebuild"
    elif mirror.last is None or mirror.last.checksum != one.taken.checksum:
        yield f"{topic} holds another record at offset {read - 1} than the last that was processed: the offsets differ, so rebuild"
    elif mirror.last != one.taken:
        yield (
            f"{topic} holds the record at offset {read - 1} with another time: during the copy, "
            "its message.timestamp.type must be CreateTime"
        )


def compare(
    topic: str,
    held: Mapping[int, str | None],
    found: Iterable[tuple[int, str | None]],
    counted: Sequence[range] = (),
) -> Iterator[str]:
    """Yield, in words, where the log does not hold the events of the books at their offsets.

    Both are ids by offset, of accepted events. Events older than everything that the books hold are not compared, since the books may have
    removed theirs; nor are those in places between which refused events are only `counted`.
    """
    left, eldest = dict(held), min(held, default=inf)
    for offset, event_id in found:
        if offset < eldest:
            continue
        if offset not in left:
            if any(offset in places for places in counted):
                continue
            yield f"{topic} holds a record at offset {offset} that the books do not know"
            return
        expected = left.pop(offset)
        if expected is not None and expected != event_id:
            yield f"{topic} holds another event at offset {offset} than the books"
            return
    if left:
        yield f"{topic} lacks {len(left):,} of the books' events, the first at offset {min(left)}"
