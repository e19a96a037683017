"""Unpaid work from induction to completion."""

from datetime import date, timedelta

from contracts.codes import (
    Activity,
    AdjustmentReason,
    Attendance,
    Change,
    Setting,
    WorkType,
)
from contracts.events import (
    HoursAdjusted,
    InductionHeld,
    PlacementStarted,
    SessionRecorded,
    UnpaidWork,
    WorkCompleted,
)
from services.simulate.chances import Chances, day_between, days_after
from services.simulate.lives.course import Course
from services.simulate.working_days import months_after, nth_after

_INDUCTION_IN_TIME = {False: 0.46, True: 0.88}
"""The share of inductions in time: if the placement was not in time, and if it was."""
_NEVER_TOLD = 0.08
_SETTING = Chances({Setting.GROUP: 70, Setting.INDIVIDUAL: 24, Setting.OTHER_ACTIVITY: 6})
_WORK_TYPE = Chances(
    {
        WorkType.GARDENING: 22,
        WorkType.ENVIRONMENT: 18,
        WorkType.DECORATING: 12,
        WorkType.WORKSHOP: 12,
        WorkType.COMMUNITY_SUPPORT: 10,
        WorkType.COLLECTION: 7,
        WorkType.REMOVALS: 6,
        WorkType.RECYCLING: 5,
        WorkType.JOINERY: 4,
        WorkType.OTHER: 3,
        WorkType.SNOW_CLEARING: 1,
    }
)
_CREDIT = Chances({420: 18, 390: 4, 360: 14, 300: 14, 240: 18, 210: 20, 180: 12})
_CUT_SHORT = Chances({0: 40, 30: 10, 60: 20, 120: 20, 180: 10})
_ATTENDED = Chances(
    {
        Attendance.ATTENDED: 95.0,
        Attendance.LEFT_EARLY: 2.0,
        Attendance.ATTENDED_SENT_HOME_SERVICE: 1.7,
        Attendance.ATTENDED_SENT_HOME_CONDUCT: 1.3,
    }
)
_ABSENT = Chances(
    {
        Attendance.ABSENT_UNACCEPTABLE: 40,
        Attendance.ABSENT_ACCEPTABLE_MEDICAL: 20,
        Attendance.ABSENT_ACCEPTABLE_EMPLOYMENT: 14,
        Attendance.ABSENT_ACCEPTABLE_OTHER: 16,
        Attendance.CANCELLED_BY_SERVICE: 10,
    }
)
_SHOWS_UP = 0.70
_OTHER_ACTIVITY = 0.15
_ADJUSTED = 0.03
_EXTENDED = 0.62
"""The share of extensions, for work that outlasts the legal period and any date that the court had set."""
_DAY = timedelta(days=1)


def do_unpaid_work(course: Course) -> None:
    """Add unpaid work from induction to completion, or to the end of the order before that."""
    placed_on = course.outlook.placed_on
    if not course.work or not placed_on:
        return
    _induction(course, placed_on)
    if not course.happens(_NEVER_TOLD):
        _placement(course, placed_on)
    done_on = course.outlook.work_done_on
    if done_on:
        _court_dates(course, course.work, done_on)
        minutes = course.hours_at_the_end * 60 - _adjustment(course, done_on)
        _sessions(course, placed_on, done_on, minutes)
        late_reason = course.reason(done_on > _legal_limit(course, course.work), at_work=True)
        course.say(done_on, WorkCompleted(completed_on=done_on, late_reason=late_reason))
    else:
        part = course.rng.uniform(0.05, 0.9)
        _sessions(course, placed_on, course.outlook.ended_on, int(course.work.hours * 2 * part) * 30)


def _induction(course: Course, placed_on: date) -> None:
    start, rng = course.start, course.rng
    in_time = course.home.in_time("induction", _INDUCTION_IN_TIME[placed_on <= nth_after(start, 7)])
    first, last = (1, 5) if course.happens(in_time) else (6, 10) if course.happens(0.55) else (11, 30)
    held_on = min(placed_on, nth_after(start, rng.randint(first, last)))
    late = held_on > nth_after(start, 5)
    course.say(held_on, InductionHeld(held_on=held_on, late_reason=course.reason(late, at_work=True)))


def _placement(course: Course, placed_on: date) -> None:
    late = placed_on > nth_after(course.start, 7)
    fact = PlacementStarted(
        started_on=placed_on,
        setting=_SETTING.pick(course.rng),
        work_type=_WORK_TYPE.pick(course.rng),
        late_reason=course.reason(late, at_work=True),
    )
    course.say(placed_on, fact)


def _legal_limit(course: Course, work: UnpaidWork) -> date:
    return months_after(course.start, 3 if work.hours <= 100 else 6)


def _court_dates(course: Course, work: UnpaidWork, done_on: date) -> None:
    """Add a later date that the court sets, as it often does for work that outlasts the legal period."""
    limit = _legal_limit(course, work)
    if done_on <= limit or (work.complete_by and done_on <= work.complete_by):
        return
    if course.happens(_EXTENDED):
        varied_on = day_between(course.rng, days_after(course.start, 30), min(limit, done_on))
        until = days_after(done_on, course.rng.randint(3, 60))
        course.vary(varied_on, Change.COMPLETE_BY, complete_by=until)


def _adjustment(course: Course, done_on: date) -> int:
    if not course.happens(_ADJUSTED):
        return 0
    day = day_between(course.rng, course.start, done_on)
    minutes = course.rng.choice((-60, -30, 30, 30, 60, 120))
    reason = AdjustmentReason.CORRECTION if minutes < 0 else AdjustmentReason.TRAVEL
    course.say(day, HoursAdjusted(ref="a1", adjusted_on=day, minutes=minutes, reason=reason))
    return minutes


def _sessions(course: Course, first: date, last: date, minutes: int) -> None:
    """Add planned sessions, evenly over the time, until so many minutes are credited."""
    planned = _attendances(course, minutes)
    usual, rng = _WORK_TYPE.pick(course.rng), course.rng
    other = rng.randint(1, 4) if course.happens(_OTHER_ACTIVITY) else 0
    start = first.toordinal()
    gap = (last - first).days / max(1, len(planned) - 1)
    for n, (attendance, credit) in enumerate(planned):
        day = date.fromordinal(start + int(n * gap))
        if day > course.horizon:
            return
        if day.weekday() == 6 and day < last:
            day += _DAY
        fact = SessionRecorded(
            ref=f"s{n + 1}",
            session_on=day,
            attendance=attendance,
            activity=Activity.OTHER_ACTIVITY if n < other else Activity.UNPAID_WORK,
            work_type=usual if rng.random() < 0.8 else _WORK_TYPE.pick(rng),
            minutes_credited=credit,
        )
        course.say(day, fact)


def _attendances(course: Course, minutes: int) -> list[tuple[Attendance, int]]:
    rng, found = course.rng, []
    shows_up = course.home.in_time("attendance", _SHOWS_UP)
    while minutes > 0:
        if rng.random() > shows_up:
            found.append((_ABSENT.pick(rng), 0))
            continue
        attendance = _ATTENDED.pick(rng)
        credit = min(minutes, (_CREDIT if attendance is Attendance.ATTENDED else _CUT_SHORT).pick(rng))
        minutes -= credit
        found.append((attendance, credit))
    return found
