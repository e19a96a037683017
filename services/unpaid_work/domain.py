"""Turns the shared engine of records into the unpaid work service."""

from collections.abc import Mapping

from contracts.events import (
    WHOLE_ORDER,
    Fact,
    HoursAdjusted,
    InductionHeld,
    OrderEnded,
    OrderImposed,
    OrderReceived,
    PeriodClosed,
    PlacementStarted,
    RequirementVaried,
    SessionRecorded,
    Topic,
    TransferReceived,
    WorkCompleted,
)
from services.records.model import summary
from services.records.model.calendar import Calendar
from services.records.model.domain import Domain
from services.records.model.record import name_of
from services.records.model.rules_version import rules_version
from services.unpaid_work import contributions

_HELD: tuple[type[Fact], ...] = (
    OrderImposed, OrderEnded, OrderReceived, TransferReceived, RequirementVaried, PeriodClosed,
    InductionHeld, PlacementStarted, SessionRecorded, HoursAdjusted, WorkCompleted,
)  # fmt: skip
_KEYS = {fact.KEY for fact in _HELD} | {WHOLE_ORDER}


def domain(calendar: Calendar, local: Mapping[str, Calendar] | None = None) -> Domain:
    """Return the domain of unpaid work: its own facts, and those of the orders topic on which clocks and hours depend."""
    return Domain(
        service="unpaid_work",
        kinds=(Topic.ORDERS, Topic.UNPAID_WORK),
        own=Topic.UNPAID_WORK,
        holds=lambda key: name_of(key) in _KEYS,
        counting=contributions.COUNTING,
        stay=lambda _: None,
        stay_keys=frozenset(),
        calendar=calendar,
        local=local or {},
        rules=rules_version(calendar, contributions.__name__, summary.__name__),
    )
