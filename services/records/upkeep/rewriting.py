"""Topics of events written anew: all records are appended once more as they are to be, and the old ones deleted.

The first record of a topic that was written anew says so, and so nobody takes the topic for one that has lost its beginning.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from services.chassis.failures import Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Message, TopicPartition
from services.chassis.streaming.bulk import BulkProducer
from services.chassis.streaming.kafka import Admin, Record
from services.chassis.streaming.log import Log, records_at
from services.records.upkeep.renaming import Said

BEGINS = "payback-begins-anew"
"""The header of the first record."""
BATCH = 20_000


class Topics:
    """Some topics as they are when they are looked at first. Nobody should write to them meanwhile."""

    def __init__(self, kafka: KafkaSettings, names: Sequence[str]) -> None:
        """Ends first what an attempt before left undone."""
        self._kafka = kafka
        self.sources = [TopicPartition(name, 0) for name in names]
        self._read()
        if undone := {topic: at for topic, its in self.messages.items() if (at := _begun_at(its))}:
            with closing(Admin(kafka)) as admin:
                for topic, offset in undone.items():
                    admin.delete_before(topic, offset)
            self._read()

    def _read(self) -> None:
        with closing(Log(self._kafka, self.sources)) as log:
            self.ends = {source.topic: bounds.end for source, bounds in log.bounds().items()}
            self.messages = dict(_read(log, self.sources))

    def write_anew(self, records: Mapping[str, Sequence[Said]]) -> None:
        """Puts these in place of what was read: all of a topic, or nothing. Raises Away or Refused."""
        for topic, its in records.items():
            name = f"rewrite-{topic}"
            with closing(Admin(self._kafka)) as admin, BulkProducer(self._kafka, transactional=name) as producer:
                with admin.keeping_given_times(topic), producer.transaction():
                    first, *_ = producer.send_all(_marked(its))
                    if first.offset != self.ends[topic]:
                        raise Refused(f"Somebody writes to {topic}: let it rest, and give the command again")
                admin.delete_before(topic, first.offset)


def _begun_at(messages: Sequence[Message]) -> int | None:
    """Where the log was written anew, if what stood before was not deleted yet."""
    return next((one.offset for one in messages[1:] if BEGINS in dict(one.headers)), None)


def _marked(records: Sequence[Said]) -> Iterator[Record]:
    for number, said in enumerate(records):
        headers = () if number else ((BEGINS, b"1"),)
        yield Record(said.topic, said.key or b"", said.value, said.timestamp, headers)


def _read(log: Log, sources: Sequence[TopicPartition]) -> Iterator[tuple[str, list[Message]]]:
    bounds = log.bounds()
    log.seek({source: one.first for source, one in bounds.items()})
    found: dict[str, list[Message]] = {source.topic: [] for source in sources}
    while any(log.position(source) < one.end for source, one in bounds.items()):
        for piece in log.slices(BATCH):
            found[piece.topic] += [message for message in piece.messages if message.offset < bounds[piece.source].end]
    yield from found.items()


def cut_off(kafka: KafkaSettings, firsts: Mapping[str, int]) -> list[str]:
    """The topics whose first events are gone, given the first offset of each. Those that were written anew have all."""
    late = {TopicPartition(topic, 0): first for topic, first in firsts.items() if first > 0}
    found = asyncio.run(records_at(kafka, late))
    return sorted(at.topic for at in late if at not in found or BEGINS not in dict(found[at].headers))
