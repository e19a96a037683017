"""How much of what arrived of an authority is processed in one turn, pure: as many facts as others can wait for, and memory can hold.

Each record that an event touches is read, counted and written whole. So that of ten thousand events, each about another large order, does
not depend on what earlier ones cost, the facts of these orders are added up before they are read.
"""

from collections.abc import Mapping, Sequence
from heapq import merge
from operator import attrgetter

from contracts.decoding.codec import Event
from contracts.events import Topic
from services.records.model.fold import Arrival
from services.records.model.limit import MOST_FACTS
from services.records.model.summary import LIGHT

FACTS_AT_ONCE = 100_000
"""Facts that are held and counted in one turn of an authority, or one order. Ten thousand usual events are about orders with fewer."""

FEW = FACTS_AT_ONCE // (len(Topic) * MOST_FACTS)
"""So many orders fit into a turn however large they are."""


def weight(facts: int) -> int:
    """Return how much a record of so many facts adds to a turn; those of which nobody knows how many they have are too small to count."""
    return facts if facts > LIGHT else 0


def left_of(arrived: Sequence[Arrival], weights: Mapping[str, int]) -> dict[Topic, int]:
    """Return the topics of which not everything fits into one turn, each with its first offset that does not.

    `weights` has the weight of each order, by subject. The first arrival fits in any case, and what is left begins where both topics
    are as far as each other.
    """
    if sum(weights.values()) <= FACTS_AT_ONCE:
        return {}
    room, taken, left = FACTS_AT_ONCE, set[str](), dict[Topic, int]()
    topics = [[one for one in arrived if one.topic is topic] for topic in Topic]
    for arrival in merge(*topics, key=attrgetter("message.timestamp")):
        subject = arrival.content.subject if isinstance(arrival.content, Event) else ""
        more = 0 if subject in taken else weights.get(subject, 0)
        if left or (taken and more > max(0, room)):
            left.setdefault(arrival.topic, arrival.message.offset)
        elif more:
            taken.add(subject)
            room -= more
    return left
