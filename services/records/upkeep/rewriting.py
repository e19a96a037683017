"""Writes topics of events anew: appends all records in their new form, then deletes the old ones.

Each new record says to which rewriting it belongs. So a rewriting that was broken off before it deleted anything is recognised, and done
again under the same token. One that had begun to delete is only completed, since the names can no longer be made: what they were made from
is partly gone.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from time import monotonic, sleep

from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Message, TopicPartition
from services.chassis.streaming.bulk import BulkProducer
from services.chassis.streaming.kafka import Admin, Outgoing
from services.chassis.streaming.log import Log
from services.records.upkeep.renaming import Said

WRITING = "payback-writing"
"""The header with the token of the rewriting."""
SECONDS = 600
"""How long one rewriting may take: a little less than brokers allow a transaction by default."""
BATCH = 20_000
GIVEN_UP_SECONDS = 10.0
"""How long the end of an abandoned transaction may take to appear in its topic."""


class Topics:
    """Some topics as they are when first looked at, without what an earlier attempt left undone."""

    def __init__(self, kafka: KafkaSettings, names: Sequence[str]) -> None:
        self._kafka = kafka
        self.sources = [TopicPartition(name, 0) for name in names]
        with closing(Log(kafka, self.sources)) as log:
            bounds = {source.topic: found for source, found in log.bounds().items()}
            held = dict(_read(log, self.sources))
        self.ends = {topic: found.end for topic, found in bounds.items()}
        undone = {token for its in held.values() if (token := _undone(its))}
        if len(undone) > 1:
            raise Refused("The erasure of several people was interrupted. Nothing was changed")
        self.token = next(iter(undone), secrets.token_hex(6).encode())
        self.messages = {topic: [one for one in its if _writing(one) not in undone] for topic, its in held.items()}
        self._begin = _to_be_deleted(kafka, {topic: bounds[topic].first for topic, its in held.items() if _undone(its)})

    @classmethod
    def settled(cls, kafka: KafkaSettings, names: Sequence[str]) -> "Topics":
        """Return the topics, after completing an earlier attempt that had begun to delete. Raises Away or Refused."""
        found = cls(kafka, names)
        if not found._begin:
            return found
        found.delete_old()
        return cls(kafka, names)

    def write_anew(self, records: Mapping[str, Sequence[Said]], confirm: Callable[[], object]) -> dict[str, int]:
        """Append these records to their topics, all or nothing, and return where each topic then ends. Raises Away or Refused.

        `confirm` raises if readers are no longer held up: they would count everything once more.
        """
        if not self._kafka.transactions:
            raise Refused("Topics are written anew in transactions only, and this broker does not offer them")
        with ExitStack() as stack:
            admin = stack.enter_context(closing(Admin(self._kafka)))
            for topic in records:
                stack.enter_context(admin.keeping_given_times(topic))
            producer = stack.enter_context(self._producer())
            for topic in records:
                self._begin_segment(admin, producer, topic)
            with producer.transaction():
                for topic, its in records.items():
                    self._append(producer, topic, its)
                confirm()
        self._begin = {topic: self.ends[topic] for topic in records}
        with closing(Log(self._kafka, self.sources)) as log:
            return {source.topic: bounds.end for source, bounds in log.bounds().items() if source.topic in records}

    def _producer(self) -> BulkProducer:
        return BulkProducer(
            self._kafka, deliver_seconds=SECONDS, transactional="payback-rewrite", transaction_seconds=SECONDS
        )

    def _begin_segment(self, admin: Admin, producer: BulkProducer, topic: str) -> None:
        """Make the new writing begin a segment of its own, after the end of an abandoned transaction, which has the present time. Raises
        Away or Refused.

        Kafka begins a segment by the time of what is appended. The new records have the old times, so without this they would be in the
        segment of the records that they replace, and keep all of those on disk.
        """
        with admin.beginning_segments(topic):
            producer.skip(topic, 1)
            self.ends[topic] += 1
            deadline = monotonic() + GIVEN_UP_SECONDS
            while admin.ends([topic])[topic] < self.ends[topic]:
                if monotonic() > deadline:
                    raise Away(f"Kafka does not end a transaction that was given up in {topic}")
                sleep(0.01)

    def _append(self, producer: BulkProducer, topic: str, its: Sequence[Said]) -> None:
        receipts = producer.send_all(self._marked(its))
        if receipts[0].offset != self.ends[topic]:
            raise Refused(f"Somebody is writing to {topic}: stop the senders, and run the command again")
        if any(one.redated for one in receipts):
            raise Refused(
                f"Kafka replaced the times of {topic} with its own. Nothing was changed: run the command again"
            )

    def delete_old(self) -> None:
        """Delete everything before the new writing, so that nobody can read it any more."""
        if self._begin:
            with closing(Admin(self._kafka)) as admin:
                admin.delete_before(self._begin)

    def _marked(self, records: Sequence[Said]) -> Iterator[Outgoing]:
        for said in records:
            yield Outgoing(said.topic, said.key or b"", said.value, said.timestamp, ((WRITING, self.token),))


def _undone(messages: Sequence[Message]) -> bytes | None:
    """Return the token of an unfinished rewriting, whose old records are still there; None if there is none."""
    return next((token for one in messages if (token := _writing(one)) and token != _writing(messages[0])), None)


def _to_be_deleted(kafka: KafkaSettings, undone: Mapping[str, int]) -> dict[str, int]:
    """Return up to where an earlier attempt was going to delete, given the first offset of each topic that it left undone; empty if it had
    not begun.

    It records this for all its topics before it deletes anything, so without a record no topic was touched.
    """
    if not undone:
        return {}
    with closing(Admin(kafka)) as admin:
        meant = admin.meant_beginnings(undone)
    return meant if all(meant.get(topic, 0) > first for topic, first in undone.items()) else {}


def _writing(message: Message) -> bytes | None:
    return dict(message.headers).get(WRITING)


def _read(log: Log, sources: Sequence[TopicPartition]) -> Iterator[tuple[str, list[Message]]]:
    bounds = log.bounds()
    log.seek({source: one.first for source, one in bounds.items()})
    found: dict[str, list[Message]] = {source.topic: [] for source in sources}
    while any(log.position(source) < one.end for source, one in bounds.items()):
        for piece in log.slices(BATCH):
            found[piece.topic] += [message for message in piece.messages if message.offset < bounds[piece.source].end]
    yield from found.items()


def cut_off(kafka: KafkaSettings, firsts: Mapping[str, int]) -> list[str]:
    """Return the topics whose first events are gone, given the first offset of each. Those that were written anew have all."""
    late = {topic: first for topic, first in firsts.items() if first > 0}
    if not late:
        return []
    with closing(Admin(kafka)) as admin:
        meant = admin.meant_beginnings(late)
    return sorted(topic for topic, first in late.items() if meant.get(topic, 0) < first)
