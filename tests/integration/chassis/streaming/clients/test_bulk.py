"""Sending very many records at once, on a real broker."""

from collections.abc import Callable

import pytest
from kafka import KafkaConsumer, TopicPartition

from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from tests.support.kafka import KafkaProcess


def _read(address: str, topic: str, number: int) -> list[tuple[int, bytes, bytes, int]]:
    consumer = KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=10_000, enable_auto_commit=False)
    try:
        source = TopicPartition(topic, 0)
        consumer.assign([source])
        consumer.seek_to_beginning(source)
        found: list[tuple[int, bytes, bytes, int]] = []
        while len(found) < number:
            found += [(m.offset, m.key, m.value, m.timestamp) for m in next(iter(consumer.poll(5_000).values()))]
        return found
    finally:
        consumer.close()


def test_all_arrive_in_order_where_the_receipts_say(kafka: str, new_topic: Callable[[], str]) -> None:
    topics = [new_topic(), new_topic()]
    records = [Outgoing(topics[i % 2], b"%d" % i, b"x" * 300 + b"%d" % i, 1_700_000_000_000 + i) for i in range(6_000)]
    with BulkProducer(KafkaSettings(bootstrap=kafka)) as producer:
        receipts = producer.send_all(records) + producer.send_all([Outgoing(topics[0], b"last", b"last", 5)])
    for topic in topics:
        ours = [record for record in records if record.topic == topic]
        found = _read(kafka, topic, len(ours))
        assert [one[1:] for one in found[:3000]] == [(r.key, r.value, r.timestamp) for r in ours]
        offsets = [receipt.offset for receipt in receipts if receipt.topic == topic]
        assert offsets == list(range(len(offsets)))


@pytest.mark.faults
@pytest.mark.durable_broker
def test_a_broker_that_went_is_away_and_comes_back(kafka_process: KafkaProcess) -> None:
    with BulkProducer(KafkaSettings(bootstrap=kafka_process.address), deliver_seconds=5) as producer:
        record = Outgoing("some.topic", b"k", b"v")
        with pytest.raises(Away):  # no such topic yet
            producer.send_all([record])
        kafka_process.stop()
        with pytest.raises(Away):
            producer.send_all([record])
        kafka_process.start()
        producer.send_all([])
