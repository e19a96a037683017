"""Reads logs outside any consumer group: single records by offset, or everything between two offsets."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition as KafkaPartition

from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Bounds, Message, Slice, TopicPartition
from services.chassis.streaming.clients.bulk import failure
from services.chassis.streaming.clients.connection import tls_context
from services.chassis.streaming.fetching import bounded
from services.chassis.streaming.fetching.abreast import Abreast, lacks

bounded.install()

POLL_MILLISECONDS = 500
LOOK_SECONDS = 10
WAIT_MILLISECONDS = 50
"""How long Kafka keeps a question for records for which it has none. All other questions of this consumer wait for that one's answer."""
SILENT_POLLS = 120
"""Empty polls in a row, a minute long, after which Kafka counts as away although it should have more."""
STOP_SECONDS = 5.0
"""How long stopping a consumer may take, and again what it takes to give that up."""
T = TypeVar("T")


def records_at(kafka: KafkaSettings, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, Message]:
    """Return the records at these offsets; those that are gone, by age or compaction, are left out. Raises Away or Refused.

    It has a loop of its own, since giving up a consumer ends every task of its loop.
    """
    if not places:
        return {}
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_records_at(kafka, places))
    finally:
        loop.close()


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


async def _records_at(kafka: KafkaSettings, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, Message]:
    async with _consumer(kafka) as consumer:
        consumer.assign([KafkaPartition(*source) for source in places])
        for source, offset in places.items():
            consumer.seek(KafkaPartition(*source), offset)
        return await _first_of_each(consumer, places)


async def _first_of_each(consumer: Any, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, Message]:
    found: dict[TopicPartition, Message] = {}
    waiting = {KafkaPartition(*source) for source in places}
    deadline = monotonic() + LOOK_SECONDS
    while waiting and monotonic() < deadline:
        try:
            fetched = await consumer.getmany(*waiting, timeout_ms=POLL_MILLISECONDS, max_records=len(waiting))
        except OffsetOutOfRangeError as error:
            waiting -= error.args[0].keys()
            continue
        for at, records in fetched.items():
            source = TopicPartition(at.topic, at.partition)
            if records[0].offset == places[source]:
                found[source] = records[0]
        waiting -= fetched.keys()
    return found


class Log:
    """Reads some sources from any offset, for code that is not asynchronous. Reads every codec that Kafka's clients write."""

    def __init__(self, kafka: KafkaSettings, sources: Collection[TopicPartition]) -> None:
        self._loop = asyncio.new_event_loop()
        self._sources = [KafkaPartition(*source) for source in sources]
        self._open, self._silent = AsyncExitStack(), 0
        try:
            self._consumer = self._run(self._begin(kafka))
        except BaseException:
            self._loop.close()
            raise

    async def _begin(self, kafka: KafkaSettings) -> Any:
        consumer = await self._open.enter_async_context(_consumer(kafka))
        consumer.assign(self._sources)
        self._abreast = Abreast(self._give, partial(lacks, consumer))
        return consumer

    async def _give(self, partitions: Collection[Any], timeout: float, most: int) -> Any:  # noqa: ASYNC109
        return await self._consumer.getmany(*partitions, timeout_ms=round(1000 * timeout), max_records=most)

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Continue reading at these positions."""
        self._run(self._seek(positions))

    async def _seek(self, positions: Mapping[TopicPartition, int]) -> None:
        self._abreast.forget()
        for source, position in positions.items():
            self._consumer.seek(KafkaPartition(*source), position)

    def read_only(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these sources and no others from here on, from these positions."""
        self._sources = [KafkaPartition(*source) for source in positions]
        self._run(self._narrow(positions))

    async def _narrow(self, positions: Mapping[TopicPartition, int]) -> None:
        self._consumer.assign(self._sources)
        await self._seek(positions)

    def bounds(self) -> dict[TopicPartition, Bounds]:
        """Return the offsets that Kafka has of each source."""
        first = self._run(self._consumer.beginning_offsets(self._sources))
        end = self._run(self._consumer.end_offsets(self._sources))
        return {TopicPartition(*at): Bounds(first[at], end[at]) for at in self._sources}

    def position(self, source: TopicPartition) -> int:
        return int(self._run(self._consumer.position(KafkaPartition(*source))))

    def slices(self, most: int) -> list[Slice]:
        """Return what comes next, with topics of one suffix in step; nothing if none came in half a second. Raises Away or Refused.

        Ask only if there is more to come: after a minute without anything, it raises Away.
        """
        found = self._run(self._abreast.take(self._sources, POLL_MILLISECONDS / 1000, most))
        self._silent = 0 if found else self._silent + 1
        if self._silent >= SILENT_POLLS:
            raise Away("Kafka says that there is more, and has sent nothing for a minute")
        return [Slice(at.topic, at.partition, records) for at, records in found.items() if records]

    def close(self) -> None:
        self._loop.run_until_complete(self._open.aclose())
        self._loop.close()

    def _run(self, question: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.run_until_complete(question)
        except (KafkaError, OSError, TimeoutError) as error:
            raise failure(error) from error


@asynccontextmanager
async def _consumer(kafka: KafkaSettings) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(**_options(kafka))
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError, TimeoutError) as error:
        raise failure(error) from error
    finally:
        await _stop(consumer)
        forget_fetched(consumer)


def forget_fetched(consumer: Any) -> None:
    """Let go of what an ended consumer has fetched and nobody will read: megabytes, however few objects.

    Its parts hold each other, so the consumer stays until garbage is collected, which a worker does by the number of objects, seldom.
    """
    if consumer._fetcher is not None:  # noqa: SLF001 - it has no method
        consumer._fetcher._records.clear()  # noqa: SLF001


async def _stop(consumer: Any) -> None:
    """Stop a consumer, also one that had a request waiting to be tried again, as after a long pause of whoever uses the log: cancelling
    that request cancels aiokafka's own stopping, halfway. Without this, the reason for closing the log would be lost with it.

    It takes a limited time: what does not end in it is left.
    """
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await consumer.stop()
    except (asyncio.CancelledError, TimeoutError):
        await _give_up(consumer)


async def _give_up(consumer: Any) -> None:
    """End all that the consumer left in its loop, in which nothing else runs."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    closing = asyncio.ensure_future(consumer._client.close())  # noqa: SLF001
    await asyncio.wait({*left, closing}, timeout=STOP_SECONDS)
    closing.cancel()


def _options(kafka: KafkaSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap.split(","),
        "client_id": kafka.client_id,
        "security_protocol": kafka.security_protocol,
        "ssl_context": tls_context(kafka),
        "enable_auto_commit": False,
        "fetch_max_wait_ms": WAIT_MILLISECONDS,
        "max_partition_fetch_bytes": kafka.partition_fetch_max_bytes,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed" if kafka.transactions else "read_uncommitted",
    }
    if kafka.sasl_password is not None:
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    return options
