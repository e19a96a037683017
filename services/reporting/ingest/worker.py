"""Reads `national.aggregates` into the schema `reporting`: rows, positions and the offset in one transaction."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Engine

from contracts.cells import Aggregate, decode_aggregate
from services.chassis.batches import Message, Slice, SourceIdentity, TopicPartition
from services.chassis.database import transaction
from services.chassis.failures import Refused
from services.chassis.positions import advance, claim
from services.reporting.ingest.store import fold, write


class Aggregates:
    """The stream engine's Processor for `national.aggregates`."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._next: dict[TopicPartition, int] = {}

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        with transaction(self._database) as connection:
            self._next = claim(connection, sources)
        return dict(self._next)

    def process(self, slices: Sequence[Slice]) -> None:
        folded = fold(_decode(part, message) for part in slices for message in part.messages if message.value)
        with transaction(self._database) as connection:
            write(connection, folded)
            advance(connection, {part.source: (self._next[part.source], part.next_offset) for part in slices})
        self._next |= {part.source: part.next_offset for part in slices}


def _decode(part: Slice, message: Message) -> Aggregate:
    """Only our own services write to this topic, so what cannot be read is our fault, and nothing may pass over it."""
    assert message.value is not None
    try:
        aggregate: Aggregate = decode_aggregate(message.value)
    except msgspec.MsgspecError as fault:
        raise Refused(
            f"{part.topic}/{part.partition} holds at offset {message.offset} what this version cannot read: "
            "a publisher is newer than this service, or broken. Nothing of the batch was stored."
        ) from fault
    return aggregate
