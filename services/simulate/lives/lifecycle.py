"""The life of one order, from imposition to end, as a list of facts. The same draws give the same life."""

from datetime import date
from random import Random

from contracts.codes import EndReason
from contracts.events import OrderEnded, OrderImposed, Supervision, TransferAnswered, TransferRequested, UnpaidWork
from services.simulate.chances import days_after
from services.simulate.home import Home
from services.simulate.lives.breach import breaches
from services.simulate.lives.casework import ask_at_the_end, begin, court_reviews, supervise
from services.simulate.lives.course import Course, Outlook
from services.simulate.lives.oddities import make_odd
from services.simulate.lives.outlook import foresee
from services.simulate.lives.unpaid_work import do_unpaid_work
from services.simulate.working_days import nth_after

_REQUESTS_IN_VAIN = 0.004
_NOT_ASKED = {EndReason.DIED, EndReason.TRANSFERRED_OUT}


def live_out(rng: Random, home: Home, subject: str, imposed: OrderImposed, horizon: date) -> Course:
    """Return the whole life of an order that stays with its authority."""
    course = course_of(rng, home, subject, imposed, foresee(rng, home, imposed))
    course.horizon = horizon
    course.say(course.start, imposed)
    begin(course)
    go_on(course)
    if course.happens(_REQUESTS_IN_VAIN):
        _ask_in_vain(course)
    close(course)
    make_odd(course)
    return course


def course_of(
    rng: Random, home: Home, subject: str, imposed: OrderImposed, outlook: Outlook, start: date | None = None
) -> Course:
    """Return an order about to begin at this authority."""
    work = next((r for r in imposed.requirements if isinstance(r, UnpaidWork)), None)
    supervision = next((r for r in imposed.requirements if isinstance(r, Supervision)), None)
    hours = work.hours if work else 0
    return Course(
        rng, home, subject, imposed, outlook, work, supervision, start or imposed.imposed_on, hours_at_the_end=hours
    )


def go_on(course: Course) -> None:
    """Play everything that follows once an order has begun at the authority that keeps it."""
    supervise(course)
    breaches(course)
    do_unpaid_work(course)
    court_reviews(course)


def close(course: Course) -> Course:
    """End an order: nothing follows its end but the questionnaire."""
    ended_on = course.outlook.ended_on
    course.facts = [(day, fact) for day, fact in course.facts if day <= ended_on]
    course.say(ended_on, OrderEnded(ended_on=ended_on, reason=course.outlook.reason))
    if course.outlook.reason not in _NOT_ASKED:
        ask_at_the_end(course)
    return course


def ask_for_transfer(course: Course, requested_on: date, to: str) -> None:
    course.say(requested_on, TransferRequested(ref="t1", requested_on=requested_on, to=to))


def answer_transfer(course: Course, answered_on: date, accepted: bool) -> None:
    course.say(answered_on, TransferAnswered(ref="t1", answered_on=answered_on, accepted=accepted))


def _ask_in_vain(course: Course) -> None:
    """Add a request that the other authority refuses, or never answers."""
    requested_on = days_after(course.start, course.rng.randint(30, 120))
    ask_for_transfer(course, requested_on, "S12000049" if course.home.code != "S12000049" else "S12000036")
    if course.happens(0.8):
        answer_transfer(course, nth_after(requested_on, course.rng.randint(1, 12)), accepted=False)
