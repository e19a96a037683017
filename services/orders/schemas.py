"""The answers of the orders service to an authority, as the OpenAPI document describes them."""

from datetime import date
from typing import Literal

from pydantic import Field

from services.chassis.schema import Schema
from services.records.api.order_schemas import ClockView, FactView, FindingView, Moment, WorkItem


class OtherSide(Schema, description="The same order at another authority."):
    direction: Literal["in", "out"]
    authority: str | None = Field(description="None until somebody reports which one.")
    subject: str | None = Field(description="The other authority's reference, once it has reported it.")
    matched: bool = Field(description="Whether both have reported the transfer.")


class OrderDetail(Schema, description="Everything that the platform holds about one order."):
    subject: str
    imposed_on: date | None
    ended_on: date | None
    withdrawn: bool = Field(description="Whether the whole order was withdrawn. If so, none of it counts.")
    overfull: bool = Field(
        description="Whether more facts of it were sent than an order may have. If so, none of it counts."
    )
    transfers: list[OtherSide]
    clocks: list[ClockView]
    findings: list[FindingView]
    timeline: list[Moment]
    facts: list[FactView]


class Worklist(Schema, description="Standards that open orders have missed or must meet soon, the earliest first."):
    today: date
    until: date = Field(description="The last working day that the list covers.")
    items: list[WorkItem]
    next: str | None = Field(description="Give it as `after` for the next page.")


class TransferFindings(Schema, description="Transfers of one authority that the two sides report differently."):
    authority: str
    findings: list[FindingView]


class Transfers(Schema, description="All matched transfers, by authority; authorities without a finding are left out."):
    today: date
    authorities: list[TransferFindings]
