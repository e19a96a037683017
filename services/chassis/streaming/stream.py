"""Reads topics as a member of a group and hands whole fetches to a Processor. Only this module imports faust.

Faust brings group membership, rebalancing and the consumer. A stock agent spends some dozen callbacks on each message, so here one message
stands for a whole fetch (its public settings ConsumerScheduler and Schema). The Processor keeps the positions, in the transaction of its
own writes: on every assignment it is asked for them and they are sought, whatever Kafka says. What is committed to Kafka only shows others
how far this worker is. Faust drops a message in silence if a rebalance interrupts, so each fetch is marked with the number of seeks before
it and its place after them.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

import faust
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition
from faust.app.base import BootStrategy
from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor
from faust.exceptions import ConsumerNotStarted
from faust.tables import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from contracts.authorities import AUTHORITIES
from services.chassis.failures import Away, backoff, describe
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import KafkaSettings, StreamSettings
from services.chassis.streaming.batches import (
    Bounds,
    Fingerprint,
    Message,
    Processor,
    Slice,
    SourceIdentity,
    TopicPartition,
    fingerprint,
)
from services.chassis.streaming.bulk import failure
from services.chassis.streaming.engine import Fetch, Mark, StreamEngine
from services.chassis.streaming.fetching import bounded
from services.chassis.streaming.fetching.abreast import Abreast, lacks
from services.chassis.streaming.fetching.patience import Patience
from services.chassis.streaming.kafka import Admin, tls_context
from services.chassis.streaming.log import forget_fetched, records_at
from services.chassis.streaming.placement import place

__all__ = ["Message", "Processor", "Slice", "SourceIdentity", "Stream", "StreamSettings", "TopicPartition", "run"]

log = logging.getLogger(__name__)
bounded.install()

REQUEST_SECONDS = 30.0
CLOSE_SECONDS = 5.0
AGAIN_SECONDS = 1.0
"""How often the consumer goes through its partitions although nothing happened. Whatever happens wakes it."""
YEAR_SECONDS = 365 * 86400.0
T = TypeVar("T")


def run(
    kafka: KafkaSettings,
    settings: StreamSettings,
    name: str,
    topics: Collection[str],
    processor: Processor,
    metrics: StreamMetrics,
) -> int:
    """Process `topics` as a member of the group `name` until SIGTERM, SIGINT or a failure. Returns the exit status.

    0: stopped as asked, after the present batch. 1: a bug. 3: refused.
    """
    return Stream(kafka, settings, name, topics, processor, metrics).run()


class Stream:
    """One worker. `run` blocks; the other methods may be called from any thread."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: StreamSettings,
        name: str,
        topics: Collection[str],
        processor: Processor,
        metrics: StreamMetrics,
    ) -> None:
        self._kafka, self._settings, self._name, self._topics = kafka, settings, name, sorted(topics)
        self._processor, self._metrics = processor, metrics
        self._asked_to_stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: StreamEngine | None = None

    def run(self) -> int:
        """Block until stopped. Returns the exit status; see `run` of this module."""
        return asyncio.run(self._main())

    def stop(self) -> None:
        """Finish the present batch, then stop."""
        self._asked_to_stop.set()
        if self._loop is not None and self._engine is not None:
            with suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._engine.end)

    def go_back(self) -> None:
        """Read again from the processor's positions, since something else has changed them."""
        if self._loop is not None and self._engine is not None:
            with suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._reread)

    def _reread(self) -> None:
        assert self._engine is not None
        self._engine.begin(self._engine.reread(missing=False))

    def healthy(self) -> bool:
        """Return whether this worker can process events: its dependencies answer, and it makes progress or has nothing left to do."""
        return self._engine is not None and self._engine.healthy()

    def backlogs(self) -> Mapping[TopicPartition, int]:
        """Return how many messages of each source, of those that there were at the last measurement, have no outcome yet."""
        return {} if self._engine is None else self._engine.backlogs()

    async def _main(self) -> int:
        admin = Admin(self._kafka)
        engine = StreamEngine(self._name, self._settings, self._processor, admin.identities, self._metrics)
        self._loop, self._engine = asyncio.get_running_loop(), engine
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, engine.end)
        if self._asked_to_stop.is_set():
            engine.end()
        try:
            await self._work(engine)
        finally:
            engine.close()
            admin.close()
        return engine.status

    async def _work(self, engine: StreamEngine) -> None:
        """Follow the topics. If Faust ends because Kafka went away, or waits for nothing, start it again."""
        for delay in backoff(self._settings.retry_first_seconds, self._settings.retry_longest_seconds):
            if not await engine.topics_exist(self._topics) or await self._follow(engine):
                return
            engine.unpause()
            with suppress(TimeoutError):
                await asyncio.wait_for(engine.over.wait(), delay)

    async def _follow(self, engine: StreamEngine) -> bool:
        """Follow the topics until the engine stops. Returns False if Faust must be started again."""
        app = reading(engine, self._kafka, self._settings, self._name, self._topics)
        gone = asyncio.Event()
        watch = partial(_watch, engine, gone)
        tasks = [asyncio.create_task(part) for part in (app.start(), _crash(app), engine.report(), engine.guard())]
        for task in tasks:
            task.add_done_callback(watch)
        ends = [asyncio.create_task(event.wait()) for event in (engine.over, gone)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        app.left = not engine.over.is_set()
        await (engine.leave() if app.left else engine.finish())
        for ended in (*tasks, *ends):
            ended.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await app.stop()
        return engine.over.is_set()


def _watch(engine: StreamEngine, gone: asyncio.Event, task: "asyncio.Task[None]") -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, KafkaError):
        error = failure(error)
    if isinstance(error, Away):
        log.warning("Faust is started again: %s", describe(error))
        gone.set()
    else:
        engine.watch(task)


async def _crash(app: "App") -> None:
    await app.wait()
    if app.crash_reason is not None:
        raise app.crash_reason


def _options(kafka: KafkaSettings, settings: StreamSettings) -> dict[str, Any]:
    """Return settings of Faust as a consumer and nothing else: no tables, no web server, no topics of its own."""
    return {
        "broker": [f"kafka://{server.strip()}" for server in kafka.bootstrap.split(",")],
        "broker_client_id": kafka.client_id,
        "broker_credentials": _credentials(kafka),
        "broker_session_timeout": kafka.session_timeout_seconds,
        "broker_heartbeat_interval": kafka.session_timeout_seconds / 5,
        # For this long, a member that died while it joined holds up all the others.
        "broker_rebalance_timeout": kafka.session_timeout_seconds * 3,
        "broker_request_timeout": max(REQUEST_SECONDS, kafka.session_timeout_seconds),
        # While something is away nothing is fetched; that must not end the membership.
        "broker_max_poll_interval": YEAR_SECONDS / 52,
        "broker_max_poll_records": settings.batch_max_messages,
        "consumer_metadata_max_age_ms": int(kafka.metadata_seconds * 1000),
        "consumer_max_fetch_size": kafka.partition_fetch_max_bytes,
        # A position that Kafka does not have must be an error, never a silent jump.
        "consumer_auto_offset_reset": "none",
        "stream_buffer_maxsize": 1,
        "stream_wait_empty": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "store": "memory://",
        "web_enabled": False,
        "autodiscover": False,
        "ConsumerScheduler": OneMessagePerFetch,
        "TableManager": NoTables,
        "PartitionAssignor": SuffixAssignor,
    }


def _credentials(kafka: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    context = tls_context(kafka)
    if kafka.sasl_password is not None:
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


class Records(dict[Any, list[Any]]):
    """The consumer's answer: records by partition, with their mark."""

    def __init__(self, records: Mapping[Any, list[Any]], mark: Mark) -> None:
        super().__init__(records)
        self.mark = mark

    def fetch(self) -> Fetch:
        return Fetch(self.mark, [Slice(at.topic, at.partition, messages) for at, messages in self.items()])


class OneMessagePerFetch(DefaultSchedulingStrategy):
    """Lets the last record of the first partition stand for all records, which become its value."""

    def iterate(self, records: Mapping[Any, list[Any]]) -> Iterator[tuple[Any, Any]]:
        for partition, messages in records.items():
            yield partition, replace(messages[-1], value=records)
            return


class AsItIs(faust.Schema[Any, Any]):
    """Leaves key and value alone."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return message.value


def people_of(code: str) -> int:
    """Return the thousands of people of an authority, to whose number its events are nearly in proportion; one for any other suffix."""
    return AUTHORITIES[code].population_thousands if code in AUTHORITIES else 1


class SuffixAssignor(PartitionAssignor):
    """Keeps topics with the same suffix together, even by people and sticky."""

    @property
    def name(self) -> str:
        return "suffix"

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        clients = {member: self._get_client_metadata(metadata) for member, metadata in member_metadata.items()}
        self._update_member_urls(clients)
        plan = place(
            {member: metadata.subscription for member, metadata in member_metadata.items()},
            {member: client.assignment.actives for member, client in clients.items()},
            people_of,
        )
        assignments = {
            member: ClientAssignment(
                # If Kafka went away before it named a topic's partitions, the topic has at least one: reading none would raise no error.
                actives={topic: sorted(cluster.partitions_for_topic(topic) or {0}) for topic in sorted(topics)},
                standbys={},
            )
            for member, topics in plan.items()
        }
        return self._protocol_assignments(assignments, {}, {}, {})


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread of Faust's consumer. Marks are made there, so that nothing comes between a seek and a fetch."""

    app: "App"
    mark = Mark(0, 0)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._abreast = Abreast(self._give, self._lacks)
        self._patience = Patience(self.app.kafka.fetch_wait_milliseconds)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no settings for these.
        consumer._fetch_max_wait_ms = self.app.kafka.fetch_wait_milliseconds  # noqa: SLF001
        consumer._fetch_max_bytes = self.app.kafka.fetch_max_bytes  # noqa: SLF001
        consumer._consumer_timeout = AGAIN_SECONDS  # noqa: SLF001
        if self.app.kafka.transactions:  # records of an aborted transaction do not count as sent
            consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def _fetch_records(self, consumer: Any, active: Any, timeout: Any = None, max_records: Any = None) -> Any:  # noqa: ASYNC109
        try:
            if not active:
                return await super()._fetch_records(consumer, active, timeout, max_records)
            records = await self._abreast.take(active, timeout or 0, max_records)
        except NoOffsetForPartitionError:
            return {}  # nothing is committed in Kafka; the seek follows
        except OffsetOutOfRangeError:
            self.app.lost_position()
            return {}
        consumer._fetcher._fetch_max_wait_ms = int(self._patience.after(found=bool(records)))  # noqa: SLF001 - it has no setting
        if not records:
            return records
        self.mark = Mark(self.mark.seeks, self.mark.serial + 1)
        return Records(records, self.mark)

    async def _give(self, partitions: set[Any], timeout: float, most: int) -> Any:  # noqa: ASYNC109
        consumer = self._ensure_consumer()
        if not timeout and consumer._fetcher._records.keys().isdisjoint(partitions):  # noqa: SLF001
            return {}  # this is asked of each topic once a second, even in quiet times
        return await super()._fetch_records(consumer, partitions, timeout, most)

    async def positions(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to fetch of each: one visit of this thread, which costs more than the answers."""
        consumer = self._ensure_consumer()
        return {source: await consumer.position(KafkaPartition(*source)) for source in sources}

    def _lacks(self, partition: Any) -> bool:
        return lacks(self._ensure_consumer(), partition)

    async def on_thread_stop(self) -> None:
        # If a step of joining never ended, it is cut off here, and the coordinator ends cancelled: the thread has not failed.
        with suppress(asyncio.CancelledError):
            await super().on_thread_stop()
        if self._consumer is not None:
            forget_fetched(self._consumer)

    def set_shutdown(self) -> None:
        with suppress(RuntimeError):  # it was left, and the loop that would have waited for its end is closed
            super().set_shutdown()

    async def _seek_wait(self, consumer: Any, partitions: Any) -> None:
        self.mark = Mark(self.mark.seeks + 1, 0)
        self._abreast.forget()
        await super()._seek_wait(consumer, partitions)

    async def ask(self, question: str, *args: Any) -> Any:
        """Call the consumer's method of that name in its thread."""
        async with _answered(question):
            return await self.call_thread(getattr(self._ensure_consumer(), question), *args)


@asynccontextmanager
async def _answered(question: str) -> AsyncIterator[None]:
    """Wait for an answer in bounded time, or raise Away: an ended consumer's thread answers nothing, or that its loop is closed."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            yield
    except (KafkaError, TimeoutError, ConsumerNotStarted, RuntimeError) as error:
        raise Away(f"Kafka does not answer {question}: {type(error).__name__}") from error


async def apart(work: Callable[[], T]) -> T:
    """Do the work in a thread of its own, for whose end nobody waits who does not need the result."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for whoever asked
            done.set_exception(error)

    threading.Thread(target=run, name="kafka-look", daemon=True).start()
    return await asyncio.wrap_future(done)


class Consumer(driver.Consumer):
    """Asks the engine where Faust would ask for Kafka's committed offsets. This is the engine's Reader."""

    app: "App"
    _thread: ConsumerThread

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: Any) -> None:
        """Do nothing. Faust would pause one partition, and sleep a second if it is the only one; the full queue is enough."""

    def on_buffer_drop(self, tp: Any) -> None:
        """Do nothing; see on_buffer_full."""

    async def verify_all_partitions_active(self) -> None:
        """Do nothing. Faust would log which partitions stand still; the engine's guard starts a new consumer."""

    async def on_partitions_revoked(self, revoked: Any) -> None:
        if not self.app.left:
            await self.app.engine.pause()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        if not self.app.left:
            self.app.engine.unpause()
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        if self.app.left:
            return
        try:
            await self.app.engine.seek()
        except Away as away:  # until it is sought, no fetch counts; Faust would take this for the end
            log.warning("seeking again: %s", describe(away))
            self.app.reread(missing=False)

    def discard(self) -> None:
        """Close what it has although it was never started."""
        self._thread.thread_loop.close()

    @property
    def mark(self) -> Mark:
        return self._thread.mark

    def owned(self) -> list[TopicPartition]:
        try:
            return [TopicPartition(*at) for at in self.assignment()]
        except ConsumerNotStarted:
            return []

    async def go_to(self, positions: Mapping[TopicPartition, int]) -> None:
        async with _answered("seek"):
            await self.seek_wait({KafkaPartition(*at): offset for at, offset in positions.items()})

    async def bounds(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, Bounds]:
        partitions = [KafkaPartition(*source) for source in sources]
        if not partitions:
            return {}
        first = await self._thread.ask("beginning_offsets", partitions)
        ends = await self.ends(sources)
        return {source: Bounds(first[source], end) for source, end in ends.items()}

    async def ends(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        partitions = [KafkaPartition(*source) for source in sources]
        told = await self._thread.ask("end_offsets", partitions) if partitions else {}
        return {source: self._end(source, told[source]) for source in sources}

    def _end(self, source: TopicPartition, told: int) -> int:
        """Return the end of a source. Only the embedded broker reports too low an end, so only for it does the highest end seen count:
        elsewhere that would hide a log that went back.
        """
        return told if self.app.kafka.transactions else max(told, self.written(source))

    def written(self, source: TopicPartition) -> int:
        try:
            return self.highwater(TP(*source)) or 0
        except AssertionError as error:  # this is how the driver says that the partition is no longer ours
            raise Away(f"{source.topic} changes its owner") from error

    async def fetched(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        async with _answered("position"):
            return dict(await self._thread.call_thread(self._thread.positions, sources))

    async def last_records(self, places: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, Fingerprint]:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                found = await apart(partial(records_at, self.app.kafka, places))
        except TimeoutError as error:
            raise Away("Kafka does not give the last records in time") from error
        return {at: fingerprint(record) for at, record in found.items()}

    async def commit_positions(self, positions: Mapping[TopicPartition, int]) -> None:
        offsets = {KafkaPartition(*at): OffsetAndMetadata(offset, "") for at, offset in positions.items()}
        await self._thread.ask("commit", offsets)


class Transport(driver.Transport):
    Consumer = Consumer


class ConsumerOnly(BootStrategy):
    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class NoTables(TableManager):
    """Waits for none. Faust would sleep a second before it joins the group, in case some are still being defined."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class App(faust.App):
    """Faust, wired to the engine."""

    BootStrategy = ConsumerOnly
    left = False
    """Whether another app follows. What this one still does says nothing to the engine, since its end may be cut short."""

    def __init__(self, engine: StreamEngine, kafka: KafkaSettings, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, **options)
        self.engine, self.kafka = engine, kafka
        self._lost: asyncio.Task[None] | None = None
        self.on_rebalance_complete.connect(self._positions)

    def read(self, topics: Collection[str]) -> None:
        """Give every fetch of the topics to the engine."""

        async def batches(stream: Any) -> None:
            async for records in stream:
                # An agent that raises is started again in silence, so nothing may raise here.
                await asyncio.wait({self.engine.begin(self.engine.take(records.fetch()))})

        # Without the decorator, which looks at every module of the process for scans that nobody makes.
        topic = self.topic(*topics, schema=AsItIs(), acks=False)
        agent = faust.Agent(batches, app=self, channel=topic, name="batches", on_error=self._on_agent_error)
        self.agents[agent.name] = agent
        self.engine.attach(cast(Consumer, self.consumer))

    def discard(self) -> None:
        """Close what it has although it was never started."""
        cast(Consumer, self.consumer).discard()

    def lost_position(self) -> None:
        """Read again. Called from the consumer's thread, at every fetch until it is corrected."""
        self.loop.call_soon_threadsafe(partial(self.reread, missing=True))

    def reread(self, *, missing: bool) -> None:
        """Read again, unless that is being done."""
        if self.left:
            return
        if self._lost is None or self._lost.done():
            self._lost = self.engine.begin(self.engine.reread(missing=missing))

    async def _positions(self, *_: Any, **__: Any) -> None:
        if not self.left:
            await asyncio.wait({self.engine.begin(self.engine.find_positions())})

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Do nothing: nothing is kept on disk."""


def reading(
    engine: StreamEngine, kafka: KafkaSettings, settings: StreamSettings, name: str, topics: Collection[str]
) -> App:
    """Return what gives the engine every fetch of the topics once it is started. Connects to nothing before. Call it within a loop."""
    app = App(engine, kafka, name, _options(kafka, settings))
    app.read(topics)
    return app
