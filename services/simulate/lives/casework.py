"""The social work around an order: receipt, contact, planning, assessment, reviews, measures of outcome."""

from datetime import date
from random import Random

from contracts.codes import OutcomeDomain, OutcomeStage, ReviewKind, RiskLevel
from contracts.events import (
    AssessmentCompleted,
    CaseMeetingHeld,
    ContactMade,
    ExitQuestionnaireReturned,
    OfficerNominated,
    OrderReceived,
    OutcomeMeasured,
    PlanAgreed,
    ReviewHeld,
)
from services.simulate.chances import Chances, days_after
from services.simulate.lives.course import Band, Course
from services.simulate.working_days import months_after

_FIRST_CONTACT: tuple[Band, ...] = ((0.789, 0, 1), (0.130, 2, 5), (0.081, 6, 25))
_CASE_MEETING: tuple[Band, ...] = ((0.770, 1, 5), (0.140, 6, 10), (0.090, 11, 40))
_PLAN: tuple[Band, ...] = ((0.740, 5, 20), (0.260, 21, 60))
_NEVER_TOLD = 0.02
_NO_PLAN = 0.08
_REVIEW_ON_TIME, _REVIEW_LATE = 0.75, 0.15
_LEVELS = tuple(RiskLevel)
_FIRST_LEVEL = Chances({0: 8, 1: 27, 2: 38, 3: 22, 4: 5})
_CHANGE = Chances({-1: 25, 0: 62, 1: 13})
_REASSESSED = 0.65
_MEASURES_OUTCOMES = 0.5
_QUESTIONNAIRE = 0.4
_RATINGS = Chances({1: 3, 2: 6, 3: 18, 4: 40, 5: 33})


def begin(course: Course) -> None:
    """Add receipt, officer and first contact."""
    rng, start = course.rng, course.start
    if not course.happens(_NEVER_TOLD):
        received_on = days_after(start, rng.choice((0, 0, 1, 1, 2, 4)))
        course.say(received_on, OrderReceived(received_on=received_on))
        nominated_on = days_after(received_on, rng.randint(0, 2) if course.happens(0.86) else rng.randint(3, 12))
        course.say(nominated_on, OfficerNominated(nominated_on=nominated_on))
    if not course.happens(_NEVER_TOLD):
        made_on, late = course.delay("first_contact", *_FIRST_CONTACT)
        course.say(made_on, ContactMade(made_on=made_on, late_reason=course.reason(late)))


def supervise(course: Course) -> None:
    """Add meeting, plan, reviews and assessments of an order with supervision."""
    if not course.supervision:
        return
    if not course.happens(_NEVER_TOLD):
        held_on, late = course.delay("case_meeting", *_CASE_MEETING)
        course.say(held_on, CaseMeetingHeld(held_on=held_on, late_reason=course.reason(late)))
    if not course.happens(_NO_PLAN):
        agreed_on, late = course.delay("plan", *_PLAN)
        course.say(agreed_on, PlanAgreed(agreed_on=agreed_on, late_reason=course.reason(late)))
    _departmental_reviews(course, course.supervision.months)
    _assessments(course)
    if course.happens(_MEASURES_OUTCOMES):
        _outcomes(course)


def court_reviews(course: Course) -> None:
    """Add progress reviews, if the court ordered them."""
    if not course.imposed.progress_review_ordered:
        return
    day, n = months_after(course.start, 3), 1
    while day <= course.outlook.ended_on and n <= 6:
        course.say(day, ReviewHeld(ref=f"c{n}", held_on=day, kind=ReviewKind.COURT))
        day, n = days_after(day, course.rng.randint(60, 120)), n + 1


def ask_at_the_end(course: Course) -> None:
    """Add the questionnaire, which some people return."""
    if course.happens(_QUESTIONNAIRE):
        day, rng = days_after(course.outlook.ended_on, course.rng.randint(0, 21)), course.rng
        ratings = (_RATINGS.pick(rng), _RATINGS.pick(rng), _RATINGS.pick(rng))
        course.say(day, _questionnaire(day, *ratings))


def _questionnaire(day: date, helped: int, treated: int, less_likely: int) -> ExitQuestionnaireReturned:
    return ExitQuestionnaireReturned(
        returned_on=day, helped=helped, treated_with_respect=treated, less_likely_to_offend=less_likely
    )


def _departmental_reviews(course: Course, months: int) -> None:
    on_time = course.home.in_time("review", _REVIEW_ON_TIME)
    for n, due_month in enumerate((3, *range(6, months + 1, 6)), 1):
        due = months_after(course.start, due_month)
        if due >= course.outlook.ended_on:
            return
        fate = course.rng.random()
        if fate < on_time:
            held_on = days_after(due, -course.rng.randint(0, 10))
        elif fate < on_time + _REVIEW_LATE:
            held_on = days_after(due, course.rng.randint(1, 25))
        else:
            continue
        course.say(held_on, ReviewHeld(ref=f"r{n}", held_on=held_on, kind=ReviewKind.DEPARTMENTAL))


def _assessments(course: Course) -> None:
    rng = course.rng
    level = _FIRST_LEVEL.pick(rng)
    day = days_after(course.start, rng.randint(7, 35))
    _assess(course, 1, day, level)
    if course.happens(_REASSESSED):
        day = days_after(course.start, rng.randint(150, 330))
        _assess(course, 2, day, min(4, max(0, level + _CHANGE.pick(rng))))


def _assess(course: Course, n: int, day: date, level: int) -> None:
    overridden = course.happens(0.04)
    fact = AssessmentCompleted(
        ref=f"a{n}", completed_on=day, tool="LS/CMI", level=_LEVELS[level], rule_version="1.0", overridden=overridden
    )
    course.say(day, fact)


def _outcomes(course: Course) -> None:
    rng = course.rng
    days = (course.outlook.ended_on - course.start).days
    stages = (
        (OutcomeStage.START, rng.randint(7, 40)),
        (OutcomeStage.REVIEW, days // 2),
        (OutcomeStage.END, days - rng.randint(0, 14)),
    )
    for domain in rng.sample(tuple(OutcomeDomain), rng.randint(2, 4)):
        score = rng.randint(1, 7)
        for stage, after in stages:
            _measure(course, days_after(course.start, max(after, 7)), stage, domain, score)
            score = min(10, max(0, score + _gain(rng)))


def _gain(rng: Random) -> int:
    return rng.choice((-1, 0, 0, 0, 1, 1, 1, 2, 3))


def _measure(course: Course, day: date, stage: OutcomeStage, domain: OutcomeDomain, score: int) -> None:
    ref = f"{stage}-{domain}"
    course.say(
        day, OutcomeMeasured(ref=ref, measured_on=day, stage=stage, domain=domain, score=score, tool="Outcomes Star")
    )
