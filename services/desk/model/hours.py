"""Hours of unpaid work: what is left of one order, and of all. Pure."""

from datetime import date

from msgspec import Struct


class Forecast(Struct, frozen=True):
    """Hours left, at the pace so far."""

    hours_left: float
    working_days_left: int
    hours_a_week: float
    hours_a_week_needed: float | None
    done_on: date | None
    in_time: bool
    too_early: bool = False
    """Whether nothing can be foreseen yet."""


class LateForecast(Struct, frozen=True):
    """An open order that will not be done by its deadline at the pace so far."""

    subject: str
    imposed_on: date
    deadline: date
    forecast: Forecast
    caseload: str | None = None


class AtRisk(Struct, frozen=True):
    """A page of the orders that will not be done by their deadline, the earliest first, with their number."""

    today: date
    orders: int
    hours_left: float
    caseloads: list[str]
    items: list[LateForecast]
    next: str | None
    too_early: int = 0
    """Further orders of which it is too early to say."""


class Capacity(Struct, frozen=True):
    """Hours outstanding, and hours credited."""

    today: date
    since: date
    """The first day over which the pace is measured."""
    until: date
    """The last one."""
    weeks: int
    """Those over which hours ordered are measured."""
    orders: int
    hours_outstanding: float
    hours_credited_a_week: float
    hours_ordered_a_week: float
    due_by_month: dict[str, float]
    """Hours outstanding by the month of their deadline, as in 2026-03."""
