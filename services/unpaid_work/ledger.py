"""The hours of one order: ordered, credited, left, and when they will be done at the pace so far. Pure."""

from collections import Counter
from datetime import date
from math import ceil
from typing import NamedTuple

from contracts.events import HoursAdjusted, SessionRecorded
from services.records.model.calendar import Calendar
from services.records.model.record import Record
from services.records.model.standards import in_force


class Forecast(NamedTuple):
    """The outcome at the pace so far: minutes credited for each working day since the imposition."""

    minutes_left: int
    working_days_left: int
    """Until the deadline; negative once it has passed."""
    minutes_a_day: float
    minutes_a_day_needed: float | None
    """Minutes a day that are needed to finish by the deadline; None when no day is left."""
    done_on: date | None
    """The day on which the last minute will have been worked; None if nothing was credited yet."""
    in_time: bool
    too_early: bool = False
    """Whether nothing can be foreseen yet."""


FURTHEST = 2600
"""How many working days ahead a date is forecast at most: ten years."""


def credit_of(record: Record) -> Counter[str]:
    """Return minutes credited by activity; adjustments are an entry of their own."""
    credit: Counter[str] = Counter()
    for entry in record.values():
        if isinstance(entry.data, SessionRecorded):
            credit[entry.data.activity] += entry.data.minutes_credited
        elif isinstance(entry.data, HoursAdjusted):
            credit["adjustment"] += entry.data.minutes
    return credit


def forecast(minutes: tuple[int, int], imposed_on: date, deadline: date, today: date, calendar: Calendar) -> Forecast:
    """Forecast when the work will be done. `minutes` are those ordered and those credited so far."""
    ordered, credited = minutes
    left = max(ordered - credited, 0)
    days_left = calendar.working_days(today, deadline)
    pace = max(credited, 0) / max(calendar.working_days(imposed_on, today), 1)
    needed = left / days_left if days_left > 0 else None
    if not left:
        return Forecast(0, days_left, pace, 0.0, today, in_time=True)
    days = ceil(left / pace) if pace else FURTHEST + 1
    done_on = calendar.after(today, days) if days <= FURTHEST else None
    in_time = done_on is not None and done_on <= deadline
    early = is_too_early(credited, imposed_on, today, calendar)
    return Forecast(left, days_left, pace, needed, done_on, in_time=in_time, too_early=early)


def is_too_early(credited: int, imposed_on: date, today: date, calendar: Calendar) -> bool:
    """Return whether nothing can be foreseen yet: nothing is credited, and a first placement would still be in time."""
    return credited <= 0 and today <= in_force("placement", imposed_on).due(imposed_on, None, calendar)


def will_be_in_time(
    minutes: tuple[int, int], imposed_on: date, deadline: date, today: date, calendar: Calendar
) -> bool:
    """Return what `forecast` says of `in_time`, without finding the day: a list asks it of every open order."""
    ordered, credited = minutes
    left = ordered - credited
    if left <= 0:
        return True
    days = min(calendar.working_days(today, deadline), FURTHEST)
    return left * max(calendar.working_days(imposed_on, today), 1) <= max(credited, 0) * days
