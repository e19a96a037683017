"""The plainest way from events to final facts, for tests: sort by time, keep the last."""

from collections import defaultdict
from collections.abc import Iterable

from contracts.decoding.codec import Event
from contracts.events import WHOLE_ORDER, Fact, FactWithdrawn

Lives = dict[tuple[str, str], dict[str, Fact]]


def lives_of(events: Iterable[Event]) -> Lives:
    """Return the final facts of each order, by authority and order; withdrawn orders left out."""
    found: Lives = defaultdict(dict)
    for event in sorted(events, key=lambda e: (e.time, e.id)):
        found[event.authority, event.subject][event.data.key] = event.data
    return {
        order: {key: fact for key, fact in facts.items() if not isinstance(fact, FactWithdrawn)}
        for order, facts in found.items()
        if WHOLE_ORDER not in facts
    }
