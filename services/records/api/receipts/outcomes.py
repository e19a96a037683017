"""The outcomes of an authority's events, and its refused events as they came."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection, Engine, Row

from contracts.events import Topic
from contracts.rejections import Reason
from contracts.topics import topic_of
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.records.api.intake_schemas import (
    CountedRejections,
    EventOutcome,
    EventStory,
    Held,
    KeptRejection,
    KeptRejections,
    Parked,
)
from services.records.api.paging import Word
from services.records.api.policies import PAGE_BYTES
from services.records.api.receipts import queries
from services.records.api.receipts.held_facts import HeldFacts, held_facts_of
from services.records.ingest.guarding import parking
from services.records.ingest.store import OUTCOMES
from services.records.model.record import Outcome

LAST_OFFSET = 2**63 - 1
"""The largest offset that Kafka and PostgreSQL can hold."""


def router(kind: Topic, database: Engine) -> APIRouter:
    """Return the routes by which an authority sees what the platform holds of its events."""
    routes = APIRouter(prefix="/v1", tags=["receipts"], route_class=Written)

    @routes.get("/events/{event_id:path}", summary="What became of an event", responses=documented(404))
    def get_event(event_id: Word, authority: OwnAuthority) -> EventStory:
        with transaction(database) as connection:
            rows = queries.story(connection, topic_of(kind, authority), authority, event_id)
            counted = 0 if rows else queries.number_counted(connection, authority)
        if not rows:
            raise Problem(404, _UNREAD + (_UNLESS.format(counted) if counted else ""))
        return EventStory(id=event_id, arrivals=[_outcome(topic_of(kind, authority), row) for row in rows])

    @routes.get("/rejections", summary="What was refused, as it came")
    def get_rejections(
        authority: OwnAuthority,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        after: Annotated[int | None, Query(description="`next` of the page before", ge=0, le=LAST_OFFSET)] = None,
        since: Annotated[
            int | None,
            Query(
                description="To follow: those from this offset on, the earliest first; ask again with `next`, which is then always present",
                ge=0,
                le=LAST_OFFSET,
            ),
        ] = None,
        reason: Reason | None = None,
        is_open: Annotated[
            bool | None,
            Query(
                alias="open",
                description="Only those that no later event with the same id has corrected, or only the corrected ones",
            ),
        ] = None,
    ) -> KeptRejections:
        if since is not None and after is not None:
            raise Problem(422, "Give either `since`, to follow forwards, or `after`, to page backwards")
        page = queries.Page(after, since, limit, PAGE_BYTES)
        with transaction(database) as connection:
            rows = queries.refused(connection, authority, reason, is_open, page)
            counted = [] if is_open is False else queries.counted(connection, authority, reason)
        last = str(rows[-1].offset) if rows and (len(rows) == limit or rows[-1].following) else None
        if since is not None:
            last = str(rows[-1].offset + 1 if rows else since)
        watching.show((), len(rows))
        return KeptRejections(
            rejections=[_kept(row) for row in rows], counted=[_counted(row) for row in counted], next=last
        )

    @routes.get("/held", summary="How much the platform holds about the authority")
    def get_held(authority: OwnAuthority) -> Held:
        with transaction(database) as connection:
            return _held(connection, authority)

    @routes.get("/held/facts", summary="What the accepted events say now: which of them count, and which were replaced")
    def get_held_facts(authority: OwnAuthority) -> HeldFacts:
        return held_facts_of(database, authority, kind)

    return routes


_UNREAD = "No event with this id has been read yet"
_UNLESS = ", unless it is one of {} refused events that are only counted"


def _counted(row: Row[Any]) -> CountedRejections:
    return CountedRejections(
        day=row.day, reason=row.reason, number=row.counted, first_offset=row.first, last_offset=row.last
    )


def _held(connection: Connection, authority: str) -> Held:
    """Return how much the platform holds. Events are counted from cells, which add up to everything that arrived."""
    arrived, orders = queries.arrived(connection, authority), queries.orders(connection, authority)
    events = {category: number for category, (number, _) in arrived.items()}
    reasons = {category.removeprefix("reason="): n for category, n in events.items() if category.startswith("reason=")}
    return Held(
        events={str(outcome): events.get(f"outcome={outcome}", 0) for outcome in OUTCOMES},
        rejected={reason: n for reason, n in sorted(reasons.items()) if n},
        rejected_open=queries.number_open(connection, authority),
        rejected_counted=queries.number_counted(connection, authority),
        orders=orders.imposed + orders.others - orders.emptied,
        orders_open=orders.open,
        orders_ended=orders.imposed - orders.open,
        orders_withdrawn=orders.withdrawn,
        orders_not_imposed=orders.others - orders.withdrawn - orders.overfull - orders.emptied,
        orders_overfull=orders.overfull,
        orders_emptied=orders.emptied,
        first_heard_on=min((day for _, day in arrived.values()), default=None),
        last_heard_at=queries.heard_at(connection, authority),
        parked=_parked(connection, authority),
    )


def _parked(connection: Connection, authority: str) -> Parked | None:
    held = parking.parked(connection, [authority]).get(authority)
    if held is None:
        return None
    place = held.place
    return Parked(since=held.at, topic=place and place.source.topic, offset=place and place.offset)


def _outcome(topic: str, row: Row[Any]) -> EventOutcome:
    return EventOutcome(
        topic=topic,
        partition=0,
        offset=row.offset,
        outcome=OUTCOMES[row.outcome],
        subject=row.subject,
        arrived_at=row.arrived_at,
        reason=row.reason,
        path=row.path,
        message=row.message,
    )


_REMEDY = "Nothing: the error is the platform's. It is sent through again once the error is corrected."


def _kept(row: Row[Any]) -> KeptRejection:
    text, coded = _readable(row.value)
    return KeptRejection(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        id=row.event_id,
        reason=row.reason,
        path=row.path,
        message=row.message,
        remedy=_REMEDY if row.reason == Outcome.PUT_ASIDE else Reason.of(row.reason).remedy,
        arrived_at=row.arrived_at,
        redriven_at=row.redriven_at,
        mended_by=row.mended_by,
        event=text,
        event_base64=coded,
    )


def _readable(value: bytes | None) -> tuple[str | None, str | None]:
    try:
        return (value or b"").decode(), None
    except UnicodeDecodeError:
        return None, b64encode(value or b"").decode()
