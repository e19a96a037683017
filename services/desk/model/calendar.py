"""The duties that a calendar shows. Pure."""

from datetime import date

from msgspec import Struct


class DuesOfDay(Struct, frozen=True):
    """How many duties of one standard are due on a day."""

    day: date
    title: str
    number: int


class DueOrder(Struct, frozen=True):
    """An order that has something due on a day."""

    day: date
    title: str
    subject: str


class Dues(Struct, frozen=True):
    """The duties that a calendar may show."""

    today: date
    overdue: int
    days: list[DuesOfDay]
    orders: list[DueOrder] | None = None
    """None if the address shows counts only."""
