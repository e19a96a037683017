"""Due dates as an iCalendar file: counts by day and standard, and the orders only if every service names them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event

from services.chassis.web import words
from services.desk.model.calendar import Dues

Day = dict[str, list[str]]
"""The orders that a day names under each title."""


def as_ical(dues: Iterable[Dues], address: str) -> bytes:
    """Return one event for each day. Its id stays the same, so that calendars do not show it twice."""
    found = list(dues)
    made = Calendar()
    made.add("prodid", "-//Payback//desk//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "Community payback orders: what is due")
    made.add("refresh-interval", timedelta(hours=6), parameters={"value": "DURATION"})
    today, named = found[0].today, _named(found)
    for day, titles in sorted(_by_day(found).items()):
        made.add_component(_event(day, titles, named.get(day, {}), today, address))
    written: bytes = made.to_ical()
    return written


def _by_day(found: Iterable[Dues]) -> dict[date, Counter[str]]:
    days: dict[date, Counter[str]] = {}
    for one in found:
        for due in one.days:
            days.setdefault(due.day, Counter())[due.title] += due.number
    return days


def _named(found: Sequence[Dues]) -> dict[date, Day]:
    """Return the orders of each day; none if a service names none, since there the authority has already taken it back."""
    days: dict[date, Day] = {}
    if any(one.orders is None for one in found):
        return days
    for due in (due for one in found for due in one.orders or ()):
        days.setdefault(due.day, {}).setdefault(due.title, []).append(due.subject)
    return days


def _event(day: date, titles: Counter[str], named: Day, today: date, address: str) -> Event:
    """Return the event of a day. References stand in its description only: titles are what locked screens and shared calendars show."""
    event = Event()
    event.add("uid", f"due-{day}@payback")
    event.add("dtstamp", datetime(today.year, today.month, today.day, tzinfo=UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", f"{words.counted(titles.total(), 'duty', 'duties')} due")
    event.add("description", "\n".join(_line(title, n, named.get(title, [])) for title, n in sorted(titles.items())))
    event.add("url", address)
    event.add("transp", "TRANSPARENT")
    return event


def _line(title: str, number: int, references: list[str]) -> str:
    left = number - len(references)
    more = [f"{left} more"] if references and left else []
    return f"{title}: {number}" + (f" ({', '.join([*references, *more])})" if references else "")
