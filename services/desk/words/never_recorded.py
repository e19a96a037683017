"""The line that stands for a list of duties that an authority never records."""

from services.chassis.web import words
from services.desk.model.duties import NeverRecorded

_NOUNS = {
    "officer": "nomination of a responsible officer",
    "breach": "application for breach",
    "transfer": "answer to a request for transfer",
    "completion": "completion of unpaid work",
}
"""Nouns for standards whose title is not one."""


def never_recorded(one: NeverRecorded) -> str:
    """Return the line, as in No departmental review was ever recorded by this authority: 12 orders, 14 duties overdue."""
    noun = _NOUNS.get(one.standard, f"{one.title[:1].lower()}{one.title[1:]}")
    duties = words.counted(one.overdue, "duty", "duties")
    return f"No {noun} was ever recorded by this authority: {words.counted(one.orders, 'order')}, {duties} overdue"
