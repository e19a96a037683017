"""Decides how and when an order ends, and its unpaid work with it."""

from datetime import date
from math import exp, log
from random import Random

from contracts.codes import EndReason
from contracts.events import OrderImposed, Supervision, UnpaidWork
from services.simulate.chances import Chances, day_between, days_after, happens
from services.simulate.home import Home
from services.simulate.lives.course import Outlook
from services.simulate.working_days import months_after, nth_after

_COMPLETED = {False: 0.655, True: 0.765}
_DISCHARGED_EARLY = 0.022
"""The share of orders that end in another way than by transfer; of those completed, at 40 or under and over 40."""
_NOT_COMPLETED = Chances(
    {
        EndReason.REVOKED_BREACH: 14.5,
        EndReason.REVOKED_REVIEW: 8.5,
        EndReason.OTHER: 3.5,
        EndReason.DIED: 1.8,
    }
)
_PLACED_IN_TIME = 0.727
_PLACED_LATE = Chances({"to_3_weeks": 1346, "to_1_month": 434, "to_2_months": 475, "over_2_months": 492})
_WORK_NEVER_BEGINS = 0.3
"""Among orders that are not completed, the share whose unpaid work never begins."""
_DAYS_TO_COMPLETE = {1: (117, 0.71), 2: (220, 0.50)}
"""The median, and the standard deviation of the logarithm, by level."""
_FASTEST_PACE = 100
"""The most minutes credited a day, on average."""


def foresee(rng: Random, home: Home, imposed: OrderImposed) -> Outlook:
    """Draw how the order will end."""
    reason = _reason(rng, imposed.age_at_imposition > 40)
    start = imposed.imposed_on
    work = next((r for r in imposed.requirements if isinstance(r, UnpaidWork)), None)
    supervision = next((r for r in imposed.requirements if isinstance(r, Supervision)), None)
    last = months_after(start, supervision.months) if supervision else None
    placed_on = _placed_on(rng, home, start) if work else None
    if reason not in (EndReason.COMPLETED, EndReason.EARLY_DISCHARGE):
        return _broken_off(rng, reason, start, None if work else last, placed_on)
    if reason is EndReason.EARLY_DISCHARGE and last:
        last = days_after(start, (last - start).days * rng.uniform(0.45, 0.85))
    if not work or not placed_on:
        return Outlook(last or start, reason)
    done_on = _done_on(rng, work.hours, start, placed_on)
    ended_on = days_after(done_on, rng.randint(0, 14))
    return Outlook(max(ended_on, last) if last else ended_on, reason, placed_on, done_on)


def _broken_off(rng: Random, reason: EndReason, start: date, last: date | None, placed_on: date | None) -> Outlook:
    """Draw the end of an order that is not completed, on its last day at the latest if it has one."""
    ended_on = days_after(start, min(900, max(25, rng.lognormvariate(log(330), 0.6))))
    begins = placed_on and placed_on < ended_on and not happens(rng, _WORK_NEVER_BEGINS)
    return Outlook(min(ended_on, last or ended_on), reason, placed_on if begins else None)


def _reason(rng: Random, over_40: bool) -> EndReason:
    if happens(rng, _COMPLETED[over_40]):
        return EndReason.COMPLETED
    left = 1 - _COMPLETED[over_40]
    return EndReason.EARLY_DISCHARGE if happens(rng, _DISCHARGED_EARLY / left) else _NOT_COMPLETED.pick(rng)


def _placed_on(rng: Random, home: Home, start: date) -> date:
    if happens(rng, home.in_time("placement", _PLACED_IN_TIME)):
        return nth_after(start, rng.randint(2, 7))
    limits = {
        "to_3_weeks": (nth_after(start, 8), days_after(start, 21)),
        "to_1_month": (days_after(start, 22), months_after(start, 1)),
        "to_2_months": (days_after(months_after(start, 1), 1), months_after(start, 2)),
        "over_2_months": (days_after(months_after(start, 2), 1), days_after(months_after(start, 2), 60)),
    }
    return day_between(rng, *limits[_PLACED_LATE.pick(rng)])


def _done_on(rng: Random, hours: int, start: date, placed_on: date) -> date:
    median, sigma = _DAYS_TO_COMPLETE[1 if hours <= 100 else 2]
    drawn = days_after(start, min(1000, median * exp(rng.gauss(0, sigma))))
    return max(drawn, days_after(placed_on, hours * 60 / _FASTEST_PACE))
