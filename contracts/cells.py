"""Cells: what the services publish to `national.aggregates`, and all measures on one page.

A cell is (measure, authority, period, category) -> integer. Its value is absolute and carries the version that last changed it, so a
repeat is harmless and the greatest version wins. A cell has one row for each day on which it changed (`known_on`): the value known at
the end of that day; the present value is the one with the greatest `known_on`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from contracts import categories as c

Service = Literal["orders", "unpaid_work"]
"""The service that publishes a cell. Values of cells that both publish are added up."""
BOTH: frozenset[Service] = frozenset({"orders", "unpaid_work"})
_OF_UNPAID_WORK = {
    *("induction", "placement", "unpaid_work_completed", "unpaid_work_days", "minutes_credited", "sessions"),
    *("minutes_outstanding_opened", "minutes_outstanding_closed"),
    *(f"{kind}_{standard}" for kind in ("pending", "awaited") for standard in ("induction", "placement", "completion")),
}
_OF_BOTH = {"control_totals", "events", "reporting_delay", "findings", "sequence"}
"""For `sequence`, unpaid work publishes the numbers of both topics."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of count. `period` says which date decides the month; measures named `pending_*` and `awaited_*` have the due date."""

    name: str
    meaning: str
    period: str
    unit: str = "orders"
    categories: tuple[str, ...] = ()
    """Every category except the empty one, which is the total."""
    total: bool = True
    """Whether there is a total."""

    @property
    def services(self) -> frozenset[Service]:
        """Return the services that publish the measure."""
        if self.name in _OF_BOTH:
            return BOTH
        return frozenset({"unpaid_work" if self.name in _OF_UNPAID_WORK else "orders"})

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Return the parts of categories before the `=`, and categories that are bare words."""
        return tuple(dict.fromkeys(category.partition("=")[0] for category in self.categories))


_AWAITED = (
    ("first_contact", "first contact"),
    ("case_meeting", "case management meeting"),
    ("induction", "induction"),
    ("placement", "placement"),
    ("plan", "plan"),
    ("review", "departmental review"),
    ("transfer", "answer to a request for transfer"),
    ("completion", "completion of unpaid work"),
)
"""Standards, and what each waits for."""

MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        Measure("orders_imposed", "Orders imposed", "imposed", categories=c.IMPOSED),
        Measure("persons_with_new_order", "People with a first order in the month", "imposed", "people"),
        Measure("persons_with_new_order_in_year", "People with a first order in the year from April to March, by its 1 April",
                "imposed", "people"),
        Measure("persons_opened", "People who came to have an open order", "month", "people"),
        Measure("persons_closed", "People who had an open order and none after it", "month", "people"),
        Measure("requirements_imposed", "Requirements of orders imposed", "imposed", "requirements", c.REQUIREMENT, total=False),
        Measure("unpaid_work_minutes_imposed", "Unpaid work imposed", "imposed", "minutes", c.of("level", c.LEVELS)),
        Measure("supervision_months_imposed", "Supervision imposed", "imposed", "months", c.of("length_band", c.LENGTH_BANDS)),
        *(
            Measure(standard, meaning, "imposed", categories=c.clock(standard), total=False)
            for standard, meaning in (
                ("first_contact", "First contact, by working days from imposition"),
                ("case_meeting", "First case management meeting, by working days from imposition"),
                ("induction", "Induction to unpaid work, by working days from imposition"),
                ("placement", "First placement, by time from imposition"),
                ("plan", "Case management plan, by working days from imposition"),
                ("officer", "Responsible officer nominated, by days from receipt"),
            )
        ),
        Measure("reviews", "Departmental reviews that fell due", "due", "reviews", c.SETTLED, total=False),
        Measure("breach_lodged", "Breach applications, by the day that they were due", "due", "applications",
                (c.ON_TIME, c.LATE, *c.REASONS), total=False),
        Measure("transfer_answered", "Requests for transfer, by the day that the answer was due", "due", "requests",
                (*c.SETTLED, *c.REASONS), total=False),
        *(
            Measure(f"pending_{standard}", f"Not done yet: {words}, by the date it is due", "due")
            for standard, words in _AWAITED
        ),
        *(
            Measure(f"awaited_{standard}", f"Of those, what counts for the nation: {words}, by how many months before the date it is "
                    "due the month lies in which the clock counts", "due", categories=c.MONTHS_BEFORE, total=False)
            for standard, words in _AWAITED
        ),
        Measure("unpaid_work_completed", "Unpaid work completed; missed and not applicable by the month imposed", "completed",
                categories=c.COMPLETED, total=False),
        Measure("unpaid_work_days", "Days from imposition to completion of unpaid work, summed", "completed", "days",
                c.of("level", c.LEVELS)),
        Measure("orders_ended", "Orders ended", "ended", categories=c.ENDED),
        Measure("minutes_credited", "Unpaid work credited", "session", "minutes", c.CREDIT),
        Measure("sessions", "Sessions planned", "session", "sessions", c.ATTENDANCE),
        Measure("minutes_outstanding_opened", "Unpaid work imposed, and later changes by the court", "month", "minutes"),
        Measure("minutes_outstanding_closed", "Unpaid work credited, and what was left when an order ended", "month", "minutes"),
        Measure("orders_opened", "Orders opened", "month"),
        Measure("orders_closed", "Orders closed", "month"),
        Measure("breach_outcomes", "Decisions on breach", "decided", "decisions", c.BREACH_OUTCOME, total=False),
        Measure("risk_change", "Change of risk level between the first and the last assessment", "measured", "people",
                c.of("change", c.CHANGES), total=False),
        Measure("outcome_change", "Change of score between the first and the last measure of a domain", "measured", "measures",
                (*c.of("change", c.CHANGES), *c.DOMAINS), total=False),
        Measure("exit_questionnaires", "Exit questionnaires of orders ended", "ended", "questionnaires",
                ("returned", "not_returned", *c.of("sum", c.QUESTIONS)), total=False),
        Measure("events", "Events received", "event", "events", c.EVENTS, total=False),
        Measure("reporting_delay", "Days from the fact to the arrival of its event", "occurred", "events",
                c.of("delay_band", c.DELAY_BANDS), total=False),
        Measure("findings", "Data quality findings", "month", "findings", c.of("rule", c.FINDINGS), total=False),
        Measure("control_totals", "An authority's own totals for a month, against which the measures of these names are checked", "month",
                categories=c.of("total", c.CLOSED_WITH), total=False),
        Measure("sequence", "Numbered events received and missing, and numbers used twice", "event", "events",
                ("received", "missing", "reused"), total=False),
    )
}  # fmt: skip

CATEGORIES: dict[str, frozenset[str]] = {
    measure.name: frozenset((*c.TOTAL * measure.total, *measure.categories)) for measure in MEASURES.values()
}
"""Every category that each measure can have; a cell with any other is not valid."""


class Cell(Struct, frozen=True, tag="cell", tag_field="kind", forbid_unknown_fields=True):
    MEANING: ClassVar[str] = "One row of a cell, as published."

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
        # A date that is formatted by its name takes twice the time, and millions of keys are made.
        period, known_on = self.period.isoformat(), self.known_on.isoformat()
        return f"{self.service}|{self.authority}|{self.measure}|{period}|{self.category}|{known_on}"


class Holdings(Struct, frozen=True, forbid_unknown_fields=True):
    MEANING: ClassVar[str] = "How much a service holds: a reader of everything that it published has just as much."

    rows: int
    """How many rows of cells there are."""
    versions: int
    """The sum of their versions."""


class Position(Struct, frozen=True, tag="position", tag_field="kind", forbid_unknown_fields=True):
    MEANING: ClassVar[str] = (
        "Says that all rows up to `version` have been published, and which source offsets they show. "
        "Comes after those rows."
    )

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
    heard_at: Annotated[datetime, Meta(tz=True)] | None
    """When the last event that was taken reached the log; null where none ever was. A refused event is not taken."""
    holds: Holdings | None = None
    """What the service held of the authority at that version; null where that was not counted."""

    @property
    def key(self) -> str:
        return f"position|{self.service}|{self.authority}"


Aggregate = Cell | Position

encode_aggregate = msgspec.json.Encoder().encode
decode_aggregate = msgspec.json.Decoder(Aggregate).decode
"""Decodes an aggregate. Raises msgspec.DecodeError for anything that is not an aggregate of this version."""
