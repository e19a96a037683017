"""A service with an authority's own calendar, and the service without it."""

from datetime import date

from contracts.events import ContactMade
from services.orders.domain import domain as orders
from services.records.model.calendar import Calendar
from services.unpaid_work.domain import domain as unpaid_work
from tests.support.lives import imposed, record

ALL = Calendar("all", frozenset())
OWN = ALL.without([date(2025, 3, 4)], "own")
GLASGOW, FIFE = "S12000049", "S12000047"
LATE = record(imposed(date(2025, 3, 3)), ContactMade(made_on=date(2025, 3, 5)))
"""Two working days after its imposition, or one where the day between is closed."""


def test_an_authority_with_closed_days_counts_by_its_own_calendar() -> None:
    domain = orders(ALL, {GLASGOW: OWN})
    band = {("first_contact", date(2025, 3, 1), f"band={name}") for name in ("within_1", "2_to_5")}
    assert [band & domain.of(code).contributions(LATE).keys() for code in (GLASGOW, FIFE)] == [
        {("first_contact", date(2025, 3, 1), "band=within_1")},
        {("first_contact", date(2025, 3, 1), "band=2_to_5")},
    ]


def test_its_cells_are_counted_again_when_only_its_calendar_changes() -> None:
    domain = orders(ALL, {GLASGOW: OWN})
    assert domain.of(FIFE) is domain
    assert domain.of(GLASGOW).calendar is OWN
    assert domain.of(GLASGOW).rules == f"{domain.rules} own"
    assert domain.of(GLASGOW).of(GLASGOW).rules == domain.of(GLASGOW).rules


def test_only_the_service_that_reads_both_topics_follows_counters() -> None:
    assert (orders(ALL).follows_counters, unpaid_work(ALL).follows_counters) == (False, True)
