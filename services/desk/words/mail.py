"""The morning e-mail: how much is missed, due and wrong, with links. Counts only: no order, no person, no authority's secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage

from services.chassis.web import words
from services.desk.model.duties import NeverRecorded
from services.desk.model.urgency import When
from services.desk.today import Today
from services.desk.words.never_recorded import never_recorded


@dataclass(frozen=True, slots=True)
class Morning:
    """The content of the e-mail."""

    authority: str
    day: date
    overdue: int
    due_today: int
    due_soon: int
    until: date
    hours_at_risk: float
    orders_at_risk: int
    newly_wrong: int
    refused: int
    past_target: int = 0
    """Past the authority's own target, and nationally due later than soon."""
    never: Sequence[NeverRecorded] = ()
    """Standards that were never recorded as met; their duties are among those overdue."""

    @property
    def quiet(self) -> bool:
        """Return whether there is nothing to do."""
        return not any(
            (
                *(self.overdue, self.due_today, self.due_soon, self.past_target),
                *(self.orders_at_risk, self.newly_wrong, self.refused),
            )
        )


def morning_of(authority: str, today: Today, newly_wrong: int, refused: int) -> Morning:
    """Return the counts of the first page."""
    counts = today.counts()
    return Morning(
        authority=authority,
        day=today.day,
        overdue=counts[When.OVERDUE],
        due_today=counts[When.TODAY],
        due_soon=counts[When.SOON],
        until=today.until,
        hours_at_risk=today.hours_at_risk,
        orders_at_risk=today.orders_at_risk,
        newly_wrong=newly_wrong,
        refused=refused,
        past_target=counts[When.PAST_TARGET],
        never=today.never,
    )


def message(morning: Morning, address: str, sender: str, to: str) -> EmailMessage:
    """Return the e-mail, in plain text. `address` is that of the desk."""
    subject = f"{words.day_and_month(morning.day)}: {_subject(morning)}"
    return mail(morning, subject, _lines(morning, address.rstrip("/")), sender, to)


def mail(morning: Morning, subject: str, lines: list[str], sender: str, to: str) -> EmailMessage:
    """Return an e-mail that names its sender, and says how to stop it."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Auto-Submitted"] = "auto-generated"
    head = [f"{morning.authority}, {words.long_date(morning.day)}", ""]
    foot = [
        "You must sign in to see which orders these are. This message holds counts only.",
        "To stop these messages, ask the people who run the desk.",
    ]
    made.set_content("\n".join([*head, *lines, *foot]))
    return made


def _subject(morning: Morning) -> str:
    if morning.quiet:
        return "nothing is overdue or due"
    return f"{morning.overdue:,} overdue, {morning.due_today:,} due today, {morning.due_soon:,} soon"


def _lines(morning: Morning, address: str) -> list[str]:
    hours = words.number(round(morning.hours_at_risk))
    rows = [
        (words.counted(morning.overdue, "duty is", "duties are") + " overdue", "/?when=overdue"),
        (words.counted(morning.due_today, "duty falls", "duties fall") + " due today", "/?when=today"),
        (
            words.counted(morning.due_soon, "duty falls", "duties fall")
            + f" due by {words.day_and_month(morning.until)}",
            "/?when=soon",
        ),
        (words.counted(morning.past_target, "duty is", "duties are") + " past our own target", "/?when=past_target"),
        (
            f"{words.counted(morning.orders_at_risk, 'order')} will be late at the pace so far, with {hours} hours left",
            "/hours",
        ),
        (words.counted(morning.newly_wrong, "record") + " newly wrong", "/wrong"),
        (words.counted(morning.refused, "refused event") + " to correct", "/refusals"),
    ]
    rows[1:1] = [(never_recorded(one), f"/?when=overdue&standard={one.standard}") for one in morning.never]
    shown = [
        line for text, path in rows if not text.startswith("0 ") for line in (f"{text}:", f"  {address}{path}", "")
    ]
    return shown or ["Nothing is overdue, due, or wrong.", ""]
