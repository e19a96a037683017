"""Copies topics into another Kafka with every record at its own offset, so that receipts, signed trees and books remain valid there.

Copying continues exactly where the copy ends, so it may be stopped or killed at any time. At offsets of the source without a readable
record, where a transaction ended or was aborted, the copy gets an aborted transaction of the same length.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from time import monotonic, sleep

from contracts.topics import NATIONAL_AGGREGATES
from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Bounds, Fingerprint, Message, Slice, TopicPartition, fingerprint
from services.chassis.streaming.clients.admin import Admin, TopicSpec
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.log import Log
from services.chassis.streaming.clients.outgoing import Outgoing, Receipt
from services.operations.moving.places import Gap, Rows, Run, steps
from services.operations.topics import ensure, topic_specs

MIRRORED = topic_specs(simulated=True)
MOST = 20_000
"""Messages at once."""
GIVEN_UP_SECONDS = 10.0


class Copier:
    """Keeps copies of one Kafka's topics in another. Only one may run: records of another writer there are noticed, and refused."""

    def __init__(self, source: KafkaSettings, target: KafkaSettings, specs: Sequence[TopicSpec] = MIRRORED) -> None:
        """Make the topics in the target. Raises Away, or Refused if they are not as they must be."""
        self._source, self._target = source, target
        if differences := ensure(target, specs):
            raise Refused("; ".join(differences))
        self._parts = [TopicPartition(spec.name, 0) for spec in specs]
        self._firsts: dict[TopicPartition, int] = {}
        with ExitStack() as opened:
            self._log = opened.enter_context(closing(Log(source, self._parts)))
            self._there = opened.enter_context(closing(Log(target, self._parts)))
            self._producer = opened.enter_context(BulkProducer(target, idempotent=True))
            self._at = self._ends()
            self._rows: Rows | None = Rows(self._rows_there())
            bounds = self._log.bounds()
            begins = {part: self._begin(part, bounds[part]) for part in self._parts}
            self._check_last(bounds)
            self._log.seek(begins)
            self._opened = opened.pop_all()

    def round(self) -> int:
        """Copy what there is now, and return how many records that were. Raises Away or Refused."""
        bounds, copied = self._log.bounds(), 0
        while any(self._log.position(part) < bounds[part].end for part in self._parts):
            copied += sum(self._take(piece) for piece in self._log.slices(MOST))
        if self._rows:
            copied += self._send(NATIONAL_AGGREGATES, self._rows.rest())
            self._rows = None  # from here on, each row is newer than what the copy holds
        for part in self._parts:
            if not _again(part) and self._at[part] < bounds[part].end:
                self._do(part, Gap(bounds[part].end))
        self._forget({part: bounds[part].first for part in self._parts})
        return copied

    def close(self) -> None:
        """Close both connections."""
        self._opened.close()

    def _ends(self) -> dict[TopicPartition, int]:
        """Return where the copy ends. Raises Away if an aborted transaction of a killed copier has not ended there yet."""
        with closing(Admin(self._target)) as admin:
            ends = admin.ends([part.topic for part in self._parts])
        settled = {part: bounds.end for part, bounds in self._there.bounds().items()}
        if unended := [part.topic for part, end in settled.items() if end != ends[part.topic]]:
            raise Away(f"a transaction has not ended in the copy's {', '.join(unended)}")
        return settled

    def _begin(self, part: TopicPartition, bounds: Bounds) -> int:
        """Return from where to read a source first."""
        at = self._at[part]
        if _again(part):
            return bounds.first
        if at > bounds.end:
            raise Refused(
                f"{part.topic} ends at {at} in the copy and at {bounds.end} here: it is the copy of another Kafka"
            )
        return max(at, bounds.first)

    def _check_last(self, bounds: Mapping[TopicPartition, Bounds]) -> None:
        """Check the last record that both still hold: it shows what others wrote there, or was lost here, while nobody copied."""
        there, firsts = self._there.bounds(), {part: bounds[part].first for part in self._parts}
        last = {
            part: end - 1
            for part, end in self._at.items()
            if not _again(part) and end > max(firsts[part], there[part].first)
        }
        here, copied = _records(self._log, bounds, last), _records(self._there, there, last)
        if differing := [part.topic for part in last if here.get(part) != copied.get(part)]:
            raise Refused(
                f"The last record of {', '.join(differing)} of the copy is not the one that stands there here: "
                "delete the topic there, and begin again"
            )

    def _rows_there(self) -> Iterator[Message]:
        part, bounds = TopicPartition(NATIONAL_AGGREGATES, 0), self._there.bounds()
        self._there.seek({each: bound.end for each, bound in bounds.items()} | {part: bounds[part].first})
        while self._there.position(part) < bounds[part].end:
            for piece in self._there.slices(MOST):
                yield from piece.messages

    def _take(self, piece: Slice) -> int:
        """Copy a slice, and return how many records it had."""
        if _again(piece.source):
            return self._send(piece.topic, self._rows.lacking(piece.messages) if self._rows else piece.messages)
        for step in steps(piece.messages, self._at[piece.source]):
            self._do(piece.source, step)
        return len(piece.messages)

    def _send(self, topic: str, messages: Sequence[Message]) -> int:
        """Copy messages, at whatever offsets, and return how many there were."""
        self._producer.send_all(_outgoing(topic, message) for message in messages)
        return len(messages)

    def _do(self, part: TopicPartition, step: Gap | Run) -> None:
        at = self._at[part]
        match step:
            case Gap(end):
                self._producer.skip(part.topic, end - at)
                self._wait(part, end)
            case Run(messages):
                receipts = self._producer.send_all(_outgoing(part.topic, message) for message in messages)
                _check(part.topic, receipts, at, step.end)
        self._at[part] = step.end

    def _wait(self, part: TopicPartition, end: int) -> None:
        """Wait for the end of an aborted transaction: Kafka reports it before writing it into the topic."""
        deadline = monotonic() + GIVEN_UP_SECONDS
        while self._there.bounds()[part].end < end:
            if monotonic() > deadline:
                raise Away(f"{part.topic} of the copy does not get to {end}")
            sleep(0.01)

    def _forget(self, firsts: dict[TopicPartition, int]) -> None:
        """Delete from the copy what was erased from the source."""
        if firsts == self._firsts:
            return
        with closing(Admin(self._source)) as admin:
            meant = admin.meant_beginnings([part.topic for part in self._parts])
        with closing(Admin(self._target)) as admin:
            there = admin.spans(list(meant))
            late = {topic: first for topic, first in meant.items() if there[topic].first < first}
            if late:
                admin.delete_before(late)
        self._firsts = firsts


def _again(part: TopicPartition) -> bool:
    """Return whether the copy's offsets may differ, so that what it lacks is found from its beginning: rows of aggregates have versions."""
    return part.topic == NATIONAL_AGGREGATES


def _records(
    log: Log, bounds: Mapping[TopicPartition, Bounds], places: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Fingerprint]:
    """Return the records at these offsets; none where a transaction ended or was aborted."""
    log.seek({part: bound.end for part, bound in bounds.items()} | dict(places))
    found: dict[TopicPartition, Fingerprint] = {}
    while any(log.position(part) <= place for part, place in places.items()):
        read = ((piece.source, message) for piece in log.slices(MOST) for message in piece.messages)
        found |= {part: fingerprint(message) for part, message in read if message.offset == places.get(part)}
    return found


def _check(topic: str, receipts: Sequence[Receipt], at: int, end: int) -> None:
    if receipts[0].offset != at or receipts[-1].offset != end - 1:
        raise Refused(f"Somebody else writes to {topic} of the copy: delete the topic there, and begin again")
    if receipts[0].redated:
        raise Refused(f"{topic} of the copy keeps its own times: message.timestamp.type must be CreateTime")


def _outgoing(topic: str, message: Message) -> Outgoing:
    return Outgoing(topic, message.key, message.value, message.timestamp, tuple(message.headers))
