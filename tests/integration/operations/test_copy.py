"""A copy in another Kafka holds each record in its own place, whatever the log has been through, and goes on where it was broken off."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from contracts.events import Topic
from contracts.topics import NATIONAL_AGGREGATES, topic_of
from services.chassis.failures import Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Bounds, TopicPartition
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.log import Log
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.moving.copying import Copier
from services.operations.topics import ensure, topic_specs
from tests.support import kafka as apache_kafka
from tests.support.kafka import KafkaProcess
from tests.support.processes import until

TOPIC = topic_of(Topic.ORDERS, "S12000029")
QUIET = topic_of(Topic.ORDERS, "S12000036")
SPECS = [spec for spec in topic_specs(simulated=True) if spec.name in {TOPIC, QUIET, NATIONAL_AGGREGATES}]
HELD = TopicPartition(TOPIC, 0)


@pytest.fixture
def old(empty_kafka: str) -> KafkaSettings:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, SPECS)
    return kafka


@pytest.fixture
def new(kafka_process: KafkaProcess) -> KafkaSettings:
    apache_kafka.remove_topics(kafka_process.address)
    return KafkaSettings(bootstrap=kafka_process.address)


@pytest.fixture
def copier(old: KafkaSettings, new: KafkaSettings) -> Iterator[Copier]:
    with closing(Copier(old, new, SPECS)) as one:
        yield one


def _record(number: int, topic: str = TOPIC) -> Outgoing:
    key = b"k%d" % number if number % 3 or topic == NATIONAL_AGGREGATES else None
    return Outgoing(topic, key, b"%d" % number, 1_790_000_000_000 + number, (("ce", None), ("x", b"1")))


def send(kafka: KafkaSettings, *numbers: int, topic: str = TOPIC, transaction: str = "") -> None:
    """Send outside a transaction, or in one that is to end like that. Returns when its end stands in the topic."""
    records = [_record(number, topic) for number in numbers]
    producer = BulkProducer(kafka, transactional="t" if transaction else None)
    with closing(producer), suppress(ZeroDivisionError), producer.transaction():
        producer.send_all(records)
        if transaction == "given up":
            raise ZeroDivisionError
    part = TopicPartition(topic, 0)
    with closing(Admin(kafka)) as admin, closing(Log(kafka, [part])) as log:
        until(lambda: log.bounds()[part].end == admin.ends([topic])[topic], "the transaction's end is written")


def held(kafka: KafkaSettings, part: TopicPartition = HELD) -> tuple[Bounds, list[Any]]:
    """Return where the topic begins and ends, and all that can be read."""
    with closing(Log(kafka, [part])) as log:
        bounds = log.bounds()[part]
        log.seek({part: bounds.first})
        found: list[Any] = []
        while log.position(part) < bounds.end:
            for piece in log.slices(1000):
                found += [(m.offset, m.timestamp, m.key, m.value, tuple(m.headers)) for m in piece.messages]
    return bounds, found


def test_each_record_stands_in_its_own_place(old: KafkaSettings, new: KafkaSettings, copier: Copier) -> None:
    send(old, 1, 2, 3)
    send(old, 4, 5, transaction="ended")
    send(old, 6, transaction="given up")
    send(old, 7)
    assert copier.round() == 6
    assert held(new) == held(old)
    assert [offset for offset, *_ in held(new)[1]] == [0, 1, 2, 3, 4, 8]

    send(old, 8, transaction="ended")
    assert copier.round() == 1
    assert held(new) == held(old), "also where nothing came after the end of a transaction"
    assert copier.round() == 0

    with closing(Admin(old)) as admin:
        admin.delete_before({TOPIC: 4})
    copier.round()
    assert held(new) == held(old), "whoever was forgotten is forgotten in the copy"
    with closing(Admin(new)) as admin:
        assert admin.meant_beginnings([TOPIC]) == {TOPIC: 4}


def test_it_goes_on_where_it_was_broken_off_and_with_a_log_that_begins_late(
    old: KafkaSettings, new: KafkaSettings
) -> None:
    send(old, 1, 2, 3, 4)
    with closing(Admin(old)) as admin:
        admin.delete_before({TOPIC: 3})
    with closing(Copier(old, new, SPECS)) as copier:
        assert copier.round() == 1
        copier._producer.skip(TOPIC, 2)  # as one that was killed in the middle of places without records
    send(old, 5, transaction="given up")
    send(old, 6)
    with closing(Copier(old, new, SPECS)) as copier:
        assert copier.round() == 1
    assert held(new) == held(old)


def test_of_aggregates_only_what_the_copy_lacks_is_copied(old: KafkaSettings, new: KafkaSettings) -> None:
    """In whatever places: a compacted log has gaps, and its copy need not have the same."""
    send(old, 1, 2, topic=NATIONAL_AGGREGATES)
    for later, lacking in ((), 2), ((), 0), ((3,), 1):
        send(old, *later, topic=NATIONAL_AGGREGATES)
        with closing(Copier(old, new, SPECS)) as copier:
            assert (copier.round(), copier.round()) == (lacking, 0)
            send(old, 4, topic=NATIONAL_AGGREGATES)
            assert copier.round() == 1
    rows = held(new, TopicPartition(NATIONAL_AGGREGATES, 0))[1]
    assert [row[3] for row in rows] == [b"1", b"2", b"4", b"4", b"3", b"4"]


def test_a_copy_to_which_others_write_is_refused(old: KafkaSettings, new: KafkaSettings, copier: Copier) -> None:
    send(old, 1)
    copier.round()
    send(new, 3)
    send(old, 2)
    with pytest.raises(Refused, match="Somebody else writes"):
        copier.round()
    send(old, 4, 5)
    with pytest.raises(Refused, match=f"last record of {TOPIC} of the copy"):
        Copier(old, new, SPECS)
    send(new, 4, 5, 6)
    with pytest.raises(Refused, match="it is the copy of another Kafka"):
        Copier(old, new, SPECS)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_log_that_lost_its_end_and_grew_again_is_not_gone_on_with(
    old: KafkaSettings, new: KafkaSettings, lost: int
) -> None:
    ensure(new, SPECS)
    send(old, 1, 2)
    send(new, 1, 2, *(7, 8)[:lost])
    send(old, 3, transaction="given up" if lost == 2 else "")
    send(old, 4)
    with pytest.raises(Refused, match=f"last record of {TOPIC} of the copy"):
        Copier(old, new, SPECS)
