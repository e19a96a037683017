"""How much of what arrived of an authority is processed in one turn, pure: as much work as others can wait for, and memory can hold.

Each record that an event touches is read, counted and written whole; so are all orders of a person one of whose orders it changes. So that
of ten thousand events, each about another large order or another person of many orders, does not depend on what earlier ones cost, the work
is added up before it is done. It is counted in facts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from heapq import merge
from operator import attrgetter
from typing import NamedTuple

from contracts.decoding.codec import Event
from contracts.events import OrderImposed, Topic
from services.records.model.fold import Arrival
from services.records.model.limit import MOST_FACTS
from services.records.model.people import MOST_STAYS
from services.records.model.summary import LIGHT

FACTS_AT_ONCE = 100_000
"""Facts that are held and counted in one turn of an authority, or one order. Ten thousand usual events are about orders with fewer."""

FEW = FACTS_AT_ONCE // (len(Topic) * MOST_FACTS)
"""So many orders fit into a turn however large they are."""

STAY = 3
"""Facts that take as long as one order of a person, which is read and counted twice (measured: 11 and 4.5 millionths of a second)."""


def weight(facts: int) -> int:
    """Return how much a record of so many facts adds to a turn; those of which nobody knows how many they have are too small to count."""
    return facts if facts > LIGHT else 0


class Look(NamedTuple):
    """A person of whom an order changes on a day, so that all orders are looked at."""

    day: date
    person: str


Looks = Mapping[tuple[Topic, int], Sequence[Look]]
"""By topic and offset, the people at whom an arrival has somebody look."""


def looks(arrived: Iterable[Arrival], stay_keys: AbstractSet[str], persons: Mapping[str, str]) -> Looks:
    """Return whom each arrival has looked at, in order. `persons` has the person of each order as it is held, if there is one."""
    stated: dict[str, str] = {}
    found: dict[tuple[Topic, int], Sequence[Look]] = {}
    for arrival in _in_order(arrived):
        event = arrival.content
        if isinstance(event, Event) and event.data.key in stay_keys:
            if isinstance(event.data, OrderImposed):
                stated[event.subject] = event.data.person_ref
            of_order = (persons.get(event.subject), stated.get(event.subject))
            concerned = dict.fromkeys(Look(arrival.day, person) for person in of_order if person is not None)
            found[arrival.topic, arrival.message.offset] = list(concerned)
    return found


def surely_fit(different: int, facts: Mapping[str, int]) -> bool:
    """Return whether so many different looks fit into a turn beside these orders, however many orders each person has."""
    return sum(facts.values()) + different * STAY * (MOST_STAYS + 1) <= FACTS_AT_ONCE


def fill_a_turn(stays: Iterable[int]) -> bool:
    """Return whether to look at people with so many orders each is more than a turn, whoever comes after them."""
    return STAY * sum(stays) > FACTS_AT_ONCE


def left_of(
    arrived: Sequence[Arrival],
    facts: Mapping[str, int],
    looked: Looks | None = None,
    stays: Mapping[str, int] | None = None,
) -> dict[Topic, int]:
    """Return the topics of which not everything fits into one turn, each with its first offset that does not.

    `facts` has the weight of each order, by subject; `stays` the number of orders of each person. The first arrival fits in any case, and
    what is left begins where both topics are as far as each other.
    """
    looked, stays = looked or {}, stays or {}
    people = {look for some in looked.values() for look in some}
    if sum(facts.values()) + STAY * sum(stays.get(look.person, 0) for look in people) <= FACTS_AT_ONCE:
        return {}
    room, taken, left = FACTS_AT_ONCE, set[str | Look](), dict[Topic, int]()
    for arrival in _in_order(arrived):
        subject = arrival.content.subject if isinstance(arrival.content, Event) else ""
        work: dict[str | Look, int] = {subject: facts.get(subject, 0)}
        work |= {
            one: STAY * stays.get(one.person, 0) for one in looked.get((arrival.topic, arrival.message.offset), ())
        }
        new = {part: weight for part, weight in work.items() if weight and part not in taken}
        more = sum(new.values())
        if left or (taken and more > max(0, room)):
            left.setdefault(arrival.topic, arrival.message.offset)
        else:
            taken |= new.keys()
            room -= more
    return left


def _in_order(arrived: Iterable[Arrival]) -> Iterator[Arrival]:
    """Yield arrivals so that neither topic is read ahead of the other."""
    of_topics: dict[Topic, list[Arrival]] = {topic: [] for topic in Topic}
    for arrival in arrived:
        of_topics[arrival.topic].append(arrival)
    return merge(*of_topics.values(), key=attrgetter("message.timestamp"))
