"""A topic that is kept on several brokers takes events only once two of them have each."""

from typing import Any

import pytest

from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.admin import Admin
from services.operations.doctor import copies


class Cluster:
    """A cluster that tells of one topic."""

    def __init__(self, replicas: int, in_sync: int, fewest: str) -> None:
        self._partition = {"replica_nodes": list(range(replicas)), "isr_nodes": list(range(in_sync))}
        self._fewest = fewest

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        return [{"name": topic, "error_code": 0, "partitions": [self._partition]} for topic in topics]

    def describe_configs(self, resources: list[Any], **_: str) -> dict[str, Any]:
        return {"topic": {each.name: {"min.insync.replicas": {"value": self._fewest}} for each in resources}}


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (Cluster(1, 1, "1"), ""),
        (Cluster(3, 3, "2"), ""),
        (Cluster(3, 3, "1"), "x takes events that one copy has, of several: min.insync.replicas must be 2"),
        (Cluster(3, 2, "2"), "x: a copy is behind"),
    ],
    ids=("one broker", "as it must be", "too few", "behind"),
)
def test_copies_that_do_not_keep_events_safe_are_told(cluster: Cluster, told: str) -> None:
    admin = Admin(KafkaSettings(bootstrap="127.0.0.1:1"))
    admin._client = cluster
    assert "\n".join(copies(admin, ["x"])) == told
