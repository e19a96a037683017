"""The calendar of releases as an iCalendar file, to which readers' calendars can subscribe."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

from contracts.periods import LONDON
from services.reporting.formats.publisher import TITLE
from services.reporting.releases.calendar import Announcement, opening

if TYPE_CHECKING:
    from icalendar import Event

AS_LONG_AS = timedelta(minutes=30)
"""How long an event of the calendar lasts."""


def as_ical(calendar: Sequence[Announcement], site: str) -> bytes:
    """Return one event for each announcement. It keeps its id when it is moved, so that calendars move it too."""
    from icalendar import Calendar  # noqa: PLC0415 - 2 MB that only this file needs

    made = Calendar()
    made.add("prodid", "-//Payback//releases//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"{TITLE}: releases")
    made.add("refresh-interval", timedelta(hours=12), parameters={"value": "DURATION"})
    for each in calendar:
        made.add_component(_event(each, site))
    written: bytes = made.to_ical()
    return written


def _event(announcement: Announcement, site: str) -> "Event":
    from icalendar import Event  # noqa: PLC0415

    begins = opening(announcement.day or _last_day(announcement)).astimezone(UTC)
    event, last = Event(), announcement.said[-1].at.astimezone(UTC)
    event.add("uid", f"release-{announcement.month:%Y-%m}@payback")
    event.add("dtstamp", last)
    event.add("last-modified", last)
    event.add("sequence", len(announcement.said) - 1)
    event.add("status", "CANCELLED" if announcement.day is None else "CONFIRMED")
    event.add("dtstart", begins)
    event.add("dtend", begins + AS_LONG_AS)
    event.add("summary", f"{TITLE}: figures up to {announcement.month:%B %Y}")
    event.add("description", said(announcement))
    event.add("url", f"{site}/releases#calendar")
    event.add("transp", "TRANSPARENT")
    return event


def _last_day(announcement: Announcement) -> date:
    """Return the last day that was announced, also if the release was called off."""
    return next(each.day for each in reversed(announcement.said) if each.day)


def said(announcement: Announcement) -> str:
    """Return when it was announced, and each change with its reason."""
    first = f"Announced on {announcement.said[0].at.astimezone(LONDON):%-d %B %Y}."
    return " ".join([first, *(_changed(before, each.day, each.reason) for before, each in announcement.changes)])


def _changed(before: date | None, after: date | None, reason: str) -> str:
    reason = reason.rstrip(".")
    if after is None:
        return f"Called off: {reason}."
    moved = f"Moved from {before:%-d %B %Y} to" if before else "Announced again, for"
    return f"{moved} {after:%-d %B %Y}: {reason}."
