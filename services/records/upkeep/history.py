"""Reads the topics of a service again, from their beginning."""

from collections.abc import Callable, Collection, Mapping
from contextlib import closing

from contracts.authorities import AUTHORITIES
from contracts.topics import authority_of, source_topics
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Processor, SourceIdentity, TopicPartition, rest_of
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.log import Log
from services.records.model.domain import Domain
from services.records.upkeep.filling import Stretch
from services.records.upkeep.rewriting import cut_off

BATCH = 20_000
Tell = Callable[[int, int], None]
"""Called with how many events are done, of how many."""
NO_LIMIT: Mapping[str, int] = {}


class History:
    """The topics of a service and of these authorities, from their beginning."""

    def __init__(self, kafka: KafkaSettings, domain: Domain, authorities: Collection[str] = AUTHORITIES) -> None:
        self._kafka = kafka
        topics = source_topics(*domain.kinds)
        self._sources = [TopicPartition(topic, 0) for topic in topics if authority_of(topic) in authorities]
        self._log = Log(kafka, self._sources)

    def cut_off(self) -> list[str]:
        """Return the topics whose first events Kafka no longer has."""
        return cut_off(self._kafka, {source.topic: bounds.first for source, bounds in self._log.bounds().items()})

    def begin(self, worker: Processor) -> None:
        bounds = self._log.bounds()
        positions = worker.start(self._identities())
        self._log.seek({source: max(position, bounds[source].first) for source, position in positions.items()})

    def _identities(self) -> dict[TopicPartition, SourceIdentity]:
        with closing(Admin(self._kafka)) as admin:
            identities = admin.identities([source.topic for source in self._sources])
        return {one: identities[one.topic] for one in self._sources}

    def stretches(self) -> list[Stretch]:
        """Return what there is of each authority, apart from those of whom there is nothing."""
        identities, bounds = self._identities(), self._log.bounds()
        by_authority: dict[str, list[TopicPartition]] = {}
        for source in self._sources:
            by_authority.setdefault(authority_of(source.topic), []).append(source)
        return [
            Stretch({one: identities[one] for one in own}, {one: bounds[one] for one in own})
            for own in by_authority.values()
            if any(bounds[one].first < bounds[one].end for one in own)
        ]

    def ends(self) -> dict[str, int]:
        """Return the next offset that each topic will give."""
        return {source.topic: bounds.end for source, bounds in self._log.bounds().items()}

    def within(self, ends: Mapping[str, int]) -> dict[str, int]:
        """Limit the offsets to the end of the log. Anything that the old tables read beyond it is lost, and
        waiting for it would never end.
        """
        there = self.ends()
        return {topic: min(end, there[topic]) for topic, end in ends.items()}

    def feed(self, worker: Processor, ends: Mapping[str, int], tell: Tell, most: Mapping[str, int] = NO_LIMIT) -> int:
        """Give the worker everything before these offsets, and whatever comes along, but of topics in `most` nothing from there on. Returns
        how many events.
        """
        read, total = 0, sum(ends.values())
        while any(self._position(topic) < end for topic, end in ends.items()):
            slices = [one for piece in self._log.slices(BATCH) if (one := piece.before(most.get(piece.topic)))]
            if slices:
                read += sum(len(piece.messages) for piece in slices)
                while slices:
                    slices = rest_of(slices, worker.process(slices))
                tell(sum(min(self._position(topic), end) for topic, end in ends.items()), total)
        return read

    def close(self) -> None:
        self._log.close()

    def _position(self, topic: str) -> int:
        return self._log.position(TopicPartition(topic, 0))
