"""Kafka for everything but reading streams: sending with acknowledgement, administration and connections."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from ssl import SSLContext, create_default_context
from threading import Lock, Timer
from typing import Any, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaProducer, errors
from kafka import TopicPartition as KafkaPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from opentelemetry.trace import SpanKind

from services.chassis import tracing
from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import SourceIdentity

log = logging.getLogger(__name__)

# Errors that last: trying again does not help. Any other error may pass.
LASTING = (
    errors.AuthorizationError,
    errors.SaslAuthenticationFailedError,
    errors.InvalidTopicError,
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.UnsupportedVersionError,
    errors.UnsupportedCodecError,
    errors.KafkaConfigurationError,
    errors.IllegalStateError,
)
Headers = tuple[tuple[str, bytes | None], ...]
CONNECT_SECONDS = 5
REQUEST_SECONDS = 5
ANSWER_SECONDS = 30.0


class Outgoing(NamedTuple):
    """A record to send. A `value` of None deletes the key in a compacted topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    """Milliseconds since 1970; the present time if left out. Brokers of a real cluster use their own time instead."""
    headers: Headers = ()


class Receipt(NamedTuple):
    """The place of a record in Kafka, once it has acknowledged it."""

    topic: str
    partition: int
    offset: int
    redated: bool = False
    """Whether the broker is known to have used its own time instead of the sender's."""


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


def tls_context(settings: KafkaSettings) -> SSLContext | None:
    """Return the TLS context; None if the connection is not encrypted."""
    if not settings.security_protocol.endswith("SSL"):
        return None
    context = create_default_context(cafile=settings.tls_ca_path)
    if settings.tls_certificate_path is not None:
        context.load_cert_chain(settings.tls_certificate_path, settings.tls_key_path)
    return context


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return connection settings for every client of the library."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": settings.client_id,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_context(settings),
        "request_timeout_ms": REQUEST_SECONDS * 1000,
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 1000,
    }
    if settings.sasl_password is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return options


def failure(error: errors.KafkaError) -> Away | Refused:
    """Translate Kafka's error into one of ours, without its message, which may quote what was sent."""
    kind = Refused if isinstance(error, LASTING) else Away
    return kind(f"Kafka: {type(error).__name__}")


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except errors.KafkaError as error:
        raise failure(error) from error
    except OSError as error:
        raise Away(f"Kafka: {type(error).__name__}") from error


class Producer:
    """Sends records and returns their places, only after every in-sync replica has them. Safe to share.

    Connects on first use, so a service starts while Kafka is away. After Away, a record may or may not have been kept.
    """

    def __init__(self, settings: KafkaSettings, *, deliver_seconds: float = 10.0, linger_milliseconds: int = 5) -> None:
        self._settings = settings
        self._deliver_seconds = deliver_seconds
        self._linger = linger_milliseconds
        self._lock = Lock()
        self._client: Any = None
        # The library's send blocks while it looks for a topic's leader or for room; one thread keeps the order.
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-send")

    async def send(self, records: Sequence[Outgoing]) -> list[Receipt]:
        """Send records and wait for the acknowledgement of all, without holding up the loop. Raises Away or Refused."""
        with tracing.span("send", SpanKind.PRODUCER, attributes=_told(records)):
            return await self._send(records, tracing.carried())

    async def _send(self, records: Sequence[Outgoing], headers: Headers) -> list[Receipt]:
        loop = asyncio.get_running_loop()
        acknowledged = loop.create_future()
        wake = partial(loop.call_soon_threadsafe, _wake, acknowledged)
        try:
            async with asyncio.timeout(self._deliver_seconds + CONNECT_SECONDS):
                promises = await loop.run_in_executor(self._sender, self._hand_over, records, headers)
                _when_all(promises, wake)
                await acknowledged
        except TimeoutError:
            raise Away("Kafka has not acknowledged in time") from None
        return _receipts(promises)

    def send_all(self, records: Iterable[Outgoing]) -> list[Receipt]:
        """Send many records at once, from a thread, and wait for the acknowledgement of all. Raises Away or Refused."""
        promises = self._hand_over(records, tracing.carried())
        with _told_apart():
            self._connected().flush(timeout=self._deliver_seconds + CONNECT_SECONDS)
        return _receipts(promises)

    def close(self) -> None:
        """Wait a moment for records on their way, then close."""
        self._sender.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._client is not None:
                _close(self._client)
                self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hand_over(self, records: Iterable[Outgoing], headers: Headers) -> list[Any]:
        with _told_apart():
            client = self._connected()
            return [
                client.send(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    timestamp_ms=record.timestamp,
                    headers=[*record.headers, *headers],
                )
                for record in records
            ]

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = KafkaProducer(
                    **connection(self._settings),
                    acks="all",
                    # An idempotent producer of kafka-python never sends again once records have waited in vain for acknowledgement. Here, a
                    # record that is kept twice has no further effect.
                    enable_idempotence=False,
                    compression_type="lz4",
                    linger_ms=self._linger,
                    batch_size=256 * 1024,
                    max_block_ms=CONNECT_SECONDS * 1000,
                    delivery_timeout_ms=int(self._deliver_seconds * 1000),
                    allow_auto_create_topics=False,
                )
            return self._client


def _close(client: Any) -> None:
    try:
        client.close(timeout=CONNECT_SECONDS)
    except errors.KafkaTimeoutError:
        # The library drops records that Kafka does not accept before it has stopped its thread.
        client._sender.force_close()  # noqa: SLF001
        client._sender.join(CONNECT_SECONDS)  # noqa: SLF001
        client.close(timeout=CONNECT_SECONDS)


def _told(records: Sequence[Outgoing]) -> tracing.Attributes | None:
    if not tracing.is_on():
        return None
    topics = ",".join(sorted({record.topic for record in records}))
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "send",
        "messaging.destination.name": topics,
        "messaging.batch.message_count": len(records),
    }


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _when_all(promises: Sequence[Any], then: Any) -> None:
    """Call `then` once, from the library's thread, when every promise is settled either way."""
    if not promises:
        then()
        return
    settled = count(1)

    def one(_: object) -> None:
        if next(settled) == len(promises):
            then()

    for promise in promises:
        promise.add_both(one)


def _receipts(promises: Iterable[Any]) -> list[Receipt]:
    with _told_apart():
        kept = [promise.get(timeout=0) for promise in promises]
    return [Receipt(at.topic, at.partition, at.offset) for at in kept]


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
        with self._lock, _told_apart():
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
