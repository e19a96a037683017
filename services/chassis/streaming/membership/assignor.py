"""Tells every member of the group its topics, as Faust wants to be told. `placement` decides."""

from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor

from contracts.authorities import AUTHORITIES
from services.chassis.streaming.placement import place


def people_of(code: str) -> int:
    """Return the thousands of people of an authority, to whose number its events are nearly in proportion; one for any other suffix."""
    return AUTHORITIES[code].population_thousands if code in AUTHORITIES else 1


class SuffixAssignor(PartitionAssignor):
    """Keeps topics with the same suffix together, even by people and sticky."""

    @property
    def name(self) -> str:
        return "suffix"

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        clients = {member: self._get_client_metadata(metadata) for member, metadata in member_metadata.items()}
        self._update_member_urls(clients)
        plan = place(
            {member: metadata.subscription for member, metadata in member_metadata.items()},
            {member: client.assignment.actives for member, client in clients.items()},
            people_of,
        )
        assignments = {
            member: ClientAssignment(
                # If Kafka went away before it named a topic's partitions, the topic has at least one: reading none would raise no error.
                actives={topic: sorted(cluster.partitions_for_topic(topic) or {0}) for topic in sorted(topics)},
                standbys={},
            )
            for member, topics in plan.items()
        }
        return self._protocol_assignments(assignments, {}, {}, {})
