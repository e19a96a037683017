"""Accepted events from the log, byte for byte."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache

from contracts.decoding.binary import from_kafka
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.clients.log import Log
from services.records.trees.closing import Events

BATCH = 5_000


@contextmanager
def events_of(kafka: KafkaSettings, topic: str) -> Iterator[Events]:
    """Give events of a topic by offsets, connecting at the first request. Events that came in binary mode are given in structured mode."""
    source = TopicPartition(topic, 0)
    with ExitStack() as stack:

        @cache
        def log() -> Log:
            return stack.enter_context(closing(Log(kafka, [source])))

        def events(offsets: Sequence[int]) -> Mapping[int, bytes]:
            bounds = log().bounds()[source]
            wanted = [offset for offset in offsets if bounds.first <= offset < bounds.end]
            return dict(_read(log(), source, wanted)) if wanted else {}

        yield events


def _read(log: Log, source: TopicPartition, wanted: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    left = set(wanted)
    log.seek({source: wanted[0]})
    while log.position(source) <= wanted[-1]:
        for piece in log.slices(BATCH):
            for message in piece.messages:
                value = from_kafka(message.value, message.headers)
                if message.offset in left and value is not None:
                    yield message.offset, value
