"""From events to changes of records and cells, pure. Nothing here touches Kafka, PostgreSQL or the clock."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

from contracts.decoding.binary import Headers, from_kafka
from contracts.decoding.codec import Event, decode
from contracts.events import WHOLE_ORDER, Topic
from contracts.periods import LONDON, month_of
from contracts.rejections import Rejection
from services.chassis.streaming.batches import Message
from services.records.model.counting import Counted, Note, merge
from services.records.model.deadlines import Cells, add
from services.records.model.domain import Domain
from services.records.model.findings import Finding
from services.records.model.limit import refusal, refuses, take
from services.records.model.people import Step, steps_of
from services.records.model.record import MARKS, Outcome, Record, as_known, days_after


class PutAside(NamedTuple):
    """An event that an operator skipped because the platform failed on it. Never the sender's error."""

    id: str | None
    reason: str = "put_aside"
    path: str = "$"
    message: str = "the platform failed on this event; it was put aside, to be sent again once the bug is corrected"


class Arrival(NamedTuple):
    """One message of a topic, decoded."""

    topic: Topic
    message: Message
    day: date
    content: Event | Rejection | PutAside


class Settled(NamedTuple):
    """One message and its outcome."""

    arrival: Arrival
    outcome: Outcome


@dataclass(slots=True)
class _Touched:
    """A record that a day's events change: its state before and after, and the keys of facts that differ."""

    before: Counted
    record: Record
    keys: set[str] = field(default_factory=set)


class Turn(NamedTuple):
    """A record that began or ceased to break a rule of data quality."""

    subject: str
    rule: str
    broken: bool


@dataclass(slots=True)
class Folded:
    """The changes of a batch of one authority."""

    records: dict[str, Counted] = field(default_factory=dict)
    """Changed records by subject."""
    cells: dict[date, Cells] = field(default_factory=dict)
    """Changes of cells, by the day on which they became known."""
    people: list[Step] = field(default_factory=list)
    """Changes of the orders that people have."""
    settled: list[Settled] = field(default_factory=list)
    refused: list[Settled] = field(default_factory=list)
    """Those of `settled` that are no events, or that were put aside: few, if any."""
    arrived: list[Arrival] = field(default_factory=list)
    """Everything that arrived, with refusals in place of events that the state of their order refused."""
    turns: list[Turn] = field(default_factory=list)
    known_before: date = date.min
    """The day up to which cells were counted before. A service reads two topics, and one may be behind the other."""

    def add(self, cells: Mapping[date, Cells]) -> None:
        """Add cells that were planned beside the records, by the day on which they became known."""
        for day, found in cells.items():
            merge(self.cells.setdefault(day, {}), found)

    def late_cells(self) -> list[tuple[str, date, str, date]]:
        """Return the cells that change on a day before the last one that was counted, each with that day."""
        return [
            (*cell, day)
            for day, deltas in self.cells.items()
            if day < self.known_before
            for cell, delta in deltas.items()
            if delta
        ]


@dataclass(frozen=True, slots=True)
class _Structured:
    """A message that came in binary mode, converted to structured mode."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def read(topic: Topic, authority: str, messages: Iterable[Message], known_on: date) -> list[Arrival]:
    """Decode messages of a topic, known up to the day `known_on`. The days never go back, whatever a producer's clock says."""
    arrivals = []
    for given in messages:
        message = _in_structured_mode(given) if given.headers else given
        known_on = max(known_on, day_of(message.timestamp))
        arrived_at = datetime.fromtimestamp(message.timestamp / 1000, UTC)
        arrivals.append(Arrival(topic, message, known_on, decode(message.value, topic, authority, arrived_at)))
    return arrivals


def _in_structured_mode(message: Message) -> Message:
    value = from_kafka(message.value, message.headers)
    return _Structured(message.offset, message.timestamp, message.key, value)


def subjects(arrivals: Iterable[Arrival], domain: Domain) -> dict[str, str]:
    """Return the subjects whose records the arrivals may change, each with the topic from which all of it comes.

    That is empty if it comes from both, or withdraws the whole order.
    """
    found: dict[str, str] = {}
    for arrival in arrivals:
        event = arrival.content
        if isinstance(event, Event) and domain.holds(key := event.data.key):
            topic = "" if key == WHOLE_ORDER else arrival.topic
            if found.setdefault(event.subject, topic) != topic:
                found[event.subject] = ""
    return found


def fold(arrivals: list[Arrival], held: Mapping[str, Counted], domain: Domain, known_before: date = date.min) -> Folded:
    """Apply arrivals of one authority in order. `held` has the record of every subject and is not changed."""
    folded = Folded(known_before=known_before)
    # By day, since a cell has one change for each day. All facts of a day are put into a record first, and counted once together.
    for day, same_day in _by_day(arrivals):
        touched: dict[str, _Touched] = {}
        deltas = folded.cells.setdefault(day, {})
        for arrival in same_day:
            settled = _settle(arrival, folded.records, held, touched, domain)
            folded.arrived.append(settled.arrival)
            if arrival.topic is domain.own:
                folded.settled.append(settled)
                if not isinstance(settled.arrival.content, Event):
                    folded.refused.append(settled)
                _count_arrival(deltas, *settled)
        for subject, one in touched.items():
            if one.keys:
                _count(folded, day, subject, one, domain)
    return folded


def _count(folded: Folded, day: date, subject: str, one: _Touched, domain: Domain) -> None:
    """Count a record again after a day's events."""
    # Only if the other topic was read further can the record already have facts of later days, on which cells were counted.
    later = days_after(one.record, day) if day < folded.known_before else []
    change = {} if later else folded.cells[day]
    after = domain.counting.change(change, one.before, one.record, one.keys, domain.calendar)
    folded.records[subject] = after
    if any(one.before.parts[part] is not after.parts[part] for part in domain.counting.finding):
        folded.turns += turns(subject, broken(one.before.notes), broken(after.notes))
    if later:
        _tell_again(folded.cells, one, [day, *later], change, domain)
    if not one.keys.isdisjoint(domain.stay_keys):
        folded.people += steps_of(day, domain.stay(one.before.view), domain.stay(after.view))


def broken(notes: Iterable[Note]) -> set[str]:
    """Return the codes of the rules that a record breaks."""
    return {note.rule.code for note in notes if isinstance(note, Finding)}


def turns(subject: str, before: AbstractSet[str], after: AbstractSet[str]) -> list[Turn]:
    """Return the rules that a record began or ceased to break."""
    return [Turn(subject, rule, rule in after) for rule in sorted(before ^ after)]


def turns_between(before: Mapping[str, AbstractSet[str]], after: Mapping[str, AbstractSet[str]]) -> list[Turn]:
    """Return the rules that any record began or ceased to break. Both give the broken rules of each subject that breaks any."""
    return [
        turn
        for subject in sorted(before.keys() | after.keys())
        for turn in turns(subject, before.get(subject, set()), after.get(subject, set()))
    ]


def _tell_again(cells: dict[date, Cells], one: _Touched, days: list[date], whole: Cells, domain: Domain) -> None:
    """Change what was known at the end of each of these days, on which cells were counted before these facts arrived.

    A cell on a day is the sum of its changes up to that day. So each day takes the difference that the facts make to the record as it was
    known then, less the difference already added on earlier days. On the last day the record is known in full, and the difference is
    `whole`.
    """
    told: Cells = {}
    for day in days:
        difference = whole
        if day != days[-1]:
            before, after = as_known(one.before.record, day), as_known(one.record, day)
            difference = domain.counting.difference(before, after, one.keys, domain.calendar)
        merge(cells.setdefault(day, {}), difference)
        merge(cells[day], told, -1)
        told = difference


def _by_day(arrivals: list[Arrival]) -> Iterable[tuple[date, list[Arrival]]]:
    days: dict[date, list[Arrival]] = {}
    for arrival in arrivals:
        days.setdefault(arrival.day, []).append(arrival)
    return sorted(days.items())


def _settle(
    arrival: Arrival,
    changed: Mapping[str, Counted],
    held: Mapping[str, Counted],
    touched: dict[str, _Touched],
    domain: Domain,
) -> Settled:
    event = arrival.content
    if not isinstance(event, Event):
        return Settled(arrival, Outcome.REJECTED if isinstance(event, Rejection) else Outcome.PUT_ASIDE)
    key = event.data.key
    if not domain.holds(key):
        return Settled(arrival, Outcome.APPLIED)
    one = touched.get(event.subject)
    if one is None:
        before = changed.get(event.subject) or held[event.subject]
        if refuses(before.record, key):
            return Settled(arrival._replace(content=refusal(event)), Outcome.REJECTED)
        # A copy: the record as it was before is needed for the difference, and `held` may come from the worker's cache.
        one = touched[event.subject] = _Touched(before, dict(before.record))
    outcome = take(one.record, event, arrival.day)
    if outcome is Outcome.REJECTED:
        one.keys.update(mark for mark in MARKS.values() if mark in one.record)
        return Settled(arrival._replace(content=refusal(event)), outcome)
    if outcome is Outcome.APPLIED:
        one.keys.add(key)
    return Settled(arrival, outcome)


_DELAY_LIMITS = (1, 7, 31, 92, 366)
_DELAYS = tuple(
    f"delay_band={band}" for band in ("to_1_day", "to_7_days", "to_1_month", "to_3_months", "to_1_year", "over_1_year")
)
_OUTCOMES = {outcome: f"outcome={outcome}" for outcome in Outcome}


def _count_arrival(deltas: Cells, arrival: Arrival, outcome: Outcome) -> None:
    """Count what depends on arrival: outcomes, reasons and delay. These are not contributions of any record."""
    content = arrival.content
    if isinstance(content, Event):
        month = month_of(local_day(content.time))
        if outcome is Outcome.APPLIED and content.data.DATES:
            occurred: date = getattr(content.data, content.data.DATES[0])
            delay = _DELAYS[bisect_left(_DELAY_LIMITS, (arrival.day - occurred).days)]
            add(deltas, "reporting_delay", month_of(occurred), delay)
    else:
        month = month_of(arrival.day)
        if isinstance(content, Rejection):
            add(deltas, "events", month, f"reason={content.reason}")
    add(deltas, "events", month, _OUTCOMES[outcome])


def day_of(timestamp: int) -> date:
    """Return the local day of a Kafka timestamp in milliseconds."""
    return _day_of_hour(timestamp // 3_600_000)  # the offset of the local time from UTC is whole hours


def local_day(time: datetime) -> date:
    """Return the local day of a time, whatever year a source may have written."""
    if time.tzinfo is UTC and time.hour < 22:  # local time was never more than two hours ahead of UTC
        return time.date()
    return time.date() if time.year < SUMMER_TIME_SINCE else _day_of_hour(int(time.timestamp()) // 3600)


SUMMER_TIME_SINCE = 1916
"""For years before this, and at the limits of the type `date`, the day in UTC is used."""


@lru_cache(maxsize=100_000)
def _day_of_hour(hour: int) -> date:
    try:
        return datetime.fromtimestamp(hour * 3600, UTC).astimezone(LONDON).date()
    except OverflowError:
        return datetime.fromtimestamp(hour * 3600, UTC).date()
    except ValueError:  # later than the last date there is, which only a refused event can state
        return date.max
