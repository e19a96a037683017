"""How facts are reported: later than they happened, sometimes wrong at first, sometimes withdrawn, and delayed on the way."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from functools import cache
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.codes import Attendance, EndReason
from contracts.events import (
    WHOLE_ORDER,
    Fact,
    FactWithdrawn,
    OrderEnded,
    OrderImposed,
    SessionRecorded,
    Topic,
    WorkCompleted,
)
from services.simulate.chances import days_after
from services.simulate.home import Home
from services.simulate.lives.course import Course
from services.simulate.population import EMPLOYMENT

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()

_CORRECTED = 0.015
_MISTAKEN_SESSION = 0.003
_TAKEN_BACK_FOR_A_WHILE = 0.001
_NEVER_IMPOSED = 0.001
_WITHDRAWN_WHOLE = 0.003
_LATE = 0.012
_MEAN_DAYS_LATE = 12


class Telling(NamedTuple):
    """One report before it is written as an event. Times are milliseconds since 1970."""

    arrives: int
    recorded: int
    topic: Topic
    subject: str
    fact: Fact
    superseded: bool = False
    """Whether a later record of the same fact arrives before it."""
    alone: bool = False
    """Whether it is the only record of its fact, so that sending it again is only a repeat."""


@cache
def midnight(day: date) -> int:
    return (day.toordinal() - _EPOCH) * DAY


class Teller:
    """Sorts the reports of one authority by the day on which they arrive. What arrives from `end` on is too late to be known."""

    def __init__(self, rng: Random, home: Home, end: date, horizon: date) -> None:
        self.days: defaultdict[int, list[Telling]] = defaultdict(list)
        self._rng, self._home = rng, home
        self._end, self._horizon, self._last_day = midnight(end), midnight(horizon), horizon

    def tell(self, course: Course) -> dict[str, Fact] | None:
        """Plan all events of an order. Returns its facts as they are known at the end; None for an order withdrawn as a whole."""
        if self._rng.random() < _WITHDRAWN_WHOLE and self._tell_what_never_was(course):
            return None
        known: dict[str, Fact] = {}
        never_imposed = self._rng.random() < _NEVER_IMPOSED
        for day, fact in course.facts:
            if day >= self._last_day or (never_imposed and type(fact) is OrderImposed):
                continue
            if self._tell_fact(course.subject, day, fact):
                known[fact.key] = fact
        return known

    def tell_of_itself(self, recorded: int, fact: Fact) -> None:
        """Plan an event about the authority; these come on time and once."""
        self._plan(Telling(recorded + 5 * SECOND, recorded, Topic.ORDERS, "-", fact))

    def _tell_fact(self, subject: str, day: date, fact: Fact) -> bool:
        rng, kind = self._rng, type(fact)
        topic = kind.TOPICS[0]
        recorded = self._recorded(day)
        arrives = self._arrival(recorded)
        if arrives >= self._end:
            if arrives < self._horizon:
                self._plan(Telling(arrives, recorded, topic, subject, fact))
            return False
        fate = rng.random()
        if fate < _CORRECTED:
            told = self._correct(subject, topic, recorded, fact)
        elif fate < _CORRECTED + _TAKEN_BACK_FOR_A_WHILE:
            told = self._take_back_for_a_while(subject, topic, recorded, fact)
        else:
            told = False
        if not told:
            self.days[arrives // DAY].append(Telling(arrives, recorded, topic, subject, fact, False, True))
        if isinstance(fact, SessionRecorded) and rng.random() < _MISTAKEN_SESSION:
            wrong = replace(fact, ref=f"{fact.ref}x")
            self._versions(subject, topic, [(recorded, wrong), (self._later(recorded), FactWithdrawn(fact=wrong.key))])
        return True

    def _correct(self, subject: str, topic: Topic, recorded: int, fact: Fact) -> bool:
        wrong = mistaken(self._rng, fact)
        return self._versions(subject, topic, [(recorded, wrong), (self._later(recorded), fact)])

    def _take_back_for_a_while(self, subject: str, topic: Topic, recorded: int, fact: Fact) -> bool:
        taken_back = self._later(recorded)
        versions = [(recorded, fact), (taken_back, FactWithdrawn(fact=fact.key)), (self._later(taken_back), fact)]
        return self._versions(subject, topic, versions)

    def _versions(self, subject: str, topic: Topic, versions: list[tuple[int, Fact]]) -> bool:
        """Plan several records of one fact if all of them arrive before the end."""
        arrivals = sorted((self._arrival(recorded), recorded, n) for n, (recorded, _) in enumerate(versions))
        if arrivals[-1][0] >= self._end:
            return False
        newest = 0
        for arrives, recorded, n in arrivals:
            self._plan(Telling(arrives, recorded, topic, subject, versions[n][1], superseded=recorded < newest))
            newest = max(newest, recorded)
        return True

    def _tell_what_never_was(self, course: Course) -> bool:
        """Plan an order that was entered by mistake, reported for a while and then withdrawn as a whole."""
        until = days_after(course.start, self._rng.randint(20, 90))
        withdrawn = self._recorded(until)
        arrives = self._arrival(withdrawn)
        if arrives >= self._end:
            return False
        self._plan(
            Telling(arrives, withdrawn, Topic.ORDERS, course.subject, FactWithdrawn(fact=WHOLE_ORDER), alone=True)
        )
        for day, fact in course.facts:
            recorded = self._recorded(day)
            if recorded < withdrawn and (arrives := self._arrival(recorded)) < self._end:
                self._plan(Telling(arrives, recorded, type(fact).TOPICS[0], course.subject, fact, alone=True))
        return True

    def _plan(self, telling: Telling) -> None:
        self.days[telling.arrives // DAY].append(telling)

    def _recorded(self, day: date) -> int:
        """Draw when it is recorded: in office hours, mostly on the day itself."""
        rng = self._rng
        draw = rng.random()
        days = 0 if draw < 0.8 else 1 if draw < 0.93 else rng.randint(2, 9)
        return midnight(day) + days * DAY + 9 * HOUR + int(rng.random() * 28_800) * SECOND

    def _later(self, recorded: int) -> int:
        return recorded + DAY + int(self._rng.random() * 20 * 24 * 3600) * SECOND

    def _arrival(self, recorded: int) -> int:
        rng = self._rng
        jitter = int(rng.random() * 600_000)
        if rng.random() < _LATE:
            return recorded + int(rng.expovariate(1 / _MEAN_DAYS_LATE) * DAY) + jitter
        delivery = self._home.delivery
        if delivery == "stream":
            return recorded + SECOND + jitter // 10
        day = recorded // DAY
        if delivery == "nightly":
            return (day + 1) * DAY + 2 * HOUR + jitter
        monday = day + 7 - (day + 3) % 7  # day 0 was a Thursday
        return monday * DAY + 5 * HOUR + jitter


def mistaken(rng: Random, fact: Fact) -> Fact:
    """Return the fact as somebody first recorded it by mistake; the contract still accepts it."""
    special = _MISTAKES.get(type(fact))
    if special:
        wrong: Fact = special(rng, fact)
        return wrong
    if type(fact).DATES:
        field = type(fact).DATES[0]
        return replace(fact, **{field: days_after(getattr(fact, field), -rng.randint(1, 4))})
    return fact


def _wrong_session(rng: Random, fact: SessionRecorded) -> Fact:
    if fact.minutes_credited:
        return replace(fact, minutes_credited=rng.choice((120, 180, 240, 300, 360, 420)))
    return replace(fact, attendance=Attendance.ABSENT_UNACCEPTABLE)


def _wrong_imposition(rng: Random, fact: OrderImposed) -> Fact:
    return replace(fact, employment=EMPLOYMENT.pick(rng), age_at_imposition=max(18, fact.age_at_imposition + 1))


def _wrong_end(_: Random, fact: OrderEnded) -> Fact:
    return replace(fact, reason=EndReason.OTHER)


def _wrong_completion(rng: Random, fact: WorkCompleted) -> Fact:
    return replace(fact, completed_on=days_after(fact.completed_on, -rng.randint(1, 20)))


_MISTAKES: dict[type[Fact], Callable[[Random, Any], Fact]] = {
    SessionRecorded: _wrong_session,
    OrderImposed: _wrong_imposition,
    OrderEnded: _wrong_end,
    WorkCompleted: _wrong_completion,
}
