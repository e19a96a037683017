"""Why a duty is due on its day, in words."""

from collections.abc import Iterable

from contracts.periods import add_months
from services.chassis.web import words
from services.desk.model.orders import Clock


def reasons_of(clocks: Iterable[Clock]) -> list[str]:
    """Return for each clock how its due date is determined."""
    return [why(clock) for clock in clocks]


def why(clock: Clock) -> str:
    """Return the limit, when it starts, and which days were not counted."""
    each = "every " if _is_repeated(clock) else ""
    parts = [f"{each}{_length(clock.limit, clock.unit)} from {words.long_date(clock.started_on)}"]
    if clock.not_counted:
        days = [f"{words.day_and_month(one.day)} ({one.name})" for one in clock.not_counted]
        was = "was no working day" if len(days) == 1 else "were no working days"
        parts.append(f"{words.listed(days)} {was}")
    if clock.longer:
        parts.append(clock.longer)
    return "; ".join(parts)


def _is_repeated(clock: Clock) -> bool:
    """Return whether it is due repeatedly: reviews after the first are counted from the same day."""
    once = add_months(clock.started_on, clock.limit) if clock.unit == "months" else clock.due_on
    return clock.standard == "review" and clock.due_on is not None and clock.due_on > (once or clock.due_on)


def _length(limit: int, unit: str) -> str:
    return f"{limit} {unit[:-1] if limit == 1 else unit}"
