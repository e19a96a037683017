"""One simulated authority: it receives orders day by day, plays out their lives, and reports them."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from contracts.events import Heartbeat, PeriodClosed
from services.chassis.clock import Clock
from services.simulate.chances import happens, poisson
from services.simulate.habits import Habit
from services.simulate.home import home_of
from services.simulate.lives.course import Course
from services.simulate.lives.court import impose
from services.simulate.lives.lifecycle import live_out
from services.simulate.lives.transfers import Transfer, arrive, depart
from services.simulate.population import People, orders_a_year
from services.simulate.telling.sending import Delivery, Sender
from services.simulate.telling.untidy import DAY, HOUR, Teller, Telling, midnight
from services.simulate.truth import Truth, month_of
from services.simulate.working_days import is_working

_WORKING_DAYS_A_YEAR = 251
_SILENT_DAYS = 0.03
_TOTALS_OFF = 0.04


class PretendAuthority:
    """Delivers its events in order of arrival. The truth and the outcomes are complete once it has delivered up to `end`."""

    def __init__(
        self, code: str, seed: int, first: date, end: date, transfers: list[Transfer], *, habit: Habit = Habit.USUAL
    ) -> None:
        self.home = home_of(code, seed)
        self._taken = habit is not Habit.REFUSED_ONLY
        self.truth = Truth()
        self._rng = Random(f"{seed}/authority/{code}")  # noqa: S311 - nothing here is secret
        self._horizon = end + timedelta(days=1)
        self._teller = Teller(self._rng, self.home, end, self._horizon)
        self._sender = Sender(self._rng, self.home, habit)
        self._people = People()
        self._transfers = [t for t in transfers if code in (t.origin, t.target)]
        self._day, self._end = first, end
        self._orders = 0

    @property
    def outcomes(self) -> Counter[str]:
        """Return how many deliveries must be applied, superseded, duplicates and rejected: by topic, and by reason."""
        return self._sender.outcomes

    def deliver(self, until: date) -> Iterator[Delivery]:
        """Yield everything that arrives before `until` and was not delivered before."""
        while self._day < until:
            yield from self.next_day()

    def next_day(self) -> Iterator[Delivery]:
        """Play one more day, and yield what arrives on it."""
        today, day = self._day, midnight(self._day) // DAY
        self._day += timedelta(days=1)
        self._live(today)
        return self._sender.send_all(self._teller.days.pop(day, []), day)

    def go_live(self, clock: Clock) -> None:
        """Record nothing later than the clock says from here on."""
        self._sender.clock = clock

    def begin_order(self) -> Iterator[Delivery]:
        """Yield what is reported on the first day of one more order, imposed on the day `end`."""
        course, now = self._next_course(self._end, self._horizon), midnight(self._horizon)
        for day, fact in course.facts:
            if day == self._end:
                yield self._sender.send(Telling(now, now, type(fact).TOPICS[0], course.subject, fact))

    def courses(self, day: date, horizon: date) -> Iterator[Course]:
        """Yield the orders imposed on this day that the authority begins, or will receive by transfer, played until `horizon`."""
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
            if known and self._taken:
                self.truth.count(self.home.code, known)
        if not happens(self._rng, _SILENT_DAYS):
            since = day if happens(self._rng, 0.1) else None
            self._teller.tell_of_itself(midnight(day) + 6 * HOUR, Heartbeat(nothing_to_report_since=since))
        if day.day == 6:
            self._close_month(day)

    def _close_month(self, day: date) -> None:
        """Send totals of the previous month from the truth: as if the authority's own books were always correct."""
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
