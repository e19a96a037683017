"""A most for the facts of one order, pure: what a sender may repeat without end must not become a row that everybody waits for.

The facts of each topic are counted by themselves, since a worker may read one topic ahead of the other. An order of which a topic ever
stated more distinct facts is marked, and counts nothing from that day on. Whether it is does not depend on the order of arrival.
"""

from datetime import UTC, date, datetime

from contracts.decoding.codec import Event
from contracts.events import FACTS, Topic
from contracts.rejections import Reason, Rejection
from services.records.model.record import MARK, MARKS, Entry, Outcome, Record, apply, name_of

MOST_FACTS = 2_000
"""How many distinct facts of one order a topic may state. Decision 24 says how many real orders have."""
_TOPICS = {fact.KEY: fact.TOPICS[0] for fact in FACTS.values() if fact.KEY and not fact.ABOUT_AUTHORITY}
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def topic_stating(key: str) -> Topic | None:
    """Return the topic that states the fact; None if it does not count here, such as the withdrawal of the whole order."""
    return _TOPICS.get(name_of(key))


def refuses(record: Record, key: str) -> bool:
    """Return whether the order is marked, so that it takes no fact from the topic of that key any more."""
    topic = topic_stating(key)
    return topic is not None and MARKS[topic] in record


def is_marked(record: Record, topic: str) -> bool:
    """Return whether the order is marked, so that it takes nothing from that topic any more; False if that is none."""
    return bool(topic) and MARKS[Topic(topic)] in record


def take(record: Record, event: Event, known_on: date = date.min) -> Outcome:
    """Put the event's fact into `record`, in place. If there is no room for one more, mark the order, and refuse the event."""
    key = event.data.key
    topic = None if len(record) < MOST_FACTS else topic_stating(key)  # a record that is marked has more
    if topic is None:
        return apply(record, event, known_on)
    mark = MARKS[topic]
    if mark not in record:
        if key in record or _has_room(record, topic):
            return apply(record, event, known_on)
        record[mark] = _mark(known_on)
    return Outcome.REJECTED


def _has_room(record: Record, topic: Topic) -> bool:
    return sum(topic_stating(key) is topic for key in record) < MOST_FACTS


def marked_only(topic: Topic) -> Record:
    """Return what stands for a marked record where everything is refused, so that nobody reads its facts."""
    return {MARKS[topic]: _mark(date.min)}


def _mark(known_on: date) -> Entry:
    return Entry(_NEVER, "", MARK, None, known_on)


def refusal(event: Event) -> Rejection:
    """Return why an event of such an order is refused."""
    words = f"more than {MOST_FACTS:,} facts were sent of this order, so none of it counts any more"
    return Rejection(Reason.TOO_MANY_FACTS, "$.subject", words, event.id)
