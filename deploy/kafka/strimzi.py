"""Writes the resources from which Strimzi's operators make topics and users: `python -m deploy.kafka.strimzi`, a part of `make documents`.

The lists are those of `payback topics` and of rights.py, so that Kafka on Kubernetes is the same as elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.kafka import rights
from deploy.kafka.rights import Holder, Kind, Quota, Right
from services.chassis.streaming.clients.admin import TopicSpec
from services.operations.topics import topic_specs

FOLDER = Path(__file__).parents[1] / "kubernetes" / "strimzi"
COPIES = 3
_HEAD = "# Made by `make documents` from contracts/listing/authorities.toml, services/operations/topics.py and deploy/kafka/rights.py.\n"
_API = "kafka.strimzi.io/v1"
_TYPES = {
    Kind.TOPIC: "topic",
    Kind.GROUP: "group",
    Kind.CLUSTER: "cluster",
    Kind.TRANSACTIONAL_ID: "transactionalId",
}


def documents() -> Mapping[str, str]:
    """Return the files as they are committed, by name."""
    return {
        "topics.yaml": _text(_topic(spec) for spec in topic_specs(COPIES)),
        "users.yaml": _text(_user(holder) for holder in rights.known()),
    }


def _text(resources: Iterable[Mapping[str, Any]]) -> str:
    each = (yaml.safe_dump(one, sort_keys=False, default_flow_style=None, width=140) for one in resources)
    return _HEAD + "---\n".join(each)


def _resource(kind: str, name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = {"name": name, "namespace": "payback", "labels": {"strimzi.io/cluster": "payback"}}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _topic(spec: TopicSpec) -> Mapping[str, Any]:
    asked = {"topicName": spec.name, "partitions": spec.partitions, "replicas": spec.replication}
    return _resource("KafkaTopic", spec.name.lower(), asked | {"config": dict(spec.configs)})


def _user(holder: Holder) -> Mapping[str, Any]:
    return _resource(
        "KafkaUser",
        holder.user,
        {
            "authentication": {"type": "scram-sha-512"} | dict(_password(holder)),
            "authorization": {"type": "simple", "acls": [_acl(right) for right in holder.rights]},
            "quotas": _quota(holder.quota),
        },
    )


def _password(holder: Holder) -> Iterator[tuple[str, Any]]:
    """Yield the password of one of our own processes, which it reads too; the operator makes that of an authority."""
    if holder.user in rights.SERVICES:
        yield "password", {"valueFrom": {"secretKeyRef": {"name": f"{holder.user}-kafka", "key": "password"}}}


def _acl(right: Right) -> Mapping[str, Any]:
    pattern = {"name": right.name, "patternType": "prefix" if right.beginning else "literal"}
    resource = {"type": _TYPES[right.kind]} | ({} if right.kind is Kind.CLUSTER else pattern)
    return {"resource": resource, "operations": [_operation(name) for name in right.operations]}


def _operation(name: str) -> str:
    """Return the operation in the form DescribeConfigs."""
    return "".join(word.capitalize() for word in name.split("_"))


def _quota(quota: Quota) -> Mapping[str, int]:
    return {"producerByteRate": quota.write, "consumerByteRate": quota.read, "requestPercentage": quota.time}


def main() -> None:
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
