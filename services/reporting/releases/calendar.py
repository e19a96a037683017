"""The calendar of releases: the day of each, and when it may be announced or changed. Pure.

Readers can rely on an announced day: it is known four weeks before, and a change comes with its reason. Releases are published at half past
nine, as official statistics in the United Kingdom are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from contracts.periods import LONDON, last_day
from services.records.model.bank_holidays import names

LEAST_NOTICE = timedelta(weeks=4)
OPENING = time(9, 30)
SATURDAY = 5
MOST_CLOSED_DAYS = 5
"""Most closed days in a row: bank holidays with a weekend between them."""


class CannotRelease(Exception):
    """The request is not possible in the present state of the releases. The message says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement of a release."""

    day: date | None
    """The day on which it will come; None if it was called off."""
    at: datetime
    reason: str
    """Why the day was changed; empty for the first announcement."""
    who: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """All announcements of the figures up to a month, and their state."""

    month: date
    said: tuple[Said, ...]
    is_out: bool
    """Whether it was published."""

    @property
    def day(self) -> date | None:
        """Return the day on which it is due; None if it was called off."""
        return self.said[-1].day

    @property
    def moment(self) -> datetime | None:
        """Return the moment at which it is due; None if it was called off."""
        return None if self.day is None else opening(self.day)

    @property
    def is_to_come(self) -> bool:
        """Return whether it is still to come."""
        return self.day is not None and not self.is_out

    @property
    def changes(self) -> tuple[tuple[date | None, Said], ...]:
        """Return each changed day, with the announcement that replaced it."""
        return tuple((before.day, after) for before, after in zip(self.said, self.said[1:], strict=False))

    def is_late(self, now: datetime) -> bool:
        """Return whether its day is over, and it has not come."""
        return self.is_to_come and self.day is not None and self.day < now.astimezone(LONDON).date()


def opening(day: date) -> datetime:
    """Return the moment of publication on a day: 9:30 in London, in summer and in winter."""
    return datetime.combine(day, OPENING, LONDON)


def to_come(calendar: Sequence[Announcement]) -> list[Announcement]:
    """Return the announcements still to come, the next first."""
    return sorted((each for each in calendar if each.is_to_come), key=lambda each: (each.day or date.max, each.month))


def first_day(now: datetime) -> date:
    """Return the first working day that can be announced now."""
    earliest = now.astimezone(LONDON).date() + LEAST_NOTICE
    days = (earliest + timedelta(days=n) for n in range(MOST_CLOSED_DAYS + 1))
    return next(day for day in days if day.weekday() < SATURDAY and day not in names())


def check_first(month: date, day: date, now: datetime) -> None:
    """Raise CannotRelease if figures up to that month cannot be announced for that day."""
    _check_day(month, day)
    _check_notice(day, now)


def check_change(before: Announcement, day: date | None, reason: str, now: datetime) -> None:
    """Raise CannotRelease if that day cannot replace the announced one; None calls it off.

    It may move to a later day at any time, since nobody who relied on the first day misses it; to an earlier day only with the usual
    notice.
    """
    if before.is_out:
        raise CannotRelease(f"Figures up to {before.month:%Y-%m} were published already")
    if not reason.strip():
        raise CannotRelease("Say why: readers see the reason for each change of an announcement")
    if day == before.day:
        raise CannotRelease("This is announced already")
    if day is None:
        return
    _check_day(before.month, day)
    if before.day is None or day < before.day:
        _check_notice(day, now)
    elif opening(day) <= now:
        raise CannotRelease(f"{day} at {OPENING:%H:%M} is over")


def check_order(month: date, day: date, calendar: Sequence[Announcement], published: Iterable[date]) -> None:
    """Raise CannotRelease if the figures up to that month would not come between those up to earlier and later months.

    Each release says what changed since the one before it, so no month can be made once a later one is published.
    """
    if last := max((each for each in published if each > month), default=None):
        raise CannotRelease(f"Figures up to {last:%Y-%m} were published already: those up to {month:%Y-%m} are in them")
    for other in to_come(calendar):
        if other.day and other.month != month and not _in_order((other.month, other.day), (month, day)):
            raise CannotRelease(
                f"Figures up to {other.month:%Y-%m} are announced for {other.day}: releases come in the order of their months, "
                "each on a day of its own"
            )


def _in_order(*releases: tuple[date, date]) -> bool:
    (_, first), (_, second) = sorted(releases)
    return first < second


def check_turn(month: date, calendar: Sequence[Announcement]) -> None:
    """Raise CannotRelease if figures up to an earlier month were announced that could no longer come after these."""
    if waiting := [each for each in to_come(calendar) if each.month < month]:
        first = min(waiting, key=lambda each: each.month)
        raise CannotRelease(
            f"Figures up to {first.month:%Y-%m} are announced for {first.day}, and could not come after later ones: "
            "publish them first, or call them off"
        )


def _check_day(month: date, day: date) -> None:
    if day <= last_day(month):
        raise CannotRelease(f"On {day}, {month:%Y-%m} is not over")
    if day.weekday() >= SATURDAY:
        raise CannotRelease(f"{day} is at a weekend: releases come on working days")
    if name := names().get(day):
        raise CannotRelease(f"{day} is a bank holiday in Scotland ({name}): releases come on working days")


def _check_notice(day: date, now: datetime) -> None:
    if day < first_day(now):
        raise CannotRelease(f"A release is announced at least four weeks ahead: {first_day(now)} or later")
