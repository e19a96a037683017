"""From events to changes of records and cells, pure. Nothing here touches Kafka, PostgreSQL or the clock."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.cells import Service
from contracts.codec import Event, decode
from contracts.events import Topic
from contracts.rejections import Rejection
from services.chassis.batches import Message
from services.records.calendar import Calendar, month_of
from services.records.clocks import Cells
from services.records.record import Outcome, Record, apply

LONDON = ZoneInfo("Europe/London")


PersonMonth = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Domain:
    """What makes a service of records this service."""

    service: Service
    kinds: tuple[Topic, ...]
    """The topics that it reads of each authority."""
    own: Topic
    """The topic whose events it accounts for: outcomes, rejections, arrivals."""
    holds: Callable[[str], bool]
    """Whether a fact key is part of this service's records."""
    contributions: Callable[[Record, Calendar], Cells]
    person_month: Callable[[Record], PersonMonth | None]
    calendar: Calendar
    rules: str
    """The version of what counts: cells counted by another version are counted again."""


class Arrival(NamedTuple):
    """One message of a topic, read."""

    topic: Topic
    message: Message
    day: date
    content: Event | Rejection


class Settled(NamedTuple):
    """One message and what became of it."""

    arrival: Arrival
    outcome: Outcome


@dataclass(slots=True)
class Held:
    """A record with what it contributes, so that a change costs one count and not two."""

    record: Record
    cells: Cells


@dataclass(slots=True)
class Folded:
    """What a batch of one authority changes."""

    records: dict[str, Held] = field(default_factory=dict)
    """Changed records by subject."""
    cells: dict[date, Counter[tuple[str, date, str]]] = field(default_factory=dict)
    """Changes of cells by the day on which they became known."""
    persons: dict[PersonMonth, dict[date, int]] = field(default_factory=dict)
    """Changes of how many new orders a person has in a month, by the day on which they became known."""
    settled: list[Settled] = field(default_factory=list)


def read(topic: Topic, authority: str, messages: Iterable[Message], known_on: date) -> list[Arrival]:
    """Decodes messages. The day that something became known never goes back, whatever a producer's clock says."""
    arrivals = []
    for message in messages:
        known_on = max(known_on, day_of(message.timestamp))
        arrivals.append(Arrival(topic, message, known_on, decode(message.value, topic, authority)))
    return arrivals


def subjects(arrivals: Iterable[Arrival], domain: Domain) -> set[str]:
    """Whose records the arrivals may change."""
    return {a.content.subject for a in arrivals if isinstance(a.content, Event) and domain.holds(a.content.data.key)}


def fold(arrivals: list[Arrival], held: Mapping[str, Held], domain: Domain) -> Folded:
    """Applies arrivals of one authority in order. `held` has the record of every subject and is left as it is."""
    folded = Folded()
    for day, same_day in _by_day(arrivals):
        before: dict[str, Held] = {}
        for arrival in same_day:
            outcome = _settle(arrival, folded.records, held, before, domain)
            if arrival.topic is domain.own:
                folded.settled.append(Settled(arrival, outcome))
                _count_arrival(folded, arrival, outcome)
        for subject, old in before.items():
            _count_change(folded, day, old, folded.records[subject], domain)
    return folded


def _by_day(arrivals: list[Arrival]) -> Iterable[tuple[date, list[Arrival]]]:
    days: dict[date, list[Arrival]] = {}
    for arrival in arrivals:
        days.setdefault(arrival.day, []).append(arrival)
    return sorted(days.items())


def _settle(
    arrival: Arrival, changed: dict[str, Held], held: Mapping[str, Held], before: dict[str, Held], domain: Domain
) -> Outcome:
    event = arrival.content
    if isinstance(event, Rejection):
        return Outcome.REJECTED
    if not domain.holds(event.data.key):
        return Outcome.APPLIED
    subject = event.subject
    if subject not in before:
        old = changed.get(subject) or held[subject]
        before[subject] = old
        changed[subject] = Held(dict(old.record), old.cells)
    return apply(changed[subject].record, event)


def _count_change(folded: Folded, day: date, old: Held, new: Held, domain: Domain) -> None:
    new.cells = domain.contributions(new.record, domain.calendar)
    deltas = folded.cells.setdefault(day, Counter())
    for key, value in new.cells.items():
        deltas[key] += value
    for key, value in old.cells.items():
        deltas[key] -= value
    was, now = domain.person_month(old.record), domain.person_month(new.record)
    if was != now:
        for person, step in ((was, -1), (now, 1)):
            if person is not None:
                days = folded.persons.setdefault(person, {})
                days[day] = days.get(day, 0) + step


_DELAY_BANDS = ((1, "to_1_day"), (7, "to_7_days"), (31, "to_1_month"), (92, "to_3_months"), (366, "to_1_year"))


def _count_arrival(folded: Folded, arrival: Arrival, outcome: Outcome) -> None:
    """Counts what depends on arrival: outcomes, reasons and delay. These are no part of any record's contributions."""
    deltas = folded.cells.setdefault(arrival.day, Counter())
    content = arrival.content
    if isinstance(content, Rejection):
        month = month_of(arrival.day)
        deltas["events", month, f"reason={content.reason}"] += 1
    else:
        month = month_of(content.time.date())
        if outcome is Outcome.APPLIED and content.data.DATES:
            occurred: date = getattr(content.data, content.data.DATES[0])
            days = (arrival.day - occurred).days
            band = next((name for limit, name in _DELAY_BANDS if days <= limit), "over_1_year")
            deltas["reporting_delay", month_of(occurred), f"delay_band={band}"] += 1
    deltas["events", month, f"outcome={outcome}"] += 1


_days: dict[int, date] = {}


def day_of(timestamp: int) -> date:
    """The local day of a Kafka timestamp in milliseconds."""
    hour = timestamp // 3_600_000  # the offset of the local time from UTC is whole hours
    day = _days.get(hour)
    if day is None:
        day = _days[hour] = datetime.fromtimestamp(hour * 3600, UTC).astimezone(LONDON).date()
    return day
