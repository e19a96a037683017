"""Transfers told by one authority and not, after its time, by the other. Pairs are matched by the reference at the origin.

`left_on` and `came_from` of a record say that it was transferred out, or in and from which order. Each order counts once in
Scotland because one that was transferred in does not count as imposed; a pair that does not match may have been counted
twice or never, so it is found out here, on each side that knows of it.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import Connection, text

from contracts.authorities import current_code
from contracts.events import TransferAnswered, TransferReceived, TransferRequested
from services.orders.schemas import OtherSide
from services.records.api.order_schemas import FindingView, Today
from services.records.model.findings import Rule
from services.records.model.record import Record, fact, facts
from services.records.model.standards import Length, in_force

OUT = Rule(
    "transfer_out_unmatched",
    "The order was transferred out, and no authority reports that it received it.",
    "Ask the other authority for transfer.received with your code and this reference; or correct the end of the order.",
)
IN = Rule(
    "transfer_in_unmatched",
    "The order was received by transfer, and the authority named does not report that it transferred such an order.",
    "Check from and from_subject of transfer.received; or ask the other authority for order.imposed and order.ended.",
)
TWICE = Rule(
    "transfer_in_twice",
    "Another order is said to have come from the same order by transfer.",
    "Check from and from_subject of transfer.received here, or ask the other authority to.",
)
CIRCLE = Rule(
    "transfer_in_circle",
    "The order came back under the reference that it left with, so that no authority counts it as imposed.",
    "Report an order that comes back under a new reference; withdraw transferred_in from the one that left.",
)
PERHAPS_TWICE = Rule(
    "transfer_perhaps_counted_twice",
    "One authority asked another to take an order, and the other has one of the same day and terms that does not say where it "
    "came from: if they are the same, both count it as imposed.",
    "If they are the same, the authority that took it sends transfer.received; if not, the one that asked sends transfer.answered.",
)
_OUT = text(
    "SELECT o.subject, o.left_on FROM records o WHERE o.authority = :authority AND o.left_on < :before AND NOT EXISTS "
    "(SELECT FROM records i WHERE i.came_from = o.authority || '/' || o.subject) ORDER BY o.left_on, o.subject LIMIT 1000"
)
_IN = text(
    "SELECT i.subject, i.came_from, CAST(i.facts -> 'transferred_in' -> 3 ->> 'received_on' AS date) AS received_on "
    "FROM records i WHERE i.authority = :authority AND i.came_from IS NOT NULL AND NOT EXISTS "
    "(SELECT FROM records o WHERE o.authority = substr(i.came_from, 1, 9) AND o.subject = substr(i.came_from, 11) "
    "AND o.left_on IS NOT NULL) ORDER BY received_on, i.subject LIMIT 1000"
)
_TWICE = text(
    "SELECT i.subject, i.imposed_on, o.authority AS other FROM records i JOIN records o ON o.came_from = i.came_from "
    "AND (o.authority, o.subject) <> (i.authority, i.subject) WHERE i.authority = :authority ORDER BY i.subject LIMIT 1000"
)
_CIRCLE = text(
    "SELECT i.subject, i.imposed_on, i.came_from FROM records i JOIN records o ON o.came_from = i.authority || '/' || i.subject "
    "AND o.authority || '/' || o.subject = i.came_from WHERE i.authority = :authority AND i.came_from IS NOT NULL "
    "ORDER BY i.subject LIMIT 1000"
)
_PERHAPS_TWICE = text(
    "SELECT o.authority, o.subject, o.asked_of, o.asked_on, i.subject AS taken_as FROM records o "
    "JOIN records i ON i.authority = o.asked_of AND i.imposed_on = o.imposed_on AND i.came_from IS NULL "
    "CROSS JOIN LATERAL (SELECT o.facts -> 'imposed' -> 3, i.facts -> 'imposed' -> 3) AS t (there, here) "
    "WHERE o.asked_of IS NOT NULL AND (o.authority = :authority OR o.asked_of = :authority) AND o.asked_on < :before "
    "AND there ->> 'court_type' = here ->> 'court_type' AND there ->> 'sex' = here ->> 'sex' "
    "AND there ->> 'age_at_imposition' = here ->> 'age_at_imposition' "
    "AND CAST(there -> 'requirements' AS jsonb) = CAST(here -> 'requirements' AS jsonb) "
    "AND NOT EXISTS (SELECT FROM records t WHERE t.came_from = o.authority || '/' || o.subject) "
    "ORDER BY o.asked_on, o.authority, o.subject LIMIT 1000"
)


def _asked(authority: str, now: Today) -> dict[str, object]:
    return {"authority": authority, "before": now.day - timedelta(days=_limit(now).number)}


def _is_over(since: date, now: Today) -> bool:
    return not _limit(now).holds(since, now.day, now.calendar)


def _limit(now: Today) -> Length:
    return in_force("transfer_match", now.day).limit


def _out(connection: Connection, authority: str, now: Today) -> Iterator[FindingView]:
    for subject, left_on in connection.execute(_OUT, _asked(authority, now)):
        if _is_over(left_on, now):
            yield FindingView.about(subject, OUT, left_on, facts=("ended",))


def _in(connection: Connection, authority: str, now: Today) -> Iterator[FindingView]:
    for subject, came_from, received_on in connection.execute(_IN, {"authority": authority}):
        if _is_over(received_on, now):
            detail = f"said to come from {came_from}"
            yield FindingView.about(subject, IN, received_on, facts=("transferred_in",), detail=detail)


def _both_count(connection: Connection, authority: str, now: Today) -> Iterator[FindingView]:
    for row in connection.execute(_PERHAPS_TWICE, _asked(authority, now)):
        if _is_over(row.asked_on, now):
            yield _perhaps_twice(authority, *row)


def _twice(connection: Connection, authority: str, now: Today) -> Iterator[FindingView]:
    for subject, imposed_on, other in connection.execute(_TWICE, {"authority": authority}):
        detail = f"the other one is an order of {other}"
        yield FindingView.about(subject, TWICE, imposed_on or now.day, facts=("transferred_in",), detail=detail)


def _circle(connection: Connection, authority: str, now: Today) -> Iterator[FindingView]:
    for subject, imposed_on, other in connection.execute(_CIRCLE, {"authority": authority}):
        detail = f"said to come from {other}, which is said to come from it"
        yield FindingView.about(subject, CIRCLE, imposed_on or now.day, facts=("transferred_in",), detail=detail)


def _perhaps_twice(
    authority: str, origin: str, subject: str, asked_of: str, asked_on: date, taken_as: str
) -> FindingView:
    """Only the authority that was asked is told the other's reference: it needs it, and the transfer would have told it."""
    if authority == origin:
        return FindingView.about(subject, PERHAPS_TWICE, asked_on, detail=f"asked of {asked_of}")
    return FindingView.about(
        taken_as, PERHAPS_TWICE, asked_on, facts=("imposed",), detail=f"{subject} of {origin} may be the same"
    )


UNMATCHED = {
    OUT.code: _out,
    IN.code: _in,
    PERHAPS_TWICE.code: _both_count,
    TWICE.code: _twice,
    CIRCLE.code: _circle,
}
"""By rule: transfers of an authority that the two sides have not told alike in time, and what can never be so."""


_TAKEN_BY = text("SELECT authority, subject FROM records WHERE came_from = :reference ORDER BY authority, subject")
_LEFT = text("SELECT left_on IS NOT NULL FROM records WHERE authority = :authority AND subject = :subject")


def other_sides(connection: Connection, authority: str, subject: str, record: Record) -> list[OtherSide]:
    """The order as it is told elsewhere."""
    sides = []
    arrived = fact(record, "transferred_in", TransferReceived)
    if arrived is not None:
        origin = current_code(arrived.from_)
        left = connection.scalar(_LEFT, {"authority": origin, "subject": arrived.from_subject})
        sides.append(OtherSide(direction="in", authority=origin, subject=arrived.from_subject, matched=bool(left)))
    taken = connection.execute(_TAKEN_BY, {"reference": f"{authority}/{subject}"}).all()
    sides += [OtherSide(direction="out", authority=code, subject=there, matched=True) for code, there in taken]
    if not taken:
        accepted = {answer.ref for answer in facts(record, TransferAnswered) if answer.accepted}
        asked = [request.to for request in facts(record, TransferRequested) if request.ref in accepted]
        sides += [OtherSide(direction="out", authority=current_code(to), subject=None, matched=False) for to in asked]
    return sides
