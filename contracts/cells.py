"""Cells: what the services publish to `national.aggregates`, and all measures on one page.

A cell is (measure, authority, period, category) -> integer. Its value is absolute and carries the version that last changed it, so a
repeat is harmless and the greatest version wins. A cell has one row for each day on which it changed (`known_on`): the value known at
the end of that day; the present value is the one with the greatest `known_on`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Period = Literal["imposed", "due", "ended", "completed", "session", "event", "month", "decided", "measured", "occurred"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a cell counts. `period` says which date decides the month; measures named `pending_*` have the due date itself."""

    name: str
    meaning: str
    period: str
    unit: str = "orders"
    dimensions: tuple[str, ...] = ()
    """Empty category (the total) is always there, except where `total` is false."""
    total: bool = True


_PERSON = ("sex", "age_band", "ethnicity", "employment")
_CLOCK = ("band", "reason", "not_applicable")

MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        Measure("orders_imposed", "Orders imposed", "imposed",
                dimensions=(*_PERSON, "court_type", "fine_default", "progress_review", "level")),
        Measure("persons_with_new_order", "People with a first order in the month", "imposed", "people"),
        Measure("requirements_imposed", "Requirements of orders imposed", "imposed", "requirements", ("requirement",), total=False),
        Measure("unpaid_work_minutes_imposed", "Unpaid work imposed", "imposed", "minutes", ("level",)),
        Measure("supervision_months_imposed", "Supervision imposed", "imposed", "months", ("length_band",)),
        Measure("first_contact", "First contact, by working days from imposition", "imposed", dimensions=_CLOCK, total=False),
        Measure("case_meeting", "First case management meeting, by working days from imposition", "imposed",
                dimensions=_CLOCK, total=False),
        Measure("induction", "Induction to unpaid work, by working days from imposition", "imposed", dimensions=_CLOCK, total=False),
        Measure("placement", "First placement, by days from imposition", "imposed", dimensions=_CLOCK, total=False),
        Measure("plan", "Case management plan, by working days from imposition", "imposed", dimensions=_CLOCK, total=False),
        Measure("officer", "Responsible officer nominated, by days from receipt", "imposed", dimensions=_CLOCK, total=False),
        Measure("reviews", "Departmental reviews that fell due", "due", "reviews",
                ("on_time", "late", "missed", "not_applicable"), total=False),
        Measure("breach_lodged", "Breach applications, by the day that they were due", "due", "applications",
                ("on_time", "late"), total=False),
        Measure("transfer_answered", "Requests for transfer, by the day that the answer was due", "due", "requests",
                ("on_time", "late", "missed", "not_applicable"), total=False),
        *(
            Measure(f"pending_{standard}", f"Not done yet: {words}, by the date it is due", "due")
            for standard, words in (
                ("first_contact", "first contact"),
                ("case_meeting", "case management meeting"),
                ("induction", "induction"),
                ("placement", "placement"),
                ("plan", "plan"),
                ("review", "departmental review"),
                ("transfer", "answer to a request for transfer"),
                ("completion", "completion of unpaid work"),
            )
        ),
        Measure("unpaid_work_completed", "Unpaid work completed", "completed", dimensions=("class", "level", "days_band"), total=False),
        Measure("unpaid_work_days", "Days from imposition to completion of unpaid work, summed", "completed", "days"),
        Measure("orders_ended", "Orders ended", "ended", dimensions=("end_reason", "age_band", "sex", "requirement")),
        Measure("minutes_credited", "Unpaid work credited", "session", "minutes", ("activity", "work_type")),
        Measure("sessions", "Sessions planned", "session", "sessions", ("attendance",)),
        Measure("minutes_outstanding_opened", "Unpaid work imposed, and later changes by the court", "month", "minutes"),
        Measure("minutes_outstanding_closed", "Unpaid work credited, and what was left when an order ended", "month", "minutes"),
        Measure("orders_opened", "Orders opened", "month"),
        Measure("orders_closed", "Orders closed", "month"),
        Measure("breach_outcomes", "Decisions on breach", "decided", "decisions", ("breach_outcome",), total=False),
        Measure("risk_change", "Change of risk level between the first and the last assessment", "measured", "people",
                ("change",), total=False),
        Measure("outcome_change", "Change of score between the first and the last measure of a domain", "measured", "measures",
                ("change", "domain"), total=False),
        Measure("exit_questionnaires", "Exit questionnaires of orders ended", "ended", "questionnaires",
                ("returned", "not_returned", "sum"), total=False),
        Measure("events", "Events received", "event", "events", ("outcome", "reason"), total=False),
        Measure("reporting_delay", "Days from the fact to the arrival of its event", "occurred", "events", ("delay_band",), total=False),
        Measure("findings", "Data quality findings", "month", "findings", ("rule",), total=False),
        Measure("control_totals", "An authority's own totals for a month, to check the measures of these names against", "month",
                dimensions=("total",), total=False),
        Measure("sequence", "Numbered events received and missing", "event", "events", ("received", "missing"), total=False),
    )
}  # fmt: skip

Service = Literal["orders", "unpaid_work"]
"""The service that publishes a cell. No measure is published by both, but `events`, `reporting_delay`, `findings` and `sequence` add up."""


class Cell(Struct, frozen=True, tag="cell", tag_field="kind", forbid_unknown_fields=True):
    """One row of a cell, as published."""

    service: Service
    """The service that publishes it."""
    authority: str
    """Statistical code of the local authority."""
    generation: int
    """Grows with each rebuild; a row of an older generation than the last position's is void."""
    version: int
    """The change that gave the cell its value. The greatest counts."""
    measure: str
    """What is counted."""
    period: date
    """The first of the month, or the due date where the measure says so."""
    category: str
    """Empty, or `dimension=value`, or a bare word such as `not_applicable`."""
    known_on: date
    """The day at whose end the value was known. The present value is that of the latest day."""
    value: int
    """The count, absolute."""

    @property
    def key(self) -> str:
        return f"{self.service}|{self.authority}|{self.measure}|{self.period}|{self.category}|{self.known_on}"


class Position(Struct, frozen=True, tag="position", tag_field="kind", forbid_unknown_fields=True):
    """Says that all rows up to `version` have been published, and which source offsets they show. Comes after those rows."""

    service: Service
    """The service that publishes it."""
    authority: str
    """Statistical code of the local authority."""
    generation: int
    """The generation that counts; rows of older ones are void."""
    version: int
    """Rows up to this version have been published."""
    offsets: dict[str, int]
    """Source topic and partition, as in `orders.events.S12000005/0`, to the last offset shown."""
    heard_at: Annotated[datetime, Meta(tz=True)]
    """When the last event shown reached the log."""

    @property
    def key(self) -> str:
        return f"position|{self.service}|{self.authority}"


Aggregate = Cell | Position

encode_aggregate = msgspec.json.Encoder().encode
decode_aggregate = msgspec.json.Decoder(Aggregate).decode
"""Raises msgspec.DecodeError for what is not an aggregate of this version."""
