"""The outcomes of an authority's events, and its refused events as they came."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection, Engine, Row, Select, false, func, select, text, tuple_

from contracts.events import AUTHORITY_SUBJECT, Topic
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
from services.records.api.receipts.held_facts import HeldFacts, held_facts_of
from services.records.ingest.guarding import parking
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import arrivals, cells, records, refused_days, rejections, shards
from services.records.model.record import WITHDRAWN, Outcome

LAST_OFFSET = 2**63 - 1
"""The largest offset that Kafka and PostgreSQL can hold."""


def router(kind: Topic, database: Engine) -> APIRouter:
    """Return the routes by which an authority sees what the platform holds of its events."""
    routes = APIRouter(prefix="/v1", tags=["receipts"], route_class=Written)

    @routes.get("/events/{event_id:path}", summary="What became of an event", responses=documented(404))
    def get_event(event_id: Word, authority: OwnAuthority) -> EventStory:
        ours = (arrivals.c.event_id == event_id) & (arrivals.c.authority == authority)
        refused = (
            (rejections.c.topic == topic_of(kind, authority)) & (rejections.c.offset == arrivals.c.offset)
        )  # fmt: skip
        query = (
            select(arrivals, rejections.c.reason, rejections.c.path, rejections.c.message)
            .outerjoin(rejections, refused)
            .where(ours)
            .order_by(arrivals.c.offset.desc())
            .limit(100)
        )
        with transaction(database) as connection:
            rows = connection.execute(query).all()
            counted = 0 if rows else _number_counted(connection, authority)
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
        page = _page(_refused(authority, reason, is_open), after, since).limit(limit)
        with transaction(database) as connection:
            rows = connection.execute(_begun_within(PAGE_BYTES, page, forwards=since is not None)).all()
            counted = [] if is_open is False else _counted(connection, authority, reason)
        last = str(rows[-1].offset) if rows and (len(rows) == limit or rows[-1].following) else None
        if since is not None:
            last = str(rows[-1].offset + 1 if rows else since)
        watching.show((), len(rows))
        return KeptRejections(rejections=[_kept(row) for row in rows], counted=counted, next=last)

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


def _number_counted(connection: Connection, authority: str) -> int:
    query = select(func.coalesce(func.sum(refused_days.c.counted), 0)).where(refused_days.c.authority == authority)
    return int(connection.scalar(query) or 0)


def _counted(connection: Connection, authority: str, reason: Reason | None) -> list[CountedRejections]:
    """Return the latest refused events that are only counted, by day and reason."""
    of = refused_days.c
    query = select(refused_days).where(of.authority == authority, of.counted > 0).order_by(of.day.desc(), of.reason)
    if reason is not None:
        query = query.where(of.reason == str(reason))
    return [
        CountedRejections(
            day=row.day, reason=row.reason, number=row.counted, first_offset=row.first, last_offset=row.last
        )
        for row in connection.execute(query.limit(100))
    ]


def _refused(authority: str, reason: Reason | None, is_open: bool | None) -> Select[Any]:
    query = select(rejections).where(rejections.c.authority == authority)
    if reason is not None:
        query = query.where(rejections.c.reason == str(reason))
    if is_open is not None:
        query = query.where(rejections.c.mended_by.is_(None) if is_open else rejections.c.mended_by.is_not(None))
    return query


def _page(query: Select[Any], after: int | None, since: int | None) -> Select[Any]:
    """Order a page: from `since` on with the earliest first, or else back from `after` with the latest first."""
    if since is not None:
        return query.where(rejections.c.offset >= since).order_by(rejections.c.offset)
    begun = query if after is None else query.where(tuple_(rejections.c.offset) < tuple_(after))
    return begun.order_by(rejections.c.offset.desc())


def _begun_within(most: int, page: Select[Any], *, forwards: bool) -> Select[Any]:
    """Cut a page to the rows that begin within `most` bytes of kept events, each with the offset of the row that follows it, if any."""
    found = page.subquery()
    order: Any = found.c.offset if forwards else found.c.offset.desc()
    size = func.coalesce(func.octet_length(found.c.value), 0)
    before = (func.sum(size).over(order_by=order) - size).label("before")
    following = func.lead(found.c.offset).over(order_by=order).label("following")
    measured = select(found, before, following).subquery()
    at: Any = measured.c.offset
    return select(measured).where(measured.c.before < most).order_by(at if forwards else at.desc())


_EMPTIED = text("NOT EXISTS (SELECT FROM json_each(records.facts) AS f WHERE f.value ->> 2 <> :withdrawn)").bindparams(
    withdrawn=WITHDRAWN
)
"""Whether nothing is left of an order: of each fact the latest statement is that it is withdrawn."""


def _held(connection: Connection, authority: str) -> Held:
    """Return how much the platform holds. Events are counted from cells, which add up to everything that arrived."""
    number = func.sum(cells.c.delta)
    counted = select(cells.c.category, number, func.min(cells.c.known_on)).where(
        cells.c.authority == authority, cells.c.measure == "events"
    )
    arrived = connection.execute(counted.group_by(cells.c.category)).all()
    events = {category: int(n) for category, n, _ in arrived}
    mine = select(func.count()).where(records.c.authority == authority, records.c.subject != AUTHORITY_SUBJECT)
    imposed, is_open = records.c.imposed_on.is_not(None), records.c.ended_on.is_(None)
    withdrawn = records.c.standing.contains({"withdrawn": True})
    # Each of the first two is counted from an index that holds nothing else.
    orders = connection.execute(
        select(
            mine.where(imposed).scalar_subquery().label("imposed"),
            mine.where(imposed, is_open).scalar_subquery().label("open"),
            mine.where(~imposed).scalar_subquery().label("others"),
            mine.where(~imposed, withdrawn).scalar_subquery().label("withdrawn"),
            mine.where(~imposed, func.coalesce(withdrawn, false()).is_(False), _EMPTIED)
            .scalar_subquery()
            .label("emptied"),
        )
    ).one()
    unmended = (rejections.c.authority == authority) & rejections.c.mended_by.is_(None)
    refused = connection.scalar(select(func.count()).select_from(rejections).where(unmended)) or 0
    heard = connection.scalar(select(shards.c.heard_at).where(shards.c.authority == authority))
    reasons = {category.removeprefix("reason="): n for category, n in events.items() if category.startswith("reason=")}
    return Held(
        events={str(outcome): events.get(f"outcome={outcome}", 0) for outcome in OUTCOMES},
        rejected={reason: n for reason, n in sorted(reasons.items()) if n},
        rejected_open=refused,
        rejected_counted=_number_counted(connection, authority),
        orders=orders.imposed + orders.others - orders.emptied,
        orders_open=orders.open,
        orders_ended=orders.imposed - orders.open,
        orders_withdrawn=orders.withdrawn,
        orders_not_imposed=orders.others - orders.withdrawn - orders.emptied,
        orders_emptied=orders.emptied,
        first_heard_on=min((day for *_, day in arrived), default=None),
        last_heard_at=heard,
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
