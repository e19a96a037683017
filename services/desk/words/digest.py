"""The weekly digest: the state of the week, with links. Counts only, as in the morning e-mail."""

from dataclasses import dataclass
from email.message import EmailMessage

from services.chassis.web import words
from services.desk.model.hours import Capacity
from services.desk.model.urgency import When
from services.desk.today import Today
from services.desk.words.capacity import foreseen
from services.desk.words.mail import Morning, mail


@dataclass(frozen=True, slots=True)
class Week:
    """The content of the digest besides the counts of a morning."""

    morning: Morning
    overdue: dict[str, int]
    """Overdue duties by the title of their standard, the most frequent first."""
    acknowledged: int
    capacity: str
    """The outcome at the present pace of credited hours, in words."""


def week_of(morning: Morning, today: Today, capacity: Capacity) -> Week:
    """Return the state of the week."""
    return Week(morning, today.titles(When.OVERDUE), today.number(When.ACKNOWLEDGED), foreseen(capacity).sentence)


def digest(week: Week, address: str, sender: str, to: str) -> EmailMessage:
    """Return the e-mail, in plain text. `address` is that of the desk."""
    day, overdue = words.day_and_month(week.morning.day), sum(week.overdue.values())
    subject = f"Week of {day}: {overdue:,} overdue, {week.morning.due_soon + week.morning.due_today:,} due"
    return mail(week.morning, subject, _lines(week, address.rstrip("/")), sender, to)


def _lines(week: Week, address: str) -> list[str]:
    morning = week.morning
    due = morning.due_today + morning.due_soon
    standards = [f"  {title}: {number:,}" for title, number in week.overdue.items()]
    return [
        f"{words.counted(sum(week.overdue.values()), 'duty is', 'duties are')} overdue:",
        *standards,
        f"  {address}/?when=overdue",
        f"{words.counted(week.acknowledged, 'more was', 'more were')} acknowledged.",
        "",
        f"{words.counted(due, 'duty falls', 'duties fall')} due by {words.day_and_month(morning.until)}: {address}/",
        "",
        f"{week.capacity} {address}/hours",
        "",
        *_wrong(morning, address),
        "",
    ]


def _wrong(morning: Morning, address: str) -> list[str]:
    """Return what is to be corrected, if anything is."""
    rows = [
        (
            morning.newly_wrong,
            f"{words.counted(morning.newly_wrong, 'record')} became wrong in the last seven days: {address}/wrong",
        ),
        (morning.refused, f"{words.counted(morning.refused, 'refused event')} to correct: {address}/refusals"),
    ]
    return [line for number, line in rows if number]
