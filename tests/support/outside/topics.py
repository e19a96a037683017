"""Topics by their real names on the broker of all tests, as if they had just been made."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec

from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.admin import TopicSpec
from services.operations.topics import ensure
from tests.support.kafka import remove_topics

OF_THE_TOPIC = "DYNAMIC_TOPIC_CONFIG"


TopicsAnew = Callable[[Sequence[TopicSpec]], KafkaSettings]


def made_anew(address: str, specs: Sequence[TopicSpec]) -> KafkaSettings:
    """Have exactly these topics, without a record, and return how to reach them.

    Those that the test before left as they were made are not made again: to delete all and make them costs half a second of processors.
    """
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        untouched = set(_untouched(admin, specs))
    remove_topics(address, untouched)
    told = KafkaSettings(bootstrap=address)
    assert ensure(told, specs) == []
    return told


def _untouched(admin: KafkaAdminClient, specs: Sequence[TopicSpec]) -> Iterator[str]:
    """Yield the topics that nobody ever wrote to, and that are configured as these say and in no other way."""
    there = set(admin.list_topics())
    asked = [spec for spec in specs if spec.name in there]
    if not asked:
        return
    ends = admin.list_partition_offsets({TopicPartition(spec.name, 0): OffsetSpec.LATEST for spec in asked})
    configs = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in asked])
    for spec in asked:
        own = {
            name: one["value"]
            for name, one in configs["topic"][spec.name].items()
            if one["config_source"] == OF_THE_TOPIC
        }
        if ends[TopicPartition(spec.name, 0)].offset == 0 and own == spec.configs:
            yield spec.name
