"""A log that is closed for some reason never hides that reason."""

import asyncio
from contextlib import closing, suppress
from functools import partial
from time import monotonic

import pytest
from aiokafka.errors import KafkaConnectionError

from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.clients import log
from services.chassis.streaming.clients.log import Log, apart, records_at

TOPIC = TopicPartition("orders.events.S12000027", 0)


class Client:
    """The connections of a consumer, and the task that looks after them."""

    def __init__(self) -> None:
        self.open = True
        self.looking = asyncio.ensure_future(asyncio.sleep(3600))

    async def close(self) -> None:
        self.looking.cancel()
        with suppress(asyncio.CancelledError):
            await self.looking
        self.open = False


class Waiting:
    """A consumer as aiokafka's after a failed request: it waits before it asks again, and is stopped in the same steps."""

    made: list["Waiting"] = []  # noqa: RUF012
    _fetcher = None

    def __init__(self, **_: object) -> None:
        self._client = Client()
        self.requests: list[asyncio.Future[None]] = []
        self.made.append(self)

    async def start(self) -> None:
        self.requests = [asyncio.ensure_future(asyncio.sleep(3600)) for _ in range(2)]

    def assign(self, partitions: object) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        await asyncio.sleep(0)
        for request in self.requests:
            request.cancel()
            await request
        await self._client.close()

    @property
    def left(self) -> bool:
        """Return whether anything of it still runs."""
        return self._client.open or not all(task.done() for task in (*self.requests, self._client.looking))


def test_a_request_that_waits_to_be_tried_again_does_not_hide_why_a_log_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "AIOKafkaConsumer", Waiting)
    Waiting.made.clear()
    with pytest.raises(Away, match="PostgreSQL"), closing(Log(KafkaSettings(bootstrap="nowhere:9092"), [TOPIC])):
        raise Away("PostgreSQL")
    (consumer,) = Waiting.made
    assert not consumer.left


class Stubborn(Waiting):
    """A consumer that never stops, with a task that does not end when it is cancelled."""

    async def stop(self) -> None:
        self.requests.append(asyncio.ensure_future(self._go_on()))
        await asyncio.sleep(3600)

    async def _go_on(self) -> None:
        for _ in range(3):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)


def test_a_log_is_closed_in_time_whatever_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "AIOKafkaConsumer", Stubborn)
    monkeypatch.setattr(log, "STOP_SECONDS", 0.1)
    begun = monotonic()
    with pytest.raises(Away, match="PostgreSQL"), closing(Log(KafkaSettings(bootstrap="nowhere:9092"), [TOPIC])):
        raise Away("PostgreSQL")
    assert monotonic() - begun < 5


class Broken(Waiting):
    """A consumer to which Kafka does not answer."""

    def seek(self, *_: object) -> None:
        """Do nothing."""

    async def getmany(self, *_: object, **__: object) -> None:
        raise KafkaConnectionError


def test_whoever_looks_at_records_while_kafka_is_away_goes_on_with_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker looks while it works: what ends a consumer must not end the worker's own tasks."""
    monkeypatch.setattr(log, "AIOKafkaConsumer", Broken)

    async def work() -> bool:
        other = asyncio.create_task(asyncio.sleep(3600))
        with pytest.raises(Away):
            await apart(partial(records_at, KafkaSettings(bootstrap="nowhere:9092"), {TOPIC: 1}))
        await asyncio.sleep(0)
        return other.cancelled() or other.cancelling() > 0

    Waiting.made.clear()
    assert not asyncio.run(work())
    (consumer,) = Waiting.made
    assert not consumer.left
