"""Turns the shared engine of records into the orders service."""

from collections.abc import Mapping

from contracts.events import Topic
from services.orders import contributions
from services.records.model import people, summary
from services.records.model.calendar import Calendar
from services.records.model.domain import Domain
from services.records.model.record import VOIDING
from services.records.model.rules_version import rules_version


def domain(calendar: Calendar, local: Mapping[str, Calendar] | None = None) -> Domain:
    """Return the domain of orders, which hold every fact of their topic."""
    return Domain(
        service="orders",
        kinds=(Topic.ORDERS,),
        own=Topic.ORDERS,
        holds=lambda _: True,
        counting=contributions.COUNTING,
        stay=contributions.stay_of,
        stay_keys=frozenset({"imposed", "transferred_in", "ended"}) | VOIDING,
        calendar=calendar,
        local=local or {},
        rules=rules_version(calendar, contributions.__name__, summary.__name__, people.__name__),
    )
