"""What makes services of records the unpaid work service."""

from contracts.events import (
    WHOLE_ORDER,
    Fact,
    HoursAdjusted,
    InductionHeld,
    OrderEnded,
    OrderImposed,
    PlacementStarted,
    RequirementVaried,
    SessionRecorded,
    Topic,
    TransferReceived,
    WorkCompleted,
)
from services.records.calendar import Calendar
from services.records.fold import Domain
from services.records.version import rules_version
from services.unpaid_work import contributions, model, rules

_HELD: tuple[type[Fact], ...] = (
    OrderImposed, OrderEnded, TransferReceived, RequirementVaried,
    InductionHeld, PlacementStarted, SessionRecorded, HoursAdjusted, WorkCompleted,
)  # fmt: skip
_KEYS = {fact.KEY for fact in _HELD} | {WHOLE_ORDER}


def domain(calendar: Calendar) -> Domain:
    """Unpaid work holds its own facts, and of the orders topic what clocks and hours depend on."""
    return Domain(
        service="unpaid_work",
        kinds=(Topic.ORDERS, Topic.UNPAID_WORK),
        own=Topic.UNPAID_WORK,
        holds=lambda key: key.partition("/")[0] in _KEYS,
        contributions=contributions.contributions,
        person_month=lambda _: None,
        calendar=calendar,
        rules=rules_version(calendar, contributions, model, rules),
    )
