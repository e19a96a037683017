"""Faust's consumer, which asks the engine for its positions and gives it whole fetches. This is the engine's Reader.

Faust drops a message in silence if a rebalance interrupts, so each fetch is marked with the number of seeks before it and its place after
them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.chassis.failures import Away, describe
from services.chassis.streaming.batches import Bounds, Fingerprint, TopicPartition, fingerprint
from services.chassis.streaming.clients.log import apart, forget_fetched, records_at
from services.chassis.streaming.fetching import bounded
from services.chassis.streaming.fetching.abreast import Abreast, lacks
from services.chassis.streaming.fetching.waits import Waits
from services.chassis.streaming.membership.fetches import Records
from services.chassis.streaming.membership.wired import Wired
from services.chassis.streaming.reader import Mark

log = logging.getLogger(__name__)
bounded.install()

REQUEST_SECONDS = 30.0
AGAIN_SECONDS = 1.0
"""How often the consumer goes through its partitions although nothing happened. Whatever happens wakes it."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread of Faust's consumer. Marks are made there, so that nothing comes between a seek and a fetch."""

    app: Wired
    mark = Mark(0, 0)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._abreast = Abreast(self._give, self._lacks)
        self._waits = Waits(self.app.kafka.fetch_wait_milliseconds)

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
        consumer._fetcher._fetch_max_wait_ms = int(self._waits.after(found=bool(records)))  # noqa: SLF001 - it has no setting
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


class Consumer(driver.Consumer):
    """Asks the engine where Faust would ask for Kafka's committed offsets. This is the engine's Reader."""

    app: Wired
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
