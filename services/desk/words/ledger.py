"""The hours of one order as a ledger: what was ordered, what was credited, and what was left after each entry."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from contracts.codes import Activity, AdjustmentReason, Attendance, WorkType
from services.chassis.web import words
from services.desk.model.orders import Fact, Ledger
from services.desk.words.labels import code_label

HOUR = 60


class Line(NamedTuple):
    """One entry. `left` is the number of hours outstanding after it."""

    on: date
    what: str
    hours: float
    """Hours ordered if the entry adds to those outstanding, hours credited if it reduces them."""
    ordered: bool
    left: float


def ledger_of(hours: Ledger) -> Sequence[Line]:
    """Return the entries in order."""
    entries = sorted([*_ordered(hours), *_credited(hours.facts)], key=lambda entry: (entry[0], not entry[3]))
    left, lines = 0.0, []
    for on, what, count, ordered in entries:
        left += count if ordered else -count
        lines.append(Line(on, what, count, ordered, round(left, 2)))
    return lines


def sessions_in_words(facts: Sequence[Fact]) -> dict[str, str]:
    """Return what happened in each session, by the key of its fact."""
    return {
        fact.key: f"{_session(fact.data)}: {_hours(fact.data['minutes_credited'])}"
        if fact.data["minutes_credited"]
        else _session(fact.data)
        for fact in facts
        if fact.data is not None and fact.key.startswith("session/")
    }


def _hours(minutes: int) -> str:
    return f"{words.hours(minutes / HOUR)} {'hour' if minutes == HOUR else 'hours'}"


_Entry = tuple[date, str, float, bool]


def _ordered(hours: Ledger) -> Iterator[_Entry]:
    for number, step in enumerate(hours.ordered):
        yield step.on, "Ordered by the court" if number == 0 else "Changed by the court", step.hours, True


def _credited(facts: Sequence[Fact]) -> Iterator[_Entry]:
    for fact in facts:
        data = fact.data
        if data is None:
            continue
        if fact.key.startswith("session/"):
            yield date.fromisoformat(data["session_on"]), _session(data), data["minutes_credited"] / HOUR, False
        elif fact.key.startswith("adjustment/"):
            yield date.fromisoformat(data["adjusted_on"]), _adjustment(data), data["minutes"] / HOUR, False


def _adjustment(data: dict[str, Any]) -> str:
    return f"Adjusted: {code_label(AdjustmentReason, data['reason']).lower()}"


def _session(data: dict[str, Any]) -> str:
    if data["attendance"] != Attendance.ATTENDED:
        return code_label(Attendance, data["attendance"])
    activity, kind = code_label(Activity, data["activity"]), data.get("work_type")
    return f"{activity}, {code_label(WorkType, kind).lower()}" if kind else activity
