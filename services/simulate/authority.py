"""One pretend authority: it gets orders day by day, lives them out, and tells of them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct, to_builtins
from msgspec.json import Encoder

from contracts.authorities import AUTHORITIES
from contracts.codec import TYPE_PREFIX, type_of
from contracts.events import AUTHORITY_SUBJECT, FACTS, Fact, Heartbeat, PeriodClosed, Topic
from contracts.rejections import Reason
from contracts.topics import topic_of
from services.chassis.clock import Clock
from services.simulate.chances import Chances, happens, poisson
from services.simulate.course import Course
from services.simulate.court import impose
from services.simulate.home import home_of
from services.simulate.lifecycle import live_out
from services.simulate.population import People, orders_a_year
from services.simulate.refused import broken
from services.simulate.transfers import Transfer, arrive, depart
from services.simulate.truth import Truth, month_of
from services.simulate.untidy import DAY, HOUR, SECOND, Teller, Telling, midnight
from services.simulate.working_days import is_working

_TYPES = {fact: TYPE_PREFIX + type_of(fact) for fact in FACTS.values()}
_SERVICE = {Topic.ORDERS: "orders", Topic.UNPAID_WORK: "unpaid-work"}
_WORKING_DAYS_A_YEAR = 251
_REPEATED = 0.012
_REFUSED = 0.003
_REASONS = Chances(dict.fromkeys(Reason, 1.0) | {Reason.TOO_LARGE: 0.05})
_SILENT_DAYS = 0.03
_TOTALS_OFF = 0.04
_LONDON = ZoneInfo("Europe/London")


class Delivery(NamedTuple):
    """One event as it reaches the log."""

    arrived: int
    """Milliseconds since 1970: what becomes the record's timestamp."""
    topic: str
    key: bytes
    value: bytes


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


class PretendAuthority:
    """Delivers its events in order of arrival. The truth and the outcomes are whole once it has delivered up to `end`."""

    def __init__(self, code: str, seed: int, first: date, end: date, transfers: list[Transfer]) -> None:
        self.home = home_of(code, seed)
        self.truth = Truth()
        self.outcomes: Counter[str] = Counter()
        self._rng = Random(f"{seed}/authority/{code}")  # noqa: S311 - nothing here is secret
        self._horizon = end + timedelta(days=1)
        self._teller = Teller(self._rng, self.home, end, self._horizon)
        self._people = People()
        self._transfers = [t for t in transfers if code in (t.origin, t.target)]
        self._day, self._end = first, end
        self._clock: Clock | None = None
        self._orders = self._events = 0
        self._sequence = dict.fromkeys(self.home.systems, 0)
        self._repeats: defaultdict[int, list[Delivery]] = defaultdict(list)
        self._encode = Encoder().encode
        self._topics = {kind: topic_of(kind, code) for kind in Topic}
        self._zone = _LONDON if self.home.local_time else UTC

    def deliver(self, until: date) -> Iterator[Delivery]:
        """All that arrives before `until` and has not been delivered before."""
        while self._day < until:
            day = self._day
            self._day += timedelta(days=1)
            self._live(day)
            yield from self._arrived_on(midnight(day) // DAY)

    def go_live(self, clock: Clock) -> None:
        """From here on nothing is recorded later than the clock says."""
        self._clock = clock

    def begin_order(self) -> Iterator[Delivery]:
        """What is told on the first day of one more order, imposed on the day `end`."""
        course, now = self._next_course(self._end, self._horizon), midnight(self._horizon)
        for day, fact in course.facts:
            if day == self._end:
                yield self._deliver(Telling(now, now, type(fact).TOPICS[0], course.subject, fact))

    def courses(self, day: date, horizon: date) -> Iterator[Course]:
        """The orders imposed on this day that the authority begins, or will get by transfer, as they go until `horizon`."""
        if not is_working(day):
            return
        for _ in range(poisson(self._rng, orders_a_year(self.home.code) / _WORKING_DAYS_A_YEAR)):
            yield self._next_course(day, horizon)
        for transfer in self._transfers:
            if transfer.imposed.imposed_on == day:
                leaves = transfer.origin == self.home.code
                yield (depart if leaves else arrive)(transfer, self.home)

    def _next_course(self, day: date, horizon: date) -> Course:
        self._orders += 1
        imposed = impose(self._rng, self._people.next(self._rng), day)
        return live_out(self._rng, self.home, f"CPO/{day.year}/{self._orders:06}", imposed, horizon)

    def _live(self, day: date) -> None:
        for course in self.courses(day, self._horizon):
            known = self._teller.tell(course)
            if known:
                self.truth.count(self.home.code, known)
        if not happens(self._rng, _SILENT_DAYS):
            since = day if happens(self._rng, 0.1) else None
            self._teller.tell_of_itself(midnight(day) + 6 * HOUR, Heartbeat(nothing_to_report_since=since))
        if day.day == 6:
            self._close_month(day)

    def _close_month(self, day: date) -> None:
        """Totals of the month before, as the truth has them: as if the authority's own books were always in order."""
        last = day.replace(day=1) - timedelta(days=1)
        off = happens(self._rng, _TOTALS_OFF)
        fact = PeriodClosed(
            month=month_of(last)[:7],
            orders_imposed=self._total("orders_imposed", last) + off,
            orders_ended=self._total("orders_ended", last),
            minutes_credited=self._total("minutes_credited", last),
        )
        self._teller.tell_of_itself(midnight(day) + 10 * HOUR, fact)

    def _total(self, measure: str, day: date) -> int:
        return self.truth.cells[measure, self.home.code, month_of(day), ""]

    def _arrived_on(self, day: int) -> Iterator[Delivery]:
        arrived: list[Telling | Delivery] = [*self._teller.days.pop(day, ()), *self._repeats.pop(day, ())]
        arrived.sort(key=itemgetter(0))
        for item in arrived:
            if isinstance(item, Delivery):
                self.outcomes["duplicate"] += 1
                yield item
                continue
            if self._rng.random() < _REFUSED and item.subject != AUTHORITY_SUBJECT:
                yield self._break(item)
            yield self._deliver(item)

    def _deliver(self, telling: Telling) -> Delivery:
        topic, value = self._topics[telling.topic], self._encode(self._sent(telling))
        delivery = Delivery(telling.arrives, topic, telling.subject.encode(), value)
        self.outcomes["superseded" if telling.superseded else "applied"] += 1
        if telling.alone and self._rng.random() < _REPEATED:
            again = telling.arrives + self._rng.randint(1, 3) * DAY
            self._repeats[again // DAY].append(delivery._replace(arrived=again))
        return delivery

    def _break(self, telling: Telling) -> Delivery:
        reason = _REASONS.pick(self._rng)
        draft = to_builtins(self._sent(telling))
        topic, value = broken(reason, draft, draft["time"][:10])
        self.outcomes[f"rejected.{_SERVICE[topic]}.{self.home.code}"] += 1
        self.outcomes[f"reason.{reason}"] += 1
        return Delivery(telling.arrives, self._topics[topic], telling.subject.encode(), value)

    def _sent(self, telling: Telling) -> _Sent:
        self._events += 1
        home = self.home
        system = home.systems[telling.topic is Topic.UNPAID_WORK]
        recorded = datetime.fromtimestamp(telling.recorded // SECOND, self._zone)
        if self._clock:
            recorded = min(recorded, self._clock().astimezone(self._zone).replace(microsecond=0))
        if home.numbered:
            self._sequence[system] += 1
        return _Sent(
            specversion="1.0",
            id=f"{home.code[-2:]}-{self._events:07}",
            source=self._source(system),
            type=_TYPES[type(telling.fact)],
            subject=telling.subject,
            time=recorded,
            data=telling.fact,
            sequence=self._sequence[system] if home.numbered else None,
            producerversion=home.software or None,
            datacontenttype=None if home.software else "application/json",
        )

    def _source(self, system: str) -> str:
        code, home = self.home.code, self.home
        if home.retired_share and happens(self._rng, home.retired_share):
            code = AUTHORITIES[code].retired_code or code
        return f"/authorities/{code}/systems/{system}" if system else f"/authorities/{code}"
