"""The sending systems of one authority: identifiers, sources and numbers, repeats, and sometimes an event that breaks the contract."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from random import Random
from typing import NamedTuple

from msgspec import Struct, to_builtins
from msgspec.json import Encoder

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import TYPE_PREFIX, type_of
from contracts.events import AUTHORITY_SUBJECT, FACTS, Fact, Topic
from contracts.periods import LONDON
from contracts.rejections import OF_ORDERS, Reason
from contracts.topics import topic_of
from services.chassis.clock import Clock
from services.simulate.chances import Chances
from services.simulate.habits import SKEW_HOURS, Habit
from services.simulate.home import Home
from services.simulate.telling.refused import broken
from services.simulate.telling.untidy import DAY, HOUR, SECOND, Telling

SHORT = {Topic.ORDERS: "orders", Topic.UNPAID_WORK: "unpaid-work"}
"""The kinds of topic as files and outcomes name them."""

_TYPES = {fact: TYPE_PREFIX + type_of(fact) for fact in FACTS.values()}
_REPEATED = 0.012
_REFUSED = 0.003
_REUSED = 0.0002
_REASONS = Chances(
    dict.fromkeys((reason for reason in Reason if reason not in OF_ORDERS), 1.0) | {Reason.TOO_LARGE: 0.05}
)


class Delivery(NamedTuple):
    """One event as it reaches the log."""

    arrived: int
    """Milliseconds since 1970: the timestamp of the record."""
    topic: str
    key: bytes
    value: bytes

    @property
    def arrived_at(self) -> datetime:
        return datetime.fromtimestamp(self.arrived / SECOND, UTC)


class _Sent(Struct, omit_defaults=True, kw_only=True):
    """A CloudEvent as the authority's system writes it."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Fact
    sequence: int | None = None
    producerversion: str | None = None
    datacontenttype: str | None = None
    caseload: str | None = None


class Sender:
    """Turns reports into deliveries, and counts the outcomes that they must have."""

    def __init__(self, rng: Random, home: Home, habit: Habit = Habit.USUAL) -> None:
        self.outcomes: Counter[str] = Counter()
        self.clock: Clock | None = None
        """If set, nothing is recorded later than it says."""
        self._rng, self._home = rng, home
        self._refused_only = habit is Habit.REFUSED_ONLY
        self._skew = SKEW_HOURS * HOUR if habit is Habit.AHEAD else 0
        self._zone = LONDON if home.local_time else UTC
        self._topics = {kind: topic_of(kind, home.code) for kind in Topic}
        self._systems = dict(zip(Topic, home.systems, strict=True))
        self._sources = {system: _source(home.code, system) for system in home.systems}
        self._numbers = dict.fromkeys(home.systems, 0)
        self._reused = dict.fromkeys(home.systems, 0)
        self._accepted = dict.fromkeys(home.systems, 0)
        self._software = home.software or None
        self._content_type = None if home.software else "application/json"
        self._repeats: defaultdict[int, list[Delivery]] = defaultdict(list)
        self._encode = Encoder().encode
        self._sent = 0

    def send_all(self, tellings: list[Telling], day: int) -> Iterator[Delivery]:
        """Yield what arrives on one day (days since 1970), in order: these reports, and repeats of earlier ones."""
        arriving: list[Telling | Delivery] = [*tellings, *self._repeats.pop(day, ())]
        arriving.sort(key=itemgetter(0))
        for item in arriving:
            if type(item) is Delivery:
                self.outcomes["duplicate"] += 1
                yield item
            elif type(item) is Telling:
                about_order = item.subject != AUTHORITY_SUBJECT
                if about_order and (self._refused_only or self._rng.random() < _REFUSED):
                    yield self._spoil(item)
                if not self._refused_only:
                    yield self.send(item)

    def send(self, telling: Telling) -> Delivery:
        value = self._encode(self._write(telling))
        self._accept(self._systems[telling.topic])
        delivery = Delivery(telling.arrives, self._topics[telling.topic], telling.subject.encode(), value)
        self.outcomes["superseded" if telling.superseded else "applied"] += 1
        if telling.alone and self._rng.random() < _REPEATED:
            again = telling.arrives + self._rng.randint(1, 3) * DAY
            self._repeats[again // DAY].append(delivery._replace(arrived=again))
        return delivery

    def _spoil(self, telling: Telling) -> Delivery:
        """Return an event that is refused, sent before this one."""
        reason = _REASONS.pick(self._rng)
        draft = to_builtins(self._write(telling))
        topic, value = broken(reason, draft, draft["time"][:10])
        self.outcomes[f"rejected.{SHORT[topic]}.{self._home.code}"] += 1
        self.outcomes[f"reason.{reason}"] += 1
        return Delivery(telling.arrives, self._topics[topic], telling.subject.encode(), value)

    def _write(self, telling: Telling) -> _Sent:
        system = self._systems[telling.topic]
        recorded = datetime.fromtimestamp((telling.recorded + self._skew) // SECOND, self._zone)
        if self.clock:
            recorded = min(recorded, self.clock().astimezone(self._zone).replace(microsecond=0))
        self._sent += 1
        self._number(system)
        return _Sent(
            specversion="1.0",
            id=f"{self._home.code[-2:]}-{self._sent:07}",
            source=self._retired_source(system) or self._sources[system],
            type=_TYPES[type(telling.fact)],
            subject=telling.subject,
            time=recorded,
            data=telling.fact,
            sequence=self._numbers[system] if self._home.numbered else None,
            producerversion=self._software,
            datacontenttype=self._content_type,
            caseload=None if telling.subject == AUTHORITY_SUBJECT else self._home.caseload(telling.subject),
        )

    def _number(self, system: str) -> None:
        """Take the next number; sometimes the last one again, as after a restart that lost count."""
        last = self._numbers[system]
        if last and last != self._reused[system] and self._rng.random() < _REUSED:
            self._reused[system] = last
        else:
            self._numbers[system] = last + 1

    def _accept(self, system: str) -> None:
        """Count an accepted number: it is found to be used twice only if both events are accepted."""
        number = self._numbers[system]
        if self._home.numbered and self._accepted[system] == number:
            self.outcomes["reused"] += 1
            self.outcomes[f"reused.{self._home.code}"] += 1
        self._accepted[system] = number

    def _retired_source(self, system: str) -> str | None:
        """Return the source under the authority's former code, if this event still has it."""
        retired, share = AUTHORITIES[self._home.code].retired_code, self._home.retired_share
        return _source(retired, system) if retired and self._rng.random() < share else None


def _source(code: str, system: str) -> str:
    return f"/authorities/{code}/systems/{system}" if system else f"/authorities/{code}"
