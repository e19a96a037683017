"""The answers of the unpaid work service to an authority, as the OpenAPI document describes them."""

from datetime import date

from pydantic import Field

from services.chassis.schema import Schema
from services.records.api.order_schemas import ClockView, FactView, FindingView, Moment, WorkItem
from services.unpaid_work.ledger import Forecast


class ForecastView(
    Schema,
    description="Hours left against working days left, at the pace so far: minutes credited for each working day since the imposition.",
):
    hours_left: float
    working_days_left: int = Field(description="Until the deadline; negative once it has passed.")
    hours_a_week: float = Field(description="The pace so far, for five working days.")
    hours_a_week_needed: float | None = Field(description="None when no working day is left.")
    done_on: date | None = Field(description="At this pace; None where nothing was credited yet, or not in ten years.")
    in_time: bool = Field(description="False also while it is too early to say.")
    too_early: bool = Field(
        description="Nothing can be foreseen yet: nothing is credited, and a first placement would still be in time."
    )

    @classmethod
    def of(cls, forecast: Forecast) -> "ForecastView":
        needed = forecast.minutes_a_day_needed
        return cls(
            hours_left=round(forecast.minutes_left / 60, 2),
            working_days_left=forecast.working_days_left,
            hours_a_week=_a_week(forecast.minutes_a_day),
            hours_a_week_needed=None if needed is None else _a_week(needed),
            done_on=forecast.done_on,
            in_time=forecast.in_time,
            too_early=forecast.too_early,
        )


def _a_week(minutes_a_day: float) -> float:
    return round(minutes_a_day * 5 / 60, 2)


class HoursStep(Schema, description="Hours first ordered, then each change by the court."):
    on: date
    hours: float = Field(description="A difference; a negative number subtracts.")


class Ledger(Schema, description="The hours of one order, and everything that the service holds about it."):
    subject: str
    imposed_on: date | None
    ended_on: date | None
    ordered: list[HoursStep]
    hours_ordered: float
    hours_credited: float
    credited_by_activity: dict[str, float] = Field(description="Hours; adjustments are an activity of their own.")
    hours_outstanding: float = Field(description="Nothing is outstanding once the order has ended.")
    overfull: bool = Field(
        description="Whether more facts of it were sent than an order may have. If so, none of it counts."
    )
    deadline: date | None = Field(description="The end of the legal period, or the later date that the court set.")
    forecast: ForecastView | None = Field(description="Only for open orders with hours to do.")
    clocks: list[ClockView]
    findings: list[FindingView]
    timeline: list[Moment]
    facts: list[FactView]


class LateForecast(Schema, description="An open order that will not be done by its deadline at the pace so far."):
    subject: str
    imposed_on: date
    deadline: date
    caseload: str | None
    forecast: ForecastView


class AtRisk(
    Schema, description="Open orders that will miss their deadline at the pace so far, the earliest deadline first."
):
    today: date
    orders: int = Field(description="How many there are, of the caseload that is asked for.")
    hours_left: float = Field(description="Summed over all of them.")
    too_early: int = Field(
        description="Further orders of which it is too early to say: nothing is credited, and a first placement would still be in time."
    )
    caseloads: list[str] = Field(description="The codes that occur.")
    items: list[LateForecast]
    next: str | None = Field(description="Give it as `after` for the next page.")


class Worklist(
    Schema,
    description="What open orders have missed or must meet soon, and which will miss their deadline at the pace so far.",
):
    today: date
    until: date = Field(description="The last working day that the list covers.")
    items: list[WorkItem]
    will_be_late: list[LateForecast] = Field(
        description="Not yet past their deadline; the earliest first, as many as a page holds."
    )
    next: str | None = Field(description="Give it as `after` for the next page of items.")
