"""The intake's answers, as the OpenAPI document describes them."""

from datetime import date, datetime

from pydantic import Field

from contracts.rejections import Rejection
from services.chassis.schema import Schema


class Refusal(Schema, description="One event that was refused."):
    index: int = Field(description="Its place in the request, from 0; in lines, the line.")
    id: str | None = Field(description="The event's id, if it could be read.")
    reason: str = Field(description="A code that never changes.")
    path: str = Field(description="The place in the event, as a JSONPath.")
    message: str = Field(description="What is wrong there.")
    remedy: str = Field(description="How to correct it.")

    @classmethod
    def of(cls, index: int, rejection: Rejection) -> "Refusal":
        return cls(
            index=index,
            id=rejection.id,
            reason=str(rejection.reason),
            path=rejection.path,
            message=rejection.message,
            remedy=rejection.reason.remedy,
        )


class Receipt(
    Schema, description="Where an accepted event stands in the log. `/v1/positions` of reporting tells when it counts."
):
    id: str
    topic: str
    partition: int
    offset: int


class Answer(Schema, description="The outcome of each event of a request."):
    accepted: int = Field(description="How many events were accepted; when sent, Kafka has acknowledged each of them.")
    rejected: list[Refusal]
    receipts: list[Receipt]
    unlisted: int = Field(
        0, description="How many more were refused than are listed here: `/v1/rejections` has what was sent of them."
    )


class EventOutcome(Schema, description="The outcome of an event that arrived, for one arrival."):
    topic: str
    partition: int
    offset: int
    outcome: str = Field(description="applied, superseded, duplicate, rejected or put_aside")
    subject: str | None
    arrived_at: datetime
    reason: str | None = None
    path: str | None = None
    message: str | None = None


class EventStory(Schema, description="All arrivals of an event under one id, latest first."):
    id: str
    arrivals: list[EventOutcome]


class KeptRejection(Schema, description="A refused event as it came, and how to correct it."):
    topic: str
    partition: int
    offset: int
    id: str | None
    reason: str
    path: str
    message: str
    remedy: str
    arrived_at: datetime
    redriven_at: datetime | None = Field(description="When an operator sent it through again.")
    mended_by: int | None = Field(description="Offset of the later event of the same source and id that was accepted.")
    event: str | None = Field(description="The bytes, where they are text.")
    event_base64: str | None = Field(description="The bytes, where they are not.")


class CountedRejections(
    Schema,
    description="Refused events of a day and reason beyond what is kept of a day. They remain in the log, between these offsets.",
):
    day: date
    reason: str
    number: int
    first_offset: int
    last_offset: int


class KeptRejections(Schema, description="A page of refused events, latest first."):
    rejections: list[KeptRejection]
    counted: list[CountedRejections] = Field(
        [],
        description="With each page, the latest that are only counted, since more were refused in a day than are kept.",
    )
    next: str | None = Field(description="Give it as `after` for the next page.")


class Parked(
    Schema,
    description="The platform fails on one of the authority's events, and processes none of them for now. Nothing sent is lost.",
):
    since: datetime
    topic: str | None = Field(
        description="The place of the event on which the platform fails; none if no single event is the cause."
    )
    offset: int | None


class Held(Schema, description="Totals of the service's data about an authority."):
    events: dict[str, int] = Field(description="Events of the service's own topic by outcome.")
    rejected: dict[str, int] = Field(description="Refused ones by reason.")
    rejected_open: int = Field(description="Refused ones that no later event with the same id has corrected.")
    rejected_counted: int = Field(
        description="Refused ones that are only counted, in neither state, since more were refused in a day than are kept."
    )
    orders: int = Field(description="Orders of which any fact is held, those withdrawn as a whole among them.")
    orders_open: int
    orders_ended: int
    orders_withdrawn: int = Field(description="Withdrawn as a whole, so they count nowhere.")
    orders_overfull: int = Field(
        description="More facts were sent of them than an order may have, so they count nowhere."
    )
    orders_not_imposed: int = Field(description="Facts were sent, but not the imposition, or it was withdrawn.")
    orders_emptied: int = Field(
        description="Every fact that was sent of them was withdrawn; in none of the other numbers."
    )
    first_heard_on: date | None = Field(description="The day on which the first of the service's own events arrived.")
    last_heard_at: datetime | None
    parked: Parked | None = Field(description="Present while the authority's events wait for the platform's operators.")
