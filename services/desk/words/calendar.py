"""Due dates as an iCalendar file: counts by day and standard, never an order."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event

from services.chassis.web import words
from services.desk.model import Dues


def as_ical(dues: Iterable[Dues], address: str) -> bytes:
    """Return one event for each day. Its id stays the same, so that calendars do not show it twice."""
    found = list(dues)
    made = Calendar()
    made.add("prodid", "-//Payback//desk//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "Community payback orders: what is due")
    made.add("refresh-interval", timedelta(hours=6), parameters={"value": "DURATION"})
    today = found[0].today
    for day, titles in sorted(_by_day(found).items()):
        made.add_component(_event(day, titles, today, address))
    written: bytes = made.to_ical()
    return written


def _by_day(found: Iterable[Dues]) -> dict[date, Counter[str]]:
    days: dict[date, Counter[str]] = {}
    for one in found:
        for due in one.days:
            days.setdefault(due.day, Counter())[due.title] += due.number
    return days


def _event(day: date, titles: Counter[str], today: date, address: str) -> Event:
    event = Event()
    event.add("uid", f"due-{day}@payback")
    event.add("dtstamp", datetime(today.year, today.month, today.day, tzinfo=UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", f"{words.counted(titles.total(), 'duty', 'duties')} due")
    event.add("description", "\n".join(f"{title}: {number}" for title, number in sorted(titles.items())))
    event.add("url", address)
    event.add("transp", "TRANSPARENT")
    return event
