"""The topics, on one page. Each has one partition: client libraries hash keys differently, and so cannot split an order over partitions."""

from contracts.authorities import AUTHORITIES
from contracts.events import Fact, FactWithdrawn, Topic, withdrawable

NATIONAL_AGGREGATES = "national.aggregates"
"""Compacted; key = cell; absolute values with a version, so that repeats are harmless."""


def topic_of(kind: Topic, authority: str) -> str:
    """Return the topic to which the authority (current code) publishes events of this kind."""
    return f"{kind}.{authority}"


def authority_of(topic: str) -> str:
    """Return the authority's code in the name of one of its topics."""
    return topic.rpartition(".")[2]


def kind_of_topic(topic: str) -> Topic:
    """Return which kind of events the topic carries. Raises ValueError for a topic that is not an authority's."""
    return Topic(topic.rpartition(".")[0])


def source_topics(*kinds: Topic) -> tuple[str, ...]:
    """Return the topics of all authorities, of the given kinds."""
    return tuple(topic_of(kind, code) for code in AUTHORITIES for kind in kinds)


def kind_of(fact: Fact) -> Topic:
    """Return the kind of topic to which a fact belongs. The withdrawn fact decides where its withdrawal goes."""
    if isinstance(fact, FactWithdrawn) and withdrawable(fact.fact, Topic.UNPAID_WORK):
        return Topic.UNPAID_WORK
    return fact.TOPICS[0]
