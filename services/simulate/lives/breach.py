"""Applications for breach, the court's decisions on them, and other changes by the court."""

from datetime import date

from contracts.codes import BreachOutcome, Change, EndReason, LateReason
from contracts.events import BreachDecided, BreachLodged
from services.simulate.chances import Chances, day_between, days_after
from services.simulate.lives.course import Course
from services.simulate.working_days import nth_after

_LODGED_IN_TIME = 0.824
_AFTER_WHICH_REVOKED = Chances(
    {
        BreachOutcome.REVOKED_CUSTODY: 42,
        BreachOutcome.REVOKED_NEW_ORDER: 24,
        BreachOutcome.REVOKED_MONETARY: 14,
        BreachOutcome.REVOKED_OTHER: 20,
    }
)
_AFTER_WHICH_CONTINUED = Chances(
    {
        BreachOutcome.NO_FURTHER_ACTION: 27,
        BreachOutcome.TIME_VARIED: 22,
        BreachOutcome.WARRANT: 11,
        BreachOutcome.HOURS_VARIED: 8,
        BreachOutcome.CONTINUED_MONETARY: 8,
        BreachOutcome.NOT_YET_KNOWN: 7,
        BreachOutcome.OTHER: 7,
        BreachOutcome.NOT_PROVED: 5,
        BreachOutcome.RESTRICTED_MOVEMENT_ADDED: 5,
    }
)
_BREACHED = {EndReason.REVOKED_BREACH: 0.22, EndReason.REVOKED_REVIEW: 0.45, EndReason.COMPLETED: 0.21}
"""The share of orders with a breach application that does not end them, by how they end."""
_OTHERWISE = 0.12
_HOURS_VARIED = 0.012


def breaches(course: Course) -> None:
    """Add everything that comes before the court again, before the order ends."""
    ended_on, revoked = course.outlook.ended_on, course.outlook.reason is EndReason.REVOKED_BREACH
    if course.happens(_BREACHED.get(course.outlook.reason, _OTHERWISE)):
        decided_on = day_between(course.rng, days_after(course.start, 30), days_after(ended_on, -90))
        _breach(course, 1, decided_on)
    if revoked:
        decided_on = max(days_after(course.start, 3), days_after(ended_on, -course.rng.randint(25, 90)))
        _lodge(course, 2, decided_on)
        course.say(
            ended_on, BreachDecided(ref="b2", decided_on=ended_on, outcome=_AFTER_WHICH_REVOKED.pick(course.rng))
        )
    if course.work and course.happens(_HOURS_VARIED):
        _vary_hours(course, days_after(course.start, course.rng.randint(20, 60)))


def _breach(course: Course, n: int, decided_on: date) -> None:
    lodged_on = _lodge(course, n, decided_on)
    outcome_on = days_after(lodged_on, course.rng.randint(20, 60))
    outcome = _AFTER_WHICH_CONTINUED.pick(course.rng)
    course.say(outcome_on, BreachDecided(ref=f"b{n}", decided_on=outcome_on, outcome=outcome))
    if outcome is BreachOutcome.HOURS_VARIED and course.work:
        _vary_hours(course, outcome_on)


def _lodge(course: Course, n: int, decided_on: date) -> date:
    late = not course.happens(course.home.in_time("breach", _LODGED_IN_TIME))
    lodged_on = nth_after(decided_on, course.rng.randint(6, 20) if late else course.rng.randint(0, 5))
    reason = LateReason.STAFF_NOT_AVAILABLE if late and course.happens(0.3) else None
    fact = BreachLodged(ref=f"b{n}", decided_on=decided_on, lodged_on=lodged_on, late_reason=reason)
    course.say(lodged_on, fact)
    return lodged_on


def _vary_hours(course: Course, day: date) -> None:
    done_on = course.outlook.work_done_on
    if done_on is None or day >= done_on:
        return
    hours = min(300, max(20, course.hours_at_the_end + course.rng.choice((-30, -20, 20, 30, 40, 50))))
    course.vary(day, Change.HOURS, hours=hours)
    course.hours_at_the_end = hours
