"""What makes services of records the orders service."""

from contracts.events import Topic
from services.orders import contributions, model, rules
from services.records.calendar import Calendar
from services.records.fold import Domain
from services.records.version import rules_version


def domain(calendar: Calendar) -> Domain:
    """Orders hold every fact of their topic."""
    return Domain(
        service="orders",
        kinds=(Topic.ORDERS,),
        own=Topic.ORDERS,
        holds=lambda _: True,
        contributions=contributions.contributions,
        person_month=contributions.person_month,
        calendar=calendar,
        rules=rules_version(calendar, contributions, model, rules),
    )
