"""Lists of orders at both services: each with the standards that it counts, and for its own authority only."""

from collections.abc import Callable
from datetime import date
from itertools import chain

import pytest

from contracts.codes import Setting, WorkType
from contracts.events import ContactMade, PlacementStarted
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.desk import ManagersView, client
from tests.support.lives import imposed

A, B = "S12000005", "S12000036"
MONDAY, TODAY = date(2025, 3, 3), "2025-03-18"


@pytest.fixture
def views(bench: Callable[[str], Bench]) -> dict[str, ManagersView]:
    """Return both services, as a manager of the first authority sees three orders of whom one has begun work in time, and one of
    another's.
    """
    made = {}
    for name in ("orders", "unpaid_work"):
        sender = Sender(bench(name))
        for number in range(3):
            sender.tell(A, imposed(MONDAY), subject=f"CPO/{number}")
        sender.tell(B, imposed(MONDAY), subject="E/1")
        if name == "orders":
            sender.tell(A, ContactMade(made_on=MONDAY), subject="CPO/1")
        else:
            begun = PlacementStarted(started_on=date(2025, 3, 5), setting=Setting.GROUP, work_type=WorkType.GARDENING)
            sender.tell(A, begun, subject="CPO/1")
        made[name] = ManagersView(client(sender.bench.database, sender.bench.domain, TODAY), A)
    return made


def overdue(view: ManagersView, **asked: object) -> dict[str, set[str]]:
    return {row["subject"]: set(row["overdue"]) for row in view.pages("orders", "orders", **asked)}


def test_each_service_lists_the_standards_that_it_counts(views: dict[str, ManagersView]) -> None:
    work, orders = overdue(views["unpaid_work"]), overdue(views["orders"])
    assert work.keys() == orders.keys() == {f"CPO/{number}" for number in range(3)}
    assert "placement" in work["CPO/0"] and "placement" not in work["CPO/1"]  # noqa: PT018
    assert "first_contact" in orders["CPO/0"] and "first_contact" not in orders["CPO/1"]  # noqa: PT018
    assert not {*chain(*work.values())} & {*chain(*orders.values())}


def test_orders_are_found_by_what_they_missed_at_either_service(views: dict[str, ManagersView]) -> None:
    assert overdue(views["unpaid_work"], missed="placement", limit=1).keys() == {"CPO/0", "CPO/2"}
    assert overdue(views["orders"], missed="first_contact").keys() == {"CPO/0", "CPO/2"}
    assert overdue(views["unpaid_work"], missed="placement", subject="CPO/2").keys() == {"CPO/2"}


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_only_the_orders_that_were_named_and_are_ones_own(service: str, views: dict[str, ManagersView]) -> None:
    view = views[service]
    asked = {"subject": ["CPO/0", "CPO/2", "E/1", "nobody"]}
    found = view.client.get("/v1/orders", params=asked, headers=view.headers).json()["orders"]
    assert {row["subject"] for row in found} == {"CPO/0", "CPO/2"}
    many = view.client.get("/v1/orders", params={"subject": [f"{n}" for n in range(101)]}, headers=view.headers)
    assert many.status_code == 422
