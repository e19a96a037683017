"""Lives that do not add up, as some records never do: what data quality findings are made of."""

from collections.abc import Callable
from datetime import date

from msgspec.structs import replace

from contracts.codes import Attendance
from contracts.events import BreachLodged, Fact, SessionRecorded
from services.simulate.chances import days_after
from services.simulate.course import Course

_SHARE = 0.015


def make_odd(course: Course) -> None:
    """Spoils the life of one order in some dozens, when it has what can be spoilt."""
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


def _one_more(course: Course, day: date) -> None:
    """The first session again, under another reference and on another day."""
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
)
