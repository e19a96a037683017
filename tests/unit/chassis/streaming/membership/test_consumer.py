"""The consumer tells the engine about Kafka."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from services.chassis.settings import KafkaSettings, StreamSettings
from services.chassis.streaming.batches import Bounds, TopicPartition
from services.chassis.streaming.membership.app import consumer_options
from services.chassis.streaming.membership.consumer import Consumer, ConsumerThread

SOURCE = TopicPartition("orders.events.S12000005", 0)
SEEN, LEFT = 9, 5


class Restored(Consumer):
    """Of a log that was put back to an older copy since the consumer read it."""

    def __init__(self, *, transactions: bool) -> None:
        self.app, self._thread = self, self  # type: ignore[assignment]
        self.kafka = KafkaSettings(bootstrap="kafka:9092", transactions=transactions)

    async def ask(self, question: str, partitions: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(partitions, LEFT if question == "end_offsets" else 0)

    def highwater(self, _: object) -> int:
        return SEEN


@pytest.mark.parametrize(("transactions", "end"), [(True, LEFT), (False, SEEN)], ids=["Apache Kafka", "embedded"])
def test_where_a_log_ends_is_what_kafka_says_now(transactions: bool, end: int) -> None:
    """Otherwise a position beyond the end would be sought for ever. Only the embedded broker tells an end that is too low."""
    consumer = Restored(transactions=transactions)
    assert asyncio.run(consumer.bounds([SOURCE])) == {SOURCE: Bounds(0, end)}


def test_new_partitions_are_noticed_within_a_minute() -> None:
    """Kafka's own default is five."""
    assert (
        consumer_options(KafkaSettings(bootstrap="kafka:9092"), StreamSettings())["consumer_metadata_max_age_ms"]
        == 60_000
    )


def test_a_consumer_that_ended_holds_nothing_that_it_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one fetches the same again, and garbage is collected seldom."""

    async def cut_off(_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(AIOKafkaConsumerThread, "on_thread_stop", cut_off)
    thread: Any = object.__new__(ConsumerThread)
    thread._consumer = SimpleNamespace(_fetcher=SimpleNamespace(_records={SOURCE: b"much"}))
    asyncio.run(thread.on_thread_stop())
    assert thread._consumer._fetcher._records == {}
