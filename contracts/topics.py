"""The topics, on one page. One partition each: a key that different client libraries hash differently cannot go astray."""

from contracts.authorities import AUTHORITIES
from contracts.events import Fact, FactWithdrawn, Topic, withdrawable

NATIONAL_AGGREGATES = "national.aggregates"
"""Compacted; key = cell; absolute values with a version, so that repeats are harmless."""


def topic_of(kind: Topic, authority: str) -> str:
    """The topic to which the authority (current code) publishes events of this kind."""
    return f"{kind}.{authority}"


def authority_of(topic: str) -> str:
    """The authority's code in the name of one of its topics."""
    return topic.rpartition(".")[2]


def kind_of_topic(topic: str) -> Topic:
    """Which kind of events the topic carries. Raises ValueError for a topic that is not an authority's."""
    return Topic(topic.rpartition(".")[0])


def source_topics(*kinds: Topic) -> tuple[str, ...]:
    """The topics of all authorities, of the given kinds."""
    return tuple(topic_of(kind, code) for code in AUTHORITIES for kind in kinds)


def kind_of(fact: Fact) -> Topic:
    """Which kind of topic a fact belongs to. What is withdrawn tells where its withdrawal goes."""
    if isinstance(fact, FactWithdrawn) and withdrawable(fact.fact, Topic.UNPAID_WORK):
        return Topic.UNPAID_WORK
    return fact.TOPICS[0]
