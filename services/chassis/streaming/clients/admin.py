"""Asks about topics and brokers, and administers topics."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, errors
from kafka import TopicPartition as KafkaPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec

from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import SourceIdentity
from services.chassis.streaming.clients.connection import REQUEST_SECONDS, connection, told_apart

ANSWER_SECONDS = 30.0


class Span(NamedTuple):
    """The first offset that Kafka still has of a topic, and the latest time of a record, in milliseconds; -1 without any."""

    first: int
    latest: int


class Disk(NamedTuple):
    """Where a broker keeps its topics, and of how many bytes how many are free."""

    broker: int
    path: str
    free: int
    size: int


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """The required settings of a topic. A `replication` of -1 uses the cluster's default."""

    name: str
    partitions: int = 1
    replication: int = -1
    configs: Mapping[str, str] = field(default_factory=dict)


BEGINNING, OF_THE_TOPIC = "delete.retention.ms", "DYNAMIC_TOPIC_CONFIG"
"""A setting that has no effect on a topic that is not compacted. It records where the topic's events begin, for clients that may read its
settings but not its events.
"""
LENT = "min.compaction.lag.ms"
"""Another such setting: 1 while a topic keeps the times of producers only until a rewriting ends."""
_TIMES = "message.timestamp.type"
DAY_MILLISECONDS = 86_400_000
SEGMENTS, LONG = "segment.ms", str(20 * 365 * DAY_MILLISECONDS)
"""A fetch returns the records of one segment: with Kafka's default of a week, a history of years would come in small pieces. Older topics
may keep their setting unless it is below a day: a process killed while segments begin leaves a topic with files for every record.
"""


class Admin:
    """Queries and administers topics. Safe to share; connects on first use."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._client: Any = None

    def ping(self) -> None:
        """Raise Away if Kafka does not answer."""
        self.cluster_id()

    def cluster_id(self) -> str:
        with self._asked() as client:
            return str(client.describe_cluster()["cluster_id"])

    def identities(self, topics: Collection[str]) -> dict[str, SourceIdentity]:
        """Return cluster and topic id of each topic. A missing topic raises Away: somebody has yet to create it."""
        cluster_id = self.cluster_id()
        found = self._described(topics)
        if missing := sorted(set(topics) - found.keys()):
            raise Away(f"Kafka has no topic {', '.join(missing)}")
        return {topic: SourceIdentity(cluster_id, str(found[topic]["topic_id"])) for topic in topics}

    def ensure_topics(self, specs: Collection[TopicSpec]) -> list[str]:
        """Create missing topics. Returns, in words, how existing topics differ from their specs; changes none of them."""
        found = self._described([spec.name for spec in specs])
        if missing := [spec for spec in specs if spec.name not in found]:
            self._create(missing)
        return self._compared([spec for spec in specs if spec.name in found], found)

    def differences(self, specs: Collection[TopicSpec]) -> list[str]:
        """Return, in words, which topics are missing and how others differ from their specs. Changes nothing."""
        found = self._described([spec.name for spec in specs])
        missing = [f"{spec.name} is missing" for spec in specs if spec.name not in found]
        return missing + self._compared([spec for spec in specs if spec.name in found], found)

    def existing(self, topics: Collection[str]) -> list[str]:
        """Return the topics among these that exist."""
        return sorted(self._described(topics))

    def spans(self, topics: Collection[str]) -> dict[str, Span]:
        """Return what the first partition of each topic holds."""
        at = {topic: KafkaPartition(topic, 0) for topic in topics}
        with self._asked() as client:
            first = client.list_partition_offsets(dict.fromkeys(at.values(), OffsetSpec.EARLIEST))
            latest = client.list_partition_offsets(dict.fromkeys(at.values(), OffsetSpec.MAX_TIMESTAMP))
        return {topic: Span(first[one].offset, latest[one].timestamp) for topic, one in at.items()}

    def ends(self, topics: Collection[str]) -> dict[str, int]:
        """Return the offset after the last record in the first partition of each topic."""
        with self._asked() as client:
            found = client.list_partition_offsets({KafkaPartition(topic, 0): OffsetSpec.LATEST for topic in topics})
        return {at.topic: one.offset for at, one in found.items()}

    def out_of_sync(self, topics: Collection[str]) -> list[str]:
        """Return the topics with a replica that is behind."""
        return sorted(
            topic
            for topic, found in self._described(topics).items()
            if any(len(one["isr_nodes"]) < len(one["replica_nodes"]) for one in found["partitions"])
        )

    def kept_once(self, topics: Collection[str]) -> list[str]:
        """Return topics of three replicas or more that accept an event which only one of them has: it is lost with that one."""
        copies = {topic: found["partitions"][0]["replica_nodes"] for topic, found in self._described(topics).items()}
        copied = [topic for topic, nodes in copies.items() if len(nodes) > 2]
        return sorted(topic for topic, told in self._configs(copied).items() if _fewest(told) < 2)

    def brokers(self) -> int:
        """Return the number of brokers that run; Kafka also names those that are gone, as fenced."""
        with self._asked() as client:
            return sum(not each.get("is_fenced", False) for each in client.describe_cluster()["brokers"])

    def disks(self) -> list[Disk]:
        """Return the disks of every broker that says how large they are."""
        with self._asked() as client, suppress(errors.UnsupportedVersionError):
            return [
                Disk(answer["broker"], each["log_dir"], each["usable_bytes"], each["total_bytes"])
                for answer in client.describe_log_dirs()
                for each in answer["log_dirs"]
                if each["total_bytes"] > 0
            ]
        return []

    @contextmanager
    def keeping_given_times(self, topic: str) -> Iterator[None]:
        """Let records keep the times with which they are sent during the block, even if the broker would set its own.

        A process that is killed during the block leaves the topic like this; the next one to use it puts it right.
        """
        configs = self._configs([topic])[topic]
        before = "LogAppendTime" if configs[LENT]["value"] == "1" else configs[_TIMES]["value"]
        lends = before == "LogAppendTime"
        if lends:
            self._configure(LENT, {topic: "1"})
            self._configure(_TIMES, {topic: "CreateTime"})
        try:
            yield
        finally:
            if lends:
                self._configure(_TIMES, {topic: before})
                self._configure(LENT, {topic: "0"})

    @contextmanager
    def beginning_segments(self, topic: str) -> Iterator[None]:
        """Let a record with a later time than its segment's first record begin a segment of its own during the block."""
        self._configure(SEGMENTS, {topic: "1"})
        try:
            yield
        finally:
            self._configure(SEGMENTS, {topic: LONG})

    def _configure(self, name: str, values: Mapping[str, str]) -> None:
        """Configure a topic. Raises Refused if Kafka did not accept it: the library only returns the error."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic, {name: one}) for topic, one in values.items()]
        with self._asked() as client:
            answer = client.alter_configs(resources)["topic"]
        if refused := [f"{topic}: {said}" for topic, said in answer.items() if said != "OK"]:
            raise Refused(f"Kafka did not set {name} of {'; '.join(refused)}")

    def delete_before(self, offsets: Mapping[str, int]) -> None:
        """Delete everything before these offsets. That this was meant for all of them is recorded first, for `meant_beginnings`."""
        self._configure(BEGINNING, {topic: str(offset) for topic, offset in offsets.items()})
        with self._asked() as client:
            client.delete_records({KafkaPartition(topic, 0): offset for topic, offset in offsets.items()})

    def meant_beginnings(self, topics: Collection[str]) -> dict[str, int]:
        """Return up to where we deleted topics of events; other topics are left out."""
        told = {topic: configs.get(BEGINNING, {}) for topic, configs in self._configs(topics).items()}
        return {topic: int(one["value"]) for topic, one in told.items() if one.get("config_source") == OF_THE_TOPIC}

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _compared(self, specs: Collection[TopicSpec], found: Mapping[str, Any]) -> list[str]:
        configs = self._configs([spec.name for spec in specs if spec.configs])
        return [
            difference
            for spec in specs
            for difference in _differences(spec, found[spec.name], configs.get(spec.name, {}))
        ]

    def _create(self, specs: Collection[TopicSpec]) -> None:
        with self._asked() as client:
            answer = client.create_topics(
                {
                    spec.name: {
                        "num_partitions": spec.partitions,
                        "replication_factor": spec.replication,
                        "configs": dict(spec.configs),
                    }
                    for spec in specs
                },
                raise_errors=False,
            )
            for topic in answer["topics"]:
                error = errors.for_code(topic["error_code"])
                if error not in {errors.NoError, errors.TopicAlreadyExistsError}:
                    raise error(topic["name"])
            client.wait_for_topics([spec.name for spec in specs], timeout_ms=REQUEST_SECONDS * 1000)

    def _described(self, topics: Collection[str]) -> dict[str, Any]:
        with self._asked() as client:
            return {found["name"]: found for found in client.describe_topics(list(topics)) if not found["error_code"]}

    def _configs(self, topics: Collection[str]) -> dict[str, Any]:
        if not topics:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        with self._asked() as client:
            answer = client.describe_configs(resources, config_filter="all")
        return dict(answer.get("topic", {}))

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        with self._lock, told_apart():
            if self._client is None:
                self._client = _AdminClient(**connection(self._settings))
            # The library waits without limit for an answer that got lost; closing it wakes all who wait.
            limit = Timer(ANSWER_SECONDS, self._drop)
            limit.daemon = True
            limit.start()
            try:
                yield self._client
            except errors.KafkaError:
                self._drop()
                raise
            finally:
                limit.cancel()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


class _AdminClient(KafkaAdminClient):  # type: ignore[misc]
    """An admin client that cleans up: if it cannot connect, the library's own would leave a thread and its sockets behind at every try."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except errors.KafkaError:
            self._closed = False
            self.close()
            raise


def _fewest(configs: Mapping[str, Any]) -> int:
    """Return how many replicas must have an event before it is acknowledged."""
    return int(configs.get("min.insync.replicas", {}).get("value", 1))


def _differences(spec: TopicSpec, found: Mapping[str, Any], configs: Mapping[str, Any]) -> Iterator[str]:
    """Yield differences. A config that the broker does not report (the embedded one reports none) is not a difference."""
    copies = {len(partition["replica_nodes"]) for partition in found["partitions"]}
    if spec.replication > 0 and copies != {spec.replication}:
        yield f"{spec.name} has {', '.join(map(str, sorted(copies)))} copies, not {spec.replication}"
    partitions = len(found["partitions"])
    if partitions != spec.partitions:
        yield f"{spec.name} has {partitions} partitions, not {spec.partitions}"
    for key, wanted in spec.configs.items():
        actual = configs.get(key, {}).get("value", wanted)
        if str(actual) != wanted and not (key == SEGMENTS and int(actual) >= DAY_MILLISECONDS):
            yield f"{spec.name} has {key}={actual}, not {wanted}"
