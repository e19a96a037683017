"""Derives from the log what the books of one authority must hold: it sorts everything at once, where a worker folds event by event."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, date, datetime
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from contracts.decoding.binary import from_kafka
from contracts.decoding.codec import Event, decode, encode_data
from contracts.events import WHOLE_ORDER, FactWithdrawn, Topic
from contracts.periods import LONDON, month_of
from contracts.rejections import Rejection
from contracts.topics import kind_of_topic
from services.chassis.streaming.batches import Message, TopicPartition
from services.chassis.streaming.containment import Place
from services.records.model import limit
from services.records.model.record import Entry, Outcome, Record

CellKey = tuple[str, date, str]
DELAYS = {1: "to_1_day", 7: "to_7_days", 31: "to_1_month", 92: "to_3_months", 366: "to_1_year"}
SHOWN = 5
"""How many events behind a mismatch are named."""


class Heard(NamedTuple):
    """One message of the log."""

    kind: Topic
    place: Place
    timestamp: int
    """Milliseconds since 1970, by the time that is used for it."""
    day: date
    key: bytes | None
    value: bytes | None
    content: Event | Rejection
    skipped: bool
    """Whether an operator put it aside."""

    @property
    def event(self) -> Event | None:
        return self.content if isinstance(self.content, Event) and not self.skipped else None

    def __str__(self) -> str:
        return f"{self.place.source.topic}@{self.place.offset}"


def listen(
    source: TopicPartition,
    authority: str,
    messages: Iterable[Message],
    skipped: Collection[Place] = (),
    times: Mapping[Place, int] | None = None,
) -> Iterator[Heard]:
    """Read a topic from its beginning. `times` are used in place of the log's own."""
    kind, latest = kind_of_topic(source.topic), date.min
    for message in messages:
        place = Place(source, message.offset)
        timestamp = (times or {}).get(place, message.timestamp)
        arrived = datetime.fromtimestamp(timestamp / 1000, UTC)
        latest = max(latest, arrived.astimezone(LONDON).date())
        value = from_kafka(message.value, message.headers) if message.headers else message.value
        content = decode(value, kind, authority, arrived)
        yield Heard(kind, place, timestamp, latest, message.key, value, content, place in skipped)


Marks = dict[str, dict[str, Entry]]
"""The marks of orders of which too many facts were sent, by subject."""


def admitted(heard: Iterable[Heard], holds: Callable[[str], bool]) -> tuple[list[Heard], Marks]:
    """Return everything with refusals in place of events of orders of which too many facts were sent, and the marks of these orders.

    A topic's first event with one fact more than the most is refused, and all that follow it there, unless they withdraw the order.
    """
    seen: defaultdict[tuple[str, Topic], set[str]] = defaultdict(set)
    marks: Marks = {}
    return [_admitted(one, holds, seen, marks) for one in heard], marks


def _admitted(
    one: Heard, holds: Callable[[str], bool], seen: defaultdict[tuple[str, Topic], set[str]], marks: Marks
) -> Heard:
    event = one.event
    if event is None or event.data.ABOUT_AUTHORITY or event.data.key == WHOLE_ORDER or not holds(event.data.key):
        return one
    keys = seen[event.subject, one.kind]
    keys.add(event.data.key)
    if len(keys) <= limit.MOST_FACTS:
        return one
    marks[event.subject] = limit.marked_only(one.kind) | marks.get(event.subject, {})
    return one._replace(content=limit.refusal(event))


class Statement(NamedTuple):
    """An event among all that state its fact: the greatest holds."""

    order: tuple[datetime, int, str, str, bytes, str]
    heard: Heard

    @property
    def says(self) -> tuple[str, bytes]:
        """Return type and data."""
        return self.order[3:5]

    @classmethod
    def of(cls, heard: Heard, event: Event) -> "Statement":
        data = b"" if isinstance(event.data, FactWithdrawn) else encode_data(event.data)
        return cls((event.time, event.sequence or 0, event.id, event.type, data, event.caseload or ""), heard)


@dataclass
class Told:
    """The content that the books must have."""

    outcomes: dict[Place, Outcome] = field(default_factory=dict)
    facts: dict[str, dict[str, list[Statement]]] = field(default_factory=dict)
    """By subject and fact key, the statements in the order of the log."""
    cells: dict[CellKey, int] = field(default_factory=dict)
    """Cells about arrival."""
    behind: defaultdict[CellKey, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    """Some of the messages that count in each cell."""

    def count(self, key: CellKey, heard: Heard, number: int = 1) -> None:
        self.cells[key] = self.cells.get(key, 0) + number
        if len(self.behind[key]) < SHOWN:
            self.behind[key].append(heard)

    def record(self, subject: str) -> Record:
        """Return the facts that hold, in the form of a record."""
        return {key: _entry(max(stated, key=itemgetter(0))) for key, stated in self.facts[subject].items()}


def tell(heard: Collection[Heard], own: Topic, holds: Callable[[str], bool]) -> Told:
    """Derive everything except sequence numbers, which `count_numbers` adds."""
    told = Told()
    for one in heard:
        if one.event is not None and holds(one.event.data.key):
            stated = told.facts.setdefault(one.event.subject, {})
            stated.setdefault(one.event.data.key, []).append(Statement.of(one, one.event))
    for statements in told.facts.values():
        for of_key in statements.values():
            told.outcomes.update(_settled(of_key))
    for one in heard:
        if one.kind is own:
            told.outcomes.setdefault(one.place, _without_fact(one))
            _count_arrival(told, one, told.outcomes[one.place])
        else:
            told.outcomes.pop(one.place, None)
    return told


def _settled(stated: list[Statement]) -> Iterator[tuple[Place, Outcome]]:
    """Yield the outcome of each statement: greater than all before it, equal to the greatest, or less."""
    yield stated[0].heard.place, Outcome.APPLIED
    greatest = accumulate((statement.order for statement in stated), max)
    for before, now in zip(greatest, stated[1:], strict=False):
        same = Outcome.DUPLICATE if now.order == before else Outcome.SUPERSEDED
        yield now.heard.place, Outcome.APPLIED if now.order > before else same


def _without_fact(one: Heard) -> Outcome:
    if one.skipped:
        return Outcome.PUT_ASIDE
    return Outcome.APPLIED if isinstance(one.content, Event) else Outcome.REJECTED


def _entry(statement: Statement) -> Entry:
    event = statement.heard.event
    assert event is not None
    data = None if isinstance(event.data, FactWithdrawn) else event.data
    number, caseload = event.sequence or 0, event.caseload or ""
    return Entry(event.time, event.id, event.type, data, statement.heard.day, (), number, caseload)


def _count_arrival(told: Told, one: Heard, outcome: Outcome) -> None:
    event = one.event
    month = month_of(one.day if event is None else london_day(event.time))
    told.count(("events", month, f"outcome={outcome}"), one)
    if isinstance(one.content, Rejection) and not one.skipped:
        told.count(("events", month, f"reason={one.content.reason}"), one)
    if event is not None and outcome is Outcome.APPLIED and event.data.DATES:
        occurred: date = getattr(event.data, event.data.DATES[0])
        late = (one.day - occurred).days
        band = next((name for limit, name in DELAYS.items() if late <= limit), "over_1_year")
        told.count(("reporting_delay", month_of(occurred), f"delay_band={band}"), one)


def london_day(time: datetime) -> date:
    """Return the day in Scotland; at the limits of the type `date`, the day in UTC."""
    return time.astimezone(LONDON).date() if 1916 <= time.year < MAXYEAR else time.date()
