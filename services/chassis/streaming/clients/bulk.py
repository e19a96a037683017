"""Sends very many records at once, where speed matters: publishing a history of cells, loading a simulation.

kafka-python spends some 80 microseconds on each record, this 3 (measured side by side on one busy core). Topics have one partition each, so
whole batches are made here and sent as they are.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Thread
from typing import Any, Self, TypeVar
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.structs import TopicPartition as KafkaPartition

from services.chassis.failures import Away, Failure, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.connection import tls_context
from services.chassis.streaming.clients.outgoing import Outgoing, Receipt

LASTING = (
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.TransactionalIdAuthorizationFailed,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.AuthenticationFailedError,
    kafka_errors.InvalidTopicError,
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.UnsupportedVersionError,
)
BATCH_BYTES = 512 * 1024
LOG_APPEND_TIME = 1
"""The number of this kind of time in Kafka's protocol."""
ENDED = (kafka_errors.ProducerFenced, kafka_errors.InvalidProducerEpoch, kafka_errors.InvalidTxnState)
"""Errors that say that Kafka, or another producer, has ended the transaction."""
TRANSACTION_SECONDS = 5
"""How long Kafka waits before it aborts what a producer that died or hangs has left open. Until then no reader gets past it."""
LONG_TRANSACTION_SECONDS = 10
"""The same for a transaction that was aborted before: it may have more to send than there was time for."""
STOP_SECONDS = 3.0
"""How long closing may take. A producer within a transaction would wait for Kafka to come back, however long that takes."""
T = TypeVar("T")


class BulkProducer:
    """Sends records, and returns when every in-sync replica has them. One caller at a time; connects on first use.

    After Away, a record may or may not have been kept: only send records whose repeats are harmless.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        deliver_seconds: float = 30.0,
        transactional: str | None = None,
        transaction_seconds: int = TRANSACTION_SECONDS,
        idempotent: bool = False,
    ) -> None:
        """Prepare a producer. With `transactional`, the beginning of its transactional id, it sends only in transactions, if Kafka has
        them.

        With `idempotent`, records that are sent again after a network fault are kept once.
        """
        self._settings, self._seconds = settings, deliver_seconds
        self.id = f"{transactional}-{uuid4()}" if transactional and settings.transactions else None
        """The transactional id by which Kafka knows it."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="kafka-bulk", daemon=True)
        self._thread.start()
        self._producer: AIOKafkaProducer | None = None
        self._transaction_seconds, self._idempotent = transaction_seconds, idempotent

    def send_all(self, records: Iterable[Outgoing]) -> list[Receipt]:
        """Send all records, each topic in order. Returns their places, topic by topic. Raises Away or Refused."""
        return self._run(self._send(records))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction: readers see everything sent within the block from its end on, or never. Raises Away if Kafka did not say
        which.
        """
        if self.id is None:
            yield
            return
        self._run(self._asked("begin_transaction"))
        try:
            yield
        except BaseException:
            self._run(self._abort())
            raise
        self._run(self._asked("commit_transaction"))

    def end_other(self, id_: str, topic: str) -> None:
        """Abort the transaction that another producer has left open in the topic, and fence that producer. Raises Away."""
        self._run(self._end_other(id_, topic))

    def skip(self, topic: str, number: int) -> None:
        """Abort a transaction that takes so many offsets of the topic, so that readers skip them. Raises Away or Refused."""
        self._run(self._skip(topic, number))

    def close(self) -> None:
        """Close the connection."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _send(self, records: Iterable[Outgoing]) -> list[Receipt]:
        async with self._told_apart():
            return await self._send_batches(await self._connected(), records)

    async def _asked(self, what: str) -> None:
        async with self._told_apart():
            await getattr(await self._connected(), what)()

    async def _end_other(self, id_: str, topic: str) -> None:
        other = AIOKafkaProducer(**_options(self._settings, self._seconds), **_transactional(id_, TRANSACTION_SECONDS))
        try:
            async with self._told_apart():
                await other.start()  # this makes Kafka begin again under this id
                # A broker that was killed may have forgotten the transaction for whose end its log still waits. The end of another
                # transaction of the same producer ends that one, too.
                await other.begin_transaction()
                await other.send_and_wait(topic, key=id_.encode(), partition=0)
                await other.abort_transaction()
        finally:
            await _let_go(other)

    async def _skip(self, topic: str, number: int) -> None:
        given_up = _transactional(f"payback-skip-{uuid4()}", TRANSACTION_SECONDS)
        other = AIOKafkaProducer(**_options(self._settings, self._seconds), **given_up)
        try:
            async with self._told_apart():
                await other.start()
                await other.begin_transaction()
                # The end marker takes an offset too, and must be written without a record, for which the library has no method.
                other._txn_manager.maybe_add_partition_to_txn(KafkaPartition(topic, 0))  # noqa: SLF001
                if number > 1:
                    fillers = (Outgoing(topic, None, None) for _ in range(number - 1))
                    for _, batch, _ in list(_batches(other, fillers)):
                        await (await other.send_batch(batch, topic, partition=0))
                await other.flush()
                await other.abort_transaction()
        finally:
            await _let_go(other)

    async def _abort(self) -> None:
        """Abort the transaction. If Kafka cannot be reached, it aborts by itself: at our next transaction, or after a while."""
        if self._producer is not None:
            with suppress(Failure):
                await self._asked("abort_transaction")

    @asynccontextmanager
    async def _told_apart(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
            if isinstance(error, ENDED):
                self._transaction_seconds = max(self._transaction_seconds, LONG_TRANSACTION_SECONDS)
            await self._stop()
            raise failure(error) from error

    async def _send_batches(self, producer: AIOKafkaProducer, records: Iterable[Outgoing]) -> list[Receipt]:
        sent: dict[str, list[tuple[int, Any]]] = {}
        for topic, batch, number in _batches(producer, records):
            sent.setdefault(topic, []).append((number, await producer.send_batch(batch, topic, partition=0)))
        receipts: list[Receipt] = []
        for topic, number, promise in [(topic, *each) for topic, batches in sent.items() for each in batches]:
            kept = await promise
            redated = kept.timestamp_type == LOG_APPEND_TIME
            receipts += [Receipt(topic, 0, kept.offset + index, redated) for index in range(number)]
        return receipts

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            transactional = _transactional(self.id, self._transaction_seconds) if self.id else {}
            if self._idempotent:
                transactional["enable_idempotence"] = True
            producer = AIOKafkaProducer(**_options(self._settings, self._seconds), **transactional)
            try:
                await producer.start()
            except BaseException:
                await _let_go(producer)
                raise
            self._producer = producer
        return self._producer

    async def _stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _let_go(producer)


async def _let_go(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except TimeoutError:
        await producer.client.close()


def _batches(producer: AIOKafkaProducer, records: Iterable[Outgoing]) -> Iterator[tuple[str, Any, int]]:
    """Yield topics with batches as full as they may be, each with the number of its records.

    Each record goes into the batch of its topic as soon as it is made: to make them all first took half as long again (measured).
    """
    filling: dict[str, tuple[Any, int]] = {}
    for record in records:
        batch, number = filling.get(record.topic) or (producer.create_batch(), 0)
        if not _append(batch, record):
            yield record.topic, batch, number
            batch, number = producer.create_batch(), 0
            if not _append(batch, record):
                raise kafka_errors.MessageSizeTooLargeError
        filling[record.topic] = batch, number + 1
    for topic, (batch, number) in filling.items():
        yield topic, batch, number


def _append(batch: Any, record: Outgoing) -> bool:
    headers = list(record.headers)
    return batch.append(key=record.key, value=record.value, timestamp=record.timestamp, headers=headers) is not None


def _transactional(id_: str, seconds: int) -> dict[str, Any]:
    return {"transactional_id": id_, "transaction_timeout_ms": seconds * 1000}


def _options(settings: KafkaSettings, seconds: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": settings.client_id,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_context(settings),
        "acks": "all",
        "compression_type": "zstd",
        "max_batch_size": BATCH_BYTES,
        "request_timeout_ms": int(seconds * 1000),
    }
    if settings.sasl_password is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return options


def failure(error: BaseException) -> Failure:
    """Translate Kafka's error into one of ours, without its message, which may quote what was sent."""
    kind = Refused if isinstance(error, LASTING) else Away
    return kind(f"Kafka: {type(error).__name__}")
