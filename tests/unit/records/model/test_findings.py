"""Every rule found where it is broken, and nothing found in an order that is in order."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec import structs

from contracts.categories import FINDINGS
from contracts.codes import Activity, AdjustmentReason, Attendance, BreachOutcome, EndReason, LateReason, WorkType
from contracts.decoding.codec import Event
from contracts.events import (
    BreachDecided,
    BreachLodged,
    ContactMade,
    Fact,
    FactWithdrawn,
    HoursAdjusted,
    InductionHeld,
    OrderEnded,
    SessionRecorded,
    TransferAnswered,
    TransferReceived,
    TransferRequested,
    WorkCompleted,
)
from services.orders import findings as orders
from services.orders.contributions import COUNTING as ORDERS_COUNTING
from services.records.model.bank_holidays import scotland
from services.records.model.counting import Counted, Counting
from services.records.model.record import apply
from services.unpaid_work import findings as unpaid_work
from services.unpaid_work.contributions import COUNTING as UNPAID_WORK_COUNTING
from tests.support.lives import RECORDED, event, imposed, record

START = date(2025, 3, 3)
IMPOSED = imposed(START, hours=20)


def session(day: int, minutes: int, activity: Activity = Activity.UNPAID_WORK) -> SessionRecorded:
    return SessionRecorded(
        ref=f"s{day}",
        session_on=date(2025, 4, day),
        attendance=Attendance.ATTENDED,
        activity=activity,
        work_type=WorkType.GARDENING,
        minutes_credited=minutes,
    )


def ended(on: date, reason: EndReason = EndReason.COMPLETED) -> OrderEnded:
    return OrderEnded(ended_on=on, reason=reason)


WORKED = [session(1, 600), session(2, 600)]
"""Twenty hours."""
ADJUSTED = HoursAdjusted(ref="a1", adjusted_on=date(2025, 4, 9), minutes=30, reason=AdjustmentReason.TRAVEL)
COMPLETED = WorkCompleted(completed_on=date(2025, 4, 10))
DECIDED = BreachDecided(ref="b1", decided_on=date(2025, 5, 1), outcome=BreachOutcome.NO_FURTHER_ACTION)
LODGED = BreachLodged(ref="b1", decided_on=date(2025, 4, 1), lodged_on=date(2025, 4, 2))
ASKED = TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to="S12000036")
ANSWERED = TransferAnswered(ref="t1", answered_on=date(2025, 4, 4), accepted=False)
ARRIVED = TransferReceived(received_on=START, from_="S12000036", from_subject="CPO/9")
SAID = ContactMade(made_on=date(2025, 3, 4), late_reason=LateReason.TRANSFERRED_IN)

EARLY_BREACH = BreachLodged(ref="b9", decided_on=date(2025, 3, 2), lodged_on=date(2025, 3, 4))
EARLY_INDUCTION = InductionHeld(held_on=date(2024, 12, 31))
EARLY_COMPLETION = WorkCompleted(completed_on=date(2025, 3, 2))

Expected = list[tuple[str, str, tuple[str, ...]]]

ORDERS: list[tuple[list[Fact], Expected]] = [
    ([IMPOSED, LODGED, DECIDED, ASKED, ANSWERED, ended(date(2026, 1, 1))], []),
    ([ContactMade(made_on=START)], [("facts_without_order", "2025-03-03", ("first_contact",))]),
    ([IMPOSED, ended(START)], []),
    ([IMPOSED, ended(date(2025, 3, 2))], [("end_before_imposition", "2025-03-02", ("imposed", "ended"))]),
    ([IMPOSED, ContactMade(made_on=START)], []),
    ([IMPOSED, ContactMade(made_on=date(2024, 3, 4))], [("fact_before_imposition", "2024-03-04", ("first_contact",))]),
    (
        [IMPOSED, ContactMade(made_on=date(2024, 3, 4)), ended(START)],
        [("fact_before_imposition", "2024-03-04", ("first_contact",))],
    ),
    ([IMPOSED, EARLY_BREACH], [("fact_before_imposition", "2025-03-02", ("breach/b9",))]),
    (
        [IMPOSED, structs.replace(ARRIVED, received_on=date(2025, 3, 2))],
        [("fact_before_imposition", "2025-03-02", ("transferred_in",))],
    ),
    ([IMPOSED, DECIDED], [("decision_without_application", "2025-05-01", ("breach_decision/b1",))]),
    ([IMPOSED, ANSWERED], [("answer_without_request", "2025-04-04", ("transfer_answer/t1",))]),
    ([DECIDED, FactWithdrawn(fact="order")], []),
    ([IMPOSED, SAID], [("transferred_in_not_told", "2025-03-04", ("first_contact",))]),
    ([IMPOSED, SAID, ARRIVED], []),
    ([structs.replace(IMPOSED, outside_jurisdiction=True), SAID], []),
]

UNPAID_WORK: list[tuple[list[Fact], Expected]] = [
    ([IMPOSED, *WORKED, COMPLETED, ended(date(2025, 4, 10))], []),
    ([IMPOSED, session(1, 60)], []),
    (
        [structs.replace(IMPOSED, imposed_on=date(2025, 4, 2)), session(1, 60), session(2, 60)],
        [("fact_before_imposition", "2025-04-01", ("session/s1",))],
    ),
    ([IMPOSED, EARLY_INDUCTION], [("fact_before_imposition", "2024-12-31", ("induction",))]),
    (
        [IMPOSED, ADJUSTED, EARLY_COMPLETION],
        [
            ("fact_before_imposition", "2025-03-02", ("work_completed",)),
            ("completed_with_less_credit", "2025-03-02", ("work_completed",)),
        ],
    ),
    ([*WORKED], [("session_without_order", "2025-04-01", ("session/s1", "session/s2"))]),
    ([*WORKED, FactWithdrawn(fact="order")], []),
    ([IMPOSED, *WORKED, ended(date(2025, 4, 1))], [("credit_after_end", "2025-04-02", ("session/s2",))]),
    ([IMPOSED, *WORKED, ADJUSTED], [("credit_above_ordered", "2025-04-09", ("adjustment/a1",))]),
    (  # only the adjustment's own minutes are more than were left
        [IMPOSED, session(1, 600), session(2, 580), ADJUSTED],
        [("credit_above_ordered", "2025-04-09", ("adjustment/a1",))],
    ),
    ([IMPOSED, session(1, 360, Activity.OTHER_ACTIVITY)], []),  # 30 % of 20 hours
    (
        [IMPOSED, session(1, 300, Activity.OTHER_ACTIVITY), session(2, 61, Activity.OTHER_ACTIVITY)],
        [("other_activity_above_limit", "2025-04-02", ("session/s1", "session/s2"))],
    ),
    ([imposed(START, hours=300), *(session(day, 600, Activity.OTHER_ACTIVITY) for day in (1, 2, 3))], []),  # 30 hours
    (
        [imposed(START, hours=300), *(session(day, 451, Activity.OTHER_ACTIVITY) for day in (1, 2, 3, 4))],
        [("other_activity_above_limit", "2025-04-04", ("session/s1", "session/s2", "session/s3", "session/s4"))],
    ),
    ([IMPOSED, session(1, 600), COMPLETED], [("completed_with_less_credit", "2025-04-10", ("work_completed",))]),
    ([IMPOSED, ARRIVED, session(1, 600), COMPLETED], []),  # what was credited before the transfer is not known here
    (
        [IMPOSED, session(1, 600), ended(date(2025, 6, 1))],
        [("completed_order_with_credit_outstanding", "2025-06-01", ("ended",))],
    ),
    ([IMPOSED, session(1, 600), ended(date(2025, 6, 1), EndReason.REVOKED_BREACH)], []),
]


@pytest.mark.parametrize(("told", "expected"), ORDERS)
def test_orders(told: list[Fact], expected: Expected) -> None:
    assert [(f.rule.code, f"{f.on}", f.facts) for f in orders.findings(record(*told))] == expected


@pytest.mark.parametrize(("told", "expected"), UNPAID_WORK)
def test_unpaid_work(told: list[Fact], expected: Expected) -> None:
    assert [(f.rule.code, f"{f.on}", f.facts) for f in unpaid_work.findings(record(*told))] == expected


@pytest.mark.parametrize("order", [list, reversed], ids=["as told", "backwards"])
@pytest.mark.parametrize(
    ("counting", "told"),
    [
        *((ORDERS_COUNTING, told) for told, _ in ORDERS),
        *((UNPAID_WORK_COUNTING, told) for told, _ in UNPAID_WORK),
    ],
)
def test_what_comes_or_goes_leaves_what_the_whole_record_gives(
    counting: Counting[Any], told: list[Fact], order: Callable[[list[Fact]], Iterable[Fact]]
) -> None:
    """A part that looks only at what changed finds no less, also where the fact that another needs is withdrawn."""
    held = counting.counted({}, scotland())
    for fact in order(told):
        held = _with(counting, held, event(fact))
    for key in held.record:
        _with(counting, held, event(FactWithdrawn(fact=key), recorded=RECORDED + timedelta(days=1)))


def _with(counting: Counting[Any], held: Counted, told: Event) -> Counted:
    after = dict(held.record)
    apply(after, told)
    changed = counting.change({}, held, after, (told.data.key,), scotland())
    assert changed.parts == counting.counted(after, scotland()).parts
    return changed


def test_every_rule_is_tried_and_stands_in_the_contract() -> None:
    tried = {code for _, expected in ORDERS + UNPAID_WORK for code, _, _ in expected}
    assert tried == set(FINDINGS) == {rule.code for rule in (*orders.RULES, *unpaid_work.RULES)}
