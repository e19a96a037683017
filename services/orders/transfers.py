"""Transfers that one authority has reported and the other, in the time it has, has not. Pairs are matched by the reference at the origin.

`left_on` and `came_from` of a record say that it was transferred out, or in and from which order. An order that was transferred in does not
count as imposed, so that each order counts once in Scotland. A pair that does not match may have been counted twice or never; it is found
here, on each side that knows of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from contracts.authorities import AUTHORITIES, codes_of, current_code
from contracts.events import TransferAnswered, TransferReceived, TransferRequested
from services.orders.schemas import OtherSide
from services.records.api.findings.everything import Compared, Subjects
from services.records.api.order_schemas import FindingView, Today
from services.records.model.findings import Rule
from services.records.model.record import Record, fact, facts
from services.records.model.standards import Length, in_force

OUT = Rule(
    "transfer_out_unmatched",
    "The order was transferred out, but no authority reports receiving it.",
    "Ask the other authority for transfer.received with your code and this reference; or correct the end of the order.",
)
IN = Rule(
    "transfer_in_unmatched",
    "The order was received by transfer, but the authority named does not report transferring it here.",
    "Check from and from_subject of transfer.received; or ask the other authority for order.imposed, transfer.requested to you, and "
    "order.ended.",
)
TWICE = Rule(
    "transfer_in_twice",
    "Two orders were reported as transferred from the same order.",
    "Check from and from_subject in both transfer.received events.",
)
OUT_TWICE = Rule(
    "transfer_out_twice",
    "The order was transferred out, and more than one order was reported as transferred from it.",
    "Ask the authorities that report it to check from and from_subject of transfer.received.",
)
CIRCLE = Rule(
    "transfer_in_circle",
    "The order came back under the reference that it left with, so no authority counts it as imposed.",
    "Report an order that comes back under a new reference; withdraw transferred_in from the one that left.",
)
PERHAPS_TWICE = Rule(
    "transfer_perhaps_counted_twice",
    "Another authority asked this one to take an order, and this one has an order of the same day and terms that does not say where "
    "it came from: if they are the same, both count it as imposed.",
    "If they are the same, send transfer.received; if not, ask the other authority to send transfer.answered.",
)
MOST_ASKED, MOST_CLAIMED = 50, 10
"""Another authority's orders that are looked at, however many it makes up: of its requests that nobody refused or took up, the latest; and
of those that are said to come from one order, any. Looking at one costs up to 6 ms, if it has as many facts as may be.
"""
NAMING_US = "naming_us"
"""Orders of any authority that name the one that asks: see services/records/ingest/guarding/walls.py."""
_OUT = (
    "SELECT o.subject, o.left_on, told.keys, told.known_on FROM records o CROSS JOIN LATERAL "
    "(SELECT array_agg(f.key ORDER BY f.key) AS keys, max(CAST(f.value ->> 4 AS date)) AS known_on FROM json_each(o.facts) f "
    "WHERE f.key = 'ended' AND f.value -> 3 ->> 'reason' = 'transferred_out' "
    "OR f.key LIKE 'transfer_answer/%' AND f.value -> 3 ->> 'accepted' = 'true') told "
    "WHERE o.authority = :authority AND o.left_on < :before{of_o} AND NOT EXISTS "
    "(SELECT FROM {others} i WHERE i.came_from = o.authority || '/' || o.subject) ORDER BY o.left_on, o.subject LIMIT 1000"
)
_IN = (
    "SELECT i.subject, i.came_from, CAST(i.facts -> 'transferred_in' -> 3 ->> 'received_on' AS date) AS received_on, "
    "CAST(i.facts -> 'transferred_in' ->> 4 AS date) AS known_on "
    "FROM records i WHERE i.authority = :authority AND i.came_from IS NOT NULL{of_i} AND NOT coalesce("
    "(SELECT o.left_on IS NOT NULL AND (:whole OR EXISTS (SELECT FROM json_each(o.facts) f WHERE f.key LIKE 'transfer/%' "
    "AND f.value -> 3 ->> 'to' = ANY(:codes))) FROM {others} o WHERE o.authority = substr(i.came_from, 1, 9) "
    "AND o.subject = substr(i.came_from, 11)), false) ORDER BY received_on, i.subject LIMIT 1000"
)
"""A subquery of one value is looked up for each order; as a join, PostgreSQL may read all orders of the other authority instead."""
_TWICE = (
    "SELECT i.subject, i.imposed_on, o.authority AS other, CAST(greatest(i.facts -> 'transferred_in' ->> 4, "
    "o.facts -> 'transferred_in' ->> 4) AS date) AS known_on FROM records i JOIN records o ON o.came_from = i.came_from "
    "AND (o.authority, o.subject) <> (i.authority, i.subject) AND (:whole OR o.authority = i.authority) "
    "WHERE i.authority = :authority{of_i} ORDER BY i.subject LIMIT 1000"
)
_OUT_TWICE = (
    "SELECT o.subject, o.imposed_on, array_agg(DISTINCT i.authority ORDER BY i.authority) AS others, "
    "CAST(max(i.facts -> 'transferred_in' ->> 4) AS date) AS known_on FROM records o "
    "CROSS JOIN LATERAL (SELECT i.authority, i.facts FROM {others} i WHERE i.came_from = o.authority || '/' || o.subject "
    "LIMIT {claimed}) i WHERE o.authority = :authority AND o.left_on IS NOT NULL{of_o} "
    "GROUP BY o.subject, o.imposed_on HAVING count(*) > 1 ORDER BY o.subject LIMIT 1000"
)
_CIRCLE = (
    "SELECT i.subject, i.imposed_on, i.came_from, CAST(greatest(i.facts -> 'transferred_in' ->> 4, "
    "o.facts -> 'transferred_in' ->> 4) AS date) AS known_on "
    "FROM records i JOIN {others} o ON o.came_from = i.authority || '/' || i.subject "
    "AND o.authority || '/' || o.subject = i.came_from WHERE i.authority = :authority AND i.came_from IS NOT NULL{of_i} "
    "ORDER BY i.subject LIMIT 1000"
)
_PERHAPS_TWICE = (
    "WITH asking AS MATERIALIZED (SELECT o.* FROM unnest(CAST(:every AS text[])) AS w (code) CROSS JOIN LATERAL "
    "(SELECT o.authority, o.subject, o.asked_on, o.imposed_on, o.facts FROM {others} o "
    "WHERE o.asked_of = :authority AND o.authority = w.code AND o.asked_on < :before "
    "AND NOT EXISTS (SELECT FROM records t WHERE t.came_from = o.authority || '/' || o.subject "
    "AND (:whole OR t.authority = :authority)) ORDER BY o.asked_on DESC LIMIT {asked}) o "
    "WHERE EXISTS (SELECT FROM records i WHERE i.authority = :authority AND i.imposed_on = o.imposed_on{of_i})), "
    "stated AS MATERIALIZED (SELECT authority, subject, asked_on, imposed_on, told.* FROM asking CROSS JOIN LATERAL "
    "(SELECT (array_agg(f.value) FILTER (WHERE f.key = 'imposed'))[1] -> 3 AS there, max(f.value ->> 4) AS known_on "
    "FROM json_each(facts) f WHERE f.key = 'imposed' OR f.key LIKE 'transfer/%') told) "
    "SELECT o.authority, o.subject, o.asked_on, i.subject AS taken_as, "
    "CAST(greatest(i.facts -> 'imposed' ->> 4, o.known_on) AS date) AS known_on "
    "FROM stated o JOIN records i ON i.authority = :authority AND i.imposed_on = o.imposed_on AND i.came_from IS NULL{of_i} "
    "CROSS JOIN LATERAL (SELECT i.facts -> 'imposed' -> 3) AS t (here) "
    "WHERE there ->> 'court_type' = here ->> 'court_type' AND there ->> 'sex' = here ->> 'sex' "
    "AND there ->> 'age_at_imposition' = here ->> 'age_at_imposition' "
    "AND CAST(there -> 'requirements' AS jsonb) = CAST(here -> 'requirements' AS jsonb) "
    "ORDER BY o.asked_on, o.authority, o.subject LIMIT 1000"
)
"""Shown to the authority that was asked, since the other one named it. The one that asked must not see it: by inventing requests, it could
find out which orders the other has.
"""


_OF = {"of_o": " AND o.subject = ANY(:subjects)", "of_i": " AND i.subject = ANY(:subjects)"}
"""Limit a query to orders that are asked about."""


@dataclass(frozen=True, slots=True)
class Asker:
    """The authority on whose behalf transfers are matched."""

    authority: str
    whole: bool = False
    """Whether records count that do not name the authority; for inspectors only."""
    subjects: Subjects = None

    def ask(self, connection: Connection, query: str, now: Today) -> Iterable[Any]:
        """Return the rows of a query. The other side is sought only among records that name the authority, unless all count."""
        before = now.day - timedelta(days=_limit(now).number)
        given = {"authority": self.authority, "codes": codes_of(self.authority), "whole": self.whole, "before": before}
        given["every"] = list(AUTHORITIES)
        of = dict.fromkeys(_OF, "") if self.subjects is None else _OF
        named = {} if self.subjects is None else {"subjects": list(self.subjects)}
        bounds = {"asked": MOST_ASKED, "claimed": MOST_CLAIMED}
        query = query.format(others="records" if self.whole else NAMING_US, **of, **bounds)
        return connection.execute(text(query), given | named)


def _limit(now: Today) -> Length:
    return in_force("transfer_match", now.day).limit


def _late(begun: date, known_on: date, now: Today) -> date | None:
    """Return since when it is known that the other side had not told in time; None while it has time."""
    if _limit(now).holds(begun, now.day, now.calendar):
        return None
    over = now.calendar.after(_limit(now).after(begun, now.calendar), 1)
    return max(known_on, min(over, now.day))


def _out(connection: Connection, asker: Asker, now: Today) -> Iterator[FindingView]:
    for subject, left_on, keys, known_on in asker.ask(connection, _OUT, now):
        if (since := _late(left_on, known_on, now)) is not None:
            yield FindingView.about(subject, OUT, left_on, since=since, facts=keys)


def _in(connection: Connection, asker: Asker, now: Today) -> Iterator[FindingView]:
    for subject, came_from, received_on, known_on in asker.ask(connection, _IN, now):
        if (since := _late(received_on, known_on, now)) is not None:
            detail = f"said to come from {came_from}"
            yield FindingView.about(subject, IN, received_on, since=since, facts=_ARRIVED, detail=detail)


def _perhaps_twice(connection: Connection, asker: Asker, now: Today) -> Iterator[FindingView]:
    for origin, subject, asked_on, taken_as, known_on in asker.ask(connection, _PERHAPS_TWICE, now):
        if (since := _late(asked_on, known_on, now)) is not None:
            detail = f"{subject} of {origin} may be the same"
            yield FindingView.about(taken_as, PERHAPS_TWICE, asked_on, since=since, facts=("imposed",), detail=detail)


def _twice(connection: Connection, asker: Asker, now: Today) -> Iterator[FindingView]:
    for subject, imposed_on, other, since in asker.ask(connection, _TWICE, now):
        detail = f"the other one is an order of {other}"
        yield FindingView.about(subject, TWICE, imposed_on or since, since=since, facts=_ARRIVED, detail=detail)


def _out_twice(connection: Connection, asker: Asker, now: Today) -> Iterator[FindingView]:
    for subject, imposed_on, others, since in asker.ask(connection, _OUT_TWICE, now):
        detail = f"said to have come from it by {', '.join(others)}"
        yield FindingView.about(subject, OUT_TWICE, imposed_on or since, since=since, facts=("ended",), detail=detail)


def _circle(connection: Connection, asker: Asker, now: Today) -> Iterator[FindingView]:
    for subject, imposed_on, other, since in asker.ask(connection, _CIRCLE, now):
        detail = f"said to come from {other}, which is said to come from it"
        yield FindingView.about(subject, CIRCLE, imposed_on or since, since=since, facts=_ARRIVED, detail=detail)


_ARRIVED = ("transferred_in",)
_MATCHING: dict[str, Callable[[Connection, Asker, Today], Iterator[FindingView]]] = {
    OUT.code: _out,
    IN.code: _in,
    PERHAPS_TWICE.code: _perhaps_twice,
    TWICE.code: _twice,
    OUT_TWICE.code: _out_twice,
    CIRCLE.code: _circle,
}


def _for_itself(code: str) -> Compared:
    def found(connection: Connection, authority: str, now: Today, subjects: Subjects) -> Iterable[FindingView]:
        return _MATCHING[code](connection, Asker(authority, subjects=subjects), now)

    return found


UNMATCHED: Mapping[str, Compared] = {code: _for_itself(code) for code in _MATCHING}
"""By rule: transfers of an authority that the two sides have not both reported in time, and transfers that contradict one another."""


def whole_matching(connection: Connection, authority: str, now: Today) -> list[FindingView]:
    """Return every transfer of the authority that does not match, also by records that do not name it: for inspectors."""
    asker = Asker(authority, whole=True)
    return [finding for find in _MATCHING.values() for finding in find(connection, asker, now)]


_TAKEN_BY = text(
    "SELECT authority, subject FROM (SELECT authority, subject FROM naming_us WHERE came_from = :reference LIMIT :claimed) i "
    "ORDER BY authority, subject"
)
_LEFT = text(
    "SELECT left_on IS NOT NULL AND EXISTS (SELECT FROM json_each(facts) f WHERE f.key LIKE 'transfer/%' "
    "AND f.value -> 3 ->> 'to' = ANY(:codes)) FROM naming_us WHERE authority = :origin AND subject = :subject"
)


def other_sides(connection: Connection, authority: str, subject: str, record: Record) -> list[OtherSide]:
    """Return what other authorities report of the order."""
    sides = []
    arrived = fact(record, "transferred_in", TransferReceived)
    if arrived is not None:
        origin = current_code(arrived.from_)
        asked = {"origin": origin, "subject": arrived.from_subject, "codes": codes_of(authority)}
        left = connection.scalar(_LEFT, asked)
        sides.append(OtherSide(direction="in", authority=origin, subject=arrived.from_subject, matched=bool(left)))
    taken = connection.execute(_TAKEN_BY, {"reference": f"{authority}/{subject}", "claimed": MOST_CLAIMED}).all()
    sides += [OtherSide(direction="out", authority=code, subject=there, matched=True) for code, there in taken]
    if not taken:
        accepted = {answer.ref for answer in facts(record, TransferAnswered) if answer.accepted}
        takers = [request.to for request in facts(record, TransferRequested) if request.ref in accepted]
        sides += [OtherSide(direction="out", authority=current_code(to), subject=None, matched=False) for to in takers]
    return sides
