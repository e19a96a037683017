"""Inconsistent lives, as some records are: they lead to data quality findings."""

from collections.abc import Callable
from datetime import date

from msgspec.structs import replace

from contracts.codes import Attendance
from contracts.events import (
    BreachDecided,
    BreachLodged,
    CaseMeetingHeld,
    ContactMade,
    Fact,
    HoursAdjusted,
    InductionHeld,
    OfficerNominated,
    PlacementStarted,
    PlanAgreed,
    ReviewHeld,
    SessionRecorded,
    TransferRequested,
    WorkCompleted,
)
from services.simulate.chances import days_after
from services.simulate.lives.course import Course

_SHARE = 0.02
_FORGOTTEN = 0.3


_DATED = (
    ContactMade, CaseMeetingHeld, PlanAgreed, InductionHeld, PlacementStarted, WorkCompleted, ReviewHeld, OfficerNominated,
    BreachLodged, BreachDecided, TransferRequested, HoursAdjusted, SessionRecorded,
)  # fmt: skip


def make_odd(course: Course) -> None:
    """Make the life of one order in some dozens inconsistent, if it has a fact for it."""
    if course.happens(_SHARE):
        course.rng.choice(_ODDITIES)(course)


def _work_after_the_end(course: Course) -> None:
    _one_more(course, days_after(course.outlook.ended_on, course.rng.randint(1, 10)))


def _work_above_the_hours(course: Course) -> None:
    if course.outlook.work_done_on:
        _one_more(course, course.outlook.work_done_on)


def _completion_with_too_little_credit(course: Course) -> None:
    sessions = [fact for _, fact in course.facts if isinstance(fact, SessionRecorded) and fact.minutes_credited]
    if sessions and course.outlook.work_done_on:
        _forget(course, lambda fact: fact == sessions[-1])


def _decision_without_application(course: Course) -> None:
    _forget(course, lambda fact: isinstance(fact, BreachLodged))


def _what_is_due_is_never_done(course: Course) -> None:
    """Leave a duty undone that is long past: the order has ended, or continues, without it."""
    kind = course.rng.choice((ContactMade, CaseMeetingHeld, PlanAgreed, InductionHeld, PlacementStarted, WorkCompleted))
    _forget(course, lambda fact: isinstance(fact, kind))


def _dated_before_the_sentence(course: Course) -> None:
    """Date a fact before the imposition, as if somebody wrote last year's number, or took the day of the report to the court."""
    places = [n for n, (_, fact) in enumerate(course.facts) if isinstance(fact, _DATED)]
    if not places:
        return
    place = course.rng.choice(places)
    day, fact = course.facts[place]
    before = days_after(course.imposed.imposed_on, -course.rng.choice((1, 2, course.rng.randint(3, 400))))
    course.facts[place] = day, replace(fact, **dict.fromkeys(type(fact).DATES, before))


def leave_duties_undone(course: Course) -> None:
    """Leave out plan and review of an order from elsewhere, as if it was forgotten for a while."""
    if course.happens(_FORGOTTEN):
        _forget(course, lambda fact: isinstance(fact, PlanAgreed | ReviewHeld))


def _one_more(course: Course, day: date) -> None:
    """Add the first session again, under another reference and on another day."""
    first = next((fact for _, fact in course.facts if isinstance(fact, SessionRecorded)), None)
    if first:
        attended = Attendance.ATTENDED
        course.say(day, replace(first, ref="s-extra", session_on=day, attendance=attended, minutes_credited=180))


def _forget(course: Course, which: Callable[[Fact], bool]) -> None:
    course.facts = [(day, fact) for day, fact in course.facts if not which(fact)]


_ODDITIES = (
    _work_after_the_end,
    _work_above_the_hours,
    _completion_with_too_little_credit,
    _decision_without_application,
    _what_is_due_is_never_done,
    _dated_before_the_sentence,
)
