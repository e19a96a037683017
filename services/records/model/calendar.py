"""Working days, pure: Monday to Friday, without the days on which the authority is closed."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Calendar:
    """Counts working days. `closed` has the days besides weekends that are no working days; `version` names the list that they are from."""

    version: str
    closed: frozenset[date]
    _closed_weekdays: tuple[int, ...] = field(init=False, repr=False)
    _worked_before: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """The number of working days before each closed weekday, so that a search takes no longer where many days are closed."""

    def __post_init__(self) -> None:
        weekdays = sorted(day.toordinal() for day in self.closed if day.weekday() < 5)
        object.__setattr__(self, "_closed_weekdays", tuple(weekdays))
        before = (_weekdays(number) - 1 - place for place, number in enumerate(weekdays))
        object.__setattr__(self, "_worked_before", tuple(before))

    def __hash__(self) -> int:
        return hash(self.version)

    def working_days(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`; negative if `end` lies before `start`."""
        return self._ordinal(end) - self._ordinal(start)

    def after(self, start: date, days: int) -> date:
        """Return the day that is `days` working days after `start`."""
        if days <= 0:
            return start + timedelta(days=days)
        target = self._ordinal(start) + days
        weekday = target + bisect_left(self._worked_before, target)
        weeks, rest = divmod(weekday - 1, 5)
        return date.fromordinal(7 * weeks + rest + 1)

    def closed_weekdays(self, start: date, end: date) -> list[date]:
        """Return the days from Monday to Friday after `start` up to and including `end` that are no working days."""
        first, last = (bisect_right(self._closed_weekdays, day.toordinal()) for day in (start, end))
        return [date.fromordinal(number) for number in self._closed_weekdays[first:last]]

    def _ordinal(self, day: date) -> int:
        """Count the working days from the beginning of time to the end of `day`."""
        number = day.toordinal()
        return _weekdays(number) - bisect_right(self._closed_weekdays, number)

    def without(self, closed: Iterable[date], version: str) -> "Calendar":
        """Return the same calendar with an authority's own closed days."""
        return Calendar(version, self.closed | frozenset(closed))


def _weekdays(number: int) -> int:
    """Count the days from Monday to Friday from the beginning of time to the end of a day."""
    weeks, rest = divmod(number, 7)  # day 1 was a Monday
    return weeks * 5 + min(rest, 5)
