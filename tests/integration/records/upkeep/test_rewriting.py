"""Topics that are written anew hold nothing of what they held before, on the disk either."""

from contextlib import closing
from functools import partial
from random import Random

import pytest

from contracts.events import Topic
from contracts.topics import topic_of
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients import bulk
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.topics import ensure, topic_specs
from services.records.upkeep.renaming import Said
from services.records.upkeep.rewriting import Topics
from tests.integration.records.test_between_authorities import A
from tests.integration.records.upkeep.conftest import on_disk
from tests.support.processes import until

TOPIC = topic_of(Topic.ORDERS, A)
SPECS = [spec for spec in topic_specs() if spec.name == TOPIC]


def test_what_was_replaced_goes_from_the_disk_whatever_its_times(
    empty_kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it came in one moment at first; the second time, most is older than what the last segment begins with."""
    kafka, noise = KafkaSettings(bootstrap=empty_kafka), Random(1)
    monkeypatch.setattr(bulk, "BATCH_BYTES", 20_000)
    ensure(kafka, SPECS)
    for events in (15, 100, 15):
        with BulkProducer(kafka) as producer:
            producer.send_all(Outgoing(TOPIC, b"", noise.randbytes(1_000)) for _ in range(events))
        size = on_disk(kafka)
        write_anew(kafka)
        until(partial(takes_less, kafka, 1.3 * size), "the broker deletes what was replaced")
    with closing(Admin(kafka)) as admin:
        assert admin.differences(SPECS) == []


def takes_less(kafka: KafkaSettings, most: float) -> bool:
    return on_disk(kafka) < most


def write_anew(kafka: KafkaSettings) -> None:
    """Write the topic anew just as it is."""
    topics = Topics.settled(kafka, [TOPIC])
    same = [Said.of(TOPIC, message, message.timestamp) for message in topics.messages[TOPIC]]
    topics.write_anew({TOPIC: same}, lambda _: {}, lambda: None)
    topics.delete_old()
    assert [message.value for message in Topics(kafka, [TOPIC]).messages[TOPIC]] == [one.value for one in same]
