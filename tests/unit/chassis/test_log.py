"""A log that is closed for some reason never hides that reason."""

import asyncio
from contextlib import closing, suppress

import pytest

from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming import log
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.log import Log

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
