"""Contradictions between the facts of an order, pure."""

from collections.abc import Collection, Iterable
from datetime import date

from contracts.codes import LateReason
from contracts.events import FACTS, BreachDecided, BreachLodged, Fact, TransferAnswered, TransferRequested
from services.orders.model import Order, order_of
from services.records.model.findings import BEFORE_IMPOSITION, Finding, Rule, dated, first_day, found
from services.records.model.record import Entry, Record, facts, is_void

WITHOUT_ORDER = Rule(
    "facts_without_order",
    "Facts about an order that was never reported as imposed.",
    "Send order.imposed for this reference, or withdraw the order if the reference is wrong.",
)
END_BEFORE_IMPOSITION = Rule(
    "end_before_imposition",
    "The order ended before it was imposed.",
    "Correct imposed_on or ended_on: send the same event again with the right date and a later time.",
)
DECISION_WITHOUT_APPLICATION = Rule(
    "decision_without_application",
    "A decision on breach without an application with the same ref.",
    "Send breach.lodged with the ref of the decision, or correct the ref.",
)
ANSWER_WITHOUT_REQUEST = Rule(
    "answer_without_request",
    "An answer to a transfer without a request with the same ref.",
    "Send transfer.requested with the ref of the answer, or correct the ref.",
)
TRANSFERRED_IN_NOT_TOLD = Rule(
    "transferred_in_not_told",
    "Only a reason says that the order was transferred in: it counts as imposed here, and may count elsewhere too.",
    "Send transfer.received; for an order from outside Scotland, order.imposed with outside_jurisdiction; or correct the reason.",
)
RULES = (
    WITHOUT_ORDER,
    END_BEFORE_IMPOSITION,
    BEFORE_IMPOSITION,
    DECISION_WITHOUT_APPLICATION,
    ANSWER_WITHOUT_REQUEST,
    TRANSFERRED_IN_NOT_TOLD,
)


def findings(record: Record) -> list[Finding]:
    """Return every rule that the record breaks; none for an order withdrawn as a whole."""
    return findings_of(record, order_of(record))


def findings_of(record: Record, order: Order | None) -> list[Finding]:
    """Return the findings of a record whose order is already known."""
    if order is None:
        return [] if is_void(record) else found(WITHOUT_ORDER, dated(record))
    if _are_clean(record.values(), order):
        return []
    return [
        *_end_before_imposition(order),
        *found(BEFORE_IMPOSITION, [(on, key) for on, key in dated(record) if on < order.imposed_on and key != "ended"]),
        *_decisions(record),
        *_answers(record),
        *([] if order.excluded else found(TRANSFERRED_IN_NOT_TOLD, _said_in_a_reason(record))),
    ]


def break_nothing(record: Record, order: Order | None, changed: Collection[str]) -> bool:
    """Return whether these facts of a record that broke no rule show by themselves that it still breaks none. A fact that was withdrawn
    may have been needed by another.
    """
    entries = [record[key] for key in changed]
    return order is not None and all(entry.data for entry in entries) and _are_clean(entries, order)


def _are_clean(entries: Iterable[Entry], order: Order) -> bool:
    """Return whether a look at each fact by itself shows that it breaks no rule, which is so for nearly every record."""
    begun = order.imposed_on
    for entry in entries:
        data = entry.data
        if data is None:
            continue
        kind = type(data)
        if (
            kind in _ANSWERING
            or (kind.DATES and first_day(data) < begun)
            or (kind in _WITH_REASON and _came_over(data))
        ):
            return False
    return True


def _end_before_imposition(order: Order) -> list[Finding]:
    if order.ended_on is None or order.ended_on >= order.imposed_on:
        return []
    return [Finding(END_BEFORE_IMPOSITION, order.ended_on, ("imposed", "ended"))]


def _decisions(record: Record) -> list[Finding]:
    decided = facts(record, BreachDecided)
    lodged = {application.ref for application in facts(record, BreachLodged)} if decided else set()
    return found(DECISION_WITHOUT_APPLICATION, [(d.decided_on, d.key) for d in decided if d.ref not in lodged])


def _answers(record: Record) -> list[Finding]:
    answered = facts(record, TransferAnswered)
    asked = {request.ref for request in facts(record, TransferRequested)} if answered else set()
    return found(ANSWER_WITHOUT_REQUEST, [(a.answered_on, a.key) for a in answered if a.ref not in asked])


def _said_in_a_reason(record: Record) -> list[tuple[date, str]]:
    return [
        (getattr(data, data.DATES[0]), key)
        for key, entry in record.items()
        if (data := entry.data) is not None and type(data) in _WITH_REASON and _came_over(data)
    ]


def _came_over(data: Fact) -> bool:
    return data.late_reason is LateReason.TRANSFERRED_IN  # type: ignore[attr-defined]


_ANSWERING = frozenset({BreachDecided, TransferAnswered})
"""Facts that answer another, which must be there."""
_WITH_REASON = frozenset(kind for kind in FACTS.values() if "late_reason" in kind.__struct_fields__)
