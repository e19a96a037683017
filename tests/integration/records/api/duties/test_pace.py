"""Hours at risk and the pace, what is held, and the state of one order, of few facts that a reader can count."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from contracts.codes import Activity, Attendance, EndReason, WorkType
from contracts.events import ContactMade, FactWithdrawn, OrderEnded, PeriodClosed, SessionRecorded
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.desk import ManagersView, client
from tests.support.lives import RECORDED, event, imposed

A = "S12000005"
MONDAY = date(2025, 11, 24)
"""The placement of an order imposed on this day is due on 4 December: St Andrew's Day was observed on the Monday between."""


def session(day: date, minutes: int) -> SessionRecorded:
    return SessionRecorded(
        ref=f"{day}",
        session_on=day,
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=WorkType.GARDENING,
        minutes_credited=minutes,
    )


@pytest.fixture
def sender(bench: Callable[[str], Bench]) -> Sender:
    return Sender(bench("unpaid_work"))


def seen(sender: Sender, today: str) -> ManagersView:
    return ManagersView(client(sender.bench.database, sender.bench.domain, today), A)


def test_the_pace_begins_with_the_first_hours_and_is_not_rounded(sender: Sender) -> None:
    sender.tell(
        A, imposed(date(2025, 9, 1), hours=100), session(date(2025, 10, 20), 225), session(date(2025, 10, 27), 250)
    )
    held = capacity(sender)
    assert (held["since"], held["until"]) == ("2025-10-20", "2025-10-31")
    assert held["hours_credited_a_week"] == pytest.approx(475 / 60 / (12 / 7), abs=1e-9)
    assert held["hours_outstanding"] == pytest.approx(100 - 475 / 60, abs=1e-9)
    sender.tell(A, session(date(2025, 6, 2), 60))
    held = capacity(sender)
    assert held["since"] == "2025-08-01", "it did report before"
    assert held["hours_credited_a_week"] == pytest.approx(475 / 60 / (92 / 7), abs=1e-9)


def capacity(sender: Sender) -> dict[str, Any]:
    found: dict[str, Any] = seen(sender, "2025-11-27").get("capacity")
    return found


def test_an_order_is_not_at_risk_before_its_first_placement_is_due(sender: Sender) -> None:
    sender.tell(A, imposed(MONDAY))
    sender.tell(A, imposed(MONDAY), session(MONDAY + timedelta(days=1), 15), subject="CPO/2")
    due = next(
        one for one in seen(sender, "2025-11-27").get("ledgers/CPO/1")["clocks"] if one["standard"] == "placement"
    )
    last = date.fromisoformat(due["due_on"])
    for day, at_risk, early in ((last, ["CPO/2"], 1), (last + timedelta(days=1), ["CPO/1", "CPO/2"], 0)):
        view = seen(sender, f"{day}")
        found = view.get("at-risk")
        assert ([one["subject"] for one in found["items"]], found["orders"]) == (at_risk, len(at_risk))
        assert found["too_early"] == early
        assert [one["subject"] for one in view.get("worklist")["will_be_late"]] == at_risk
        assert view.get("ledgers/CPO/1")["forecast"]["too_early"] is bool(early)


def test_an_order_of_which_everything_was_withdrawn_is_not_held(bench: Callable[[str], Bench]) -> None:
    orders = Sender(bench("orders"))
    orders.tell(A, imposed(MONDAY), ContactMade(made_on=MONDAY))
    orders.tell(A, ContactMade(made_on=MONDAY), subject="CPO/2")
    before = seen(orders, "2025-11-27").get("held")
    assert [before[name] for name in HELD] == [2, 1, 1, 0]
    later = RECORDED + timedelta(days=1)
    for number, (fact, subject) in enumerate((("imposed", "CPO/1"), ("first_contact", "CPO/2"))):
        orders.send(event(FactWithdrawn(fact=fact), subject, A, 7 + number, later))
    after = seen(orders, "2025-11-27").get("held")
    assert [after[name] for name in HELD] == [1, 0, 1, 1], "of the first its contact is left"
    assert after["first_heard_on"] == before["first_heard_on"] is not None


HELD = ("orders", "orders_open", "orders_not_imposed", "orders_emptied")


def test_why_others_do_not_count_is_said_once_and_of_orders_only(sender: Sender) -> None:
    """Some of those that count in another period are read, and some only counted."""
    sender.tell(A, imposed(MONDAY), session(MONDAY, 60))
    sender.tell(A, imposed(date(2024, 3, 4)), session(date(2024, 3, 5), 60), subject="CPO/2")
    spans = imposed(date(2025, 10, 6)), session(date(2025, 10, 7), 60), session(date(2025, 12, 1), 60)
    sender.tell(A, *spans, subject="CPO/3")
    sender.tell(A, PeriodClosed(month="2024-03", orders_imposed=1, orders_ended=0, minutes_credited=60), subject="-")
    found = seen(sender, "2025-12-08").get("explain", measure="minutes_credited", period="2025-11")
    assert [one["subject"] for one in found["behind"]] == ["CPO/1"]
    assert found["elsewhere"] == [{"reason": "counts in another period", "orders": 2, "examples": ["CPO/3", "CPO/2"]}]


def test_an_order_says_of_its_transfer_what_the_list_says(bench: Callable[[str], Bench]) -> None:
    orders = Sender(bench("orders"))
    left = OrderEnded(ended_on=date(2025, 12, 1), reason=EndReason.TRANSFERRED_OUT)
    orders.tell(A, imposed(MONDAY), left)
    orders.tell(A, imposed(MONDAY), subject="CPO/2")
    view = seen(orders, "2026-03-02")
    listed = view.get("findings")["findings"]
    assert [(one["rule"], one["subject"]) for one in listed] == [("transfer_out_unmatched", "CPO/1")]
    assert view.get("orders/CPO/1")["findings"] == listed
    assert view.get("orders/CPO/2")["findings"] == []
