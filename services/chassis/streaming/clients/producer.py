"""Sends records, each time until Kafka has acknowledged all of them."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from threading import Lock
from typing import Any, Self

from kafka import KafkaProducer, errors
from opentelemetry.trace import SpanKind

from services.chassis import tracing
from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.connection import CONNECT_SECONDS, connection, told_apart
from services.chassis.streaming.clients.outgoing import Headers, Outgoing, Receipt


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
        with told_apart():
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
        with told_apart():
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
    with told_apart():
        kept = [promise.get(timeout=0) for promise in promises]
    return [Receipt(at.topic, at.partition, at.offset) for at in kept]
