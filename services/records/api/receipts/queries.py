"""The queries about an authority's events: outcomes, refusals, counters, and how much is held."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, false, func, select, text, tuple_

from contracts.events import AUTHORITY_SUBJECT
from contracts.rejections import Reason
from services.records.ingest.tables import (
    arrivals,
    cells,
    checkpoints,
    counters,
    records,
    refused_days,
    rejections,
    shards,
)
from services.records.model.record import WITHDRAWN

MOST_ARRIVALS, MOST_COUNTED, MOST_SOURCES = 100, 100, 10_000


def story(connection: Connection, topic: str, authority: str, event_id: str) -> Sequence[Row[Any]]:
    """Return each arrival of an event, the latest first, with its refusal if it was refused."""
    refused = (rejections.c.topic == topic) & (rejections.c.offset == arrivals.c.offset)
    query = (
        select(arrivals, rejections.c.reason, rejections.c.path, rejections.c.message)
        .outerjoin(rejections, refused)
        .where((arrivals.c.event_id == event_id) & (arrivals.c.authority == authority))
        .order_by(arrivals.c.offset.desc())
        .limit(MOST_ARRIVALS)
    )
    return connection.execute(query).all()


def number_counted(connection: Connection, authority: str) -> int:
    """Return how many refused events are only counted."""
    query = select(func.coalesce(func.sum(refused_days.c.counted), 0)).where(refused_days.c.authority == authority)
    return int(connection.scalar(query) or 0)


def counted(connection: Connection, authority: str, reason: Reason | None) -> Sequence[Row[Any]]:
    """Return the latest refused events that are only counted, by day and reason."""
    of = refused_days.c
    query = select(refused_days).where(of.authority == authority, of.counted > 0).order_by(of.day.desc(), of.reason)
    if reason is not None:
        query = query.where(of.reason == str(reason))
    return connection.execute(query.limit(MOST_COUNTED)).all()


class Page(NamedTuple):
    """A page of refused events: from `since` on with the earliest first, or else back from `after` with the latest first."""

    after: int | None
    since: int | None
    limit: int
    most_bytes: int
    """Only rows that begin within so many bytes of kept events are on it."""


def refused(
    connection: Connection, authority: str, reason: Reason | None, is_open: bool | None, page: Page
) -> Sequence[Row[Any]]:
    """Return a page of refused events, each with the offset of the row that follows it, if any."""
    begun = _page(_refused(authority, reason, is_open), page.after, page.since).limit(page.limit)
    return connection.execute(_begun_within(page.most_bytes, begun, forwards=page.since is not None)).all()


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


def arrived(connection: Connection, authority: str) -> Mapping[str, tuple[int, date]]:
    """Return how many events arrived by category of the measure `events`, each with the first day on which any did."""
    query = select(cells.c.category, func.sum(cells.c.delta), func.min(cells.c.known_on)).where(
        cells.c.authority == authority, cells.c.measure == "events"
    )
    return {category: (int(n), day) for category, n, day in connection.execute(query.group_by(cells.c.category))}


class Orders(NamedTuple):
    """How many orders are held."""

    imposed: int
    open: int
    """Of those that are imposed."""
    others: int
    """Without an imposition."""
    withdrawn: int
    overfull: int
    """Not withdrawn, but too many facts of them were sent."""
    emptied: int
    """Nothing is left of them. Like those withdrawn or overfull, they are among the others."""


def orders(connection: Connection, authority: str) -> Orders:
    """Return how many orders are held of the authority."""
    mine = select(func.count()).where(records.c.authority == authority, records.c.subject != AUTHORITY_SUBJECT)
    imposed, is_open = records.c.imposed_on.is_not(None), records.c.ended_on.is_(None)
    withdrawn = func.coalesce(records.c.standing.contains({"withdrawn": True}), false())
    overfull = func.coalesce(records.c.standing.has_key("overfull"), false())
    # Each of the first two is counted from an index that holds nothing else.
    query = select(
        mine.where(imposed).scalar_subquery(),
        mine.where(imposed, is_open).scalar_subquery(),
        mine.where(~imposed).scalar_subquery(),
        mine.where(~imposed, withdrawn).scalar_subquery(),
        mine.where(~imposed, ~withdrawn, overfull).scalar_subquery(),
        mine.where(~imposed, ~withdrawn, _EMPTIED).scalar_subquery(),
    )
    return Orders(*connection.execute(query).one())


def number_open(connection: Connection, authority: str) -> int:
    """Return how many refused events no later one has corrected."""
    unmended = (rejections.c.authority == authority) & rejections.c.mended_by.is_(None)
    return connection.scalar(select(func.count()).select_from(rejections).where(unmended)) or 0


def heard_at(connection: Connection, authority: str) -> datetime | None:
    """Return when its last accepted event reached the log."""
    return connection.scalar(select(shards.c.heard_at).where(shards.c.authority == authority))


def taken(connection: Connection, wanted: Mapping[str, int]) -> bool:
    """Return whether everything before these offsets has been processed."""
    query = select(checkpoints.c.topic, checkpoints.c.next_offset).where(checkpoints.c.topic.in_(wanted))
    reached = {row.topic: row.next_offset for row in connection.execute(query)}
    return all(reached.get(topic, 0) >= end for topic, end in wanted.items())


def highest(connection: Connection, authority: str) -> list[tuple[str, int]]:
    """Return the system of each of its sources, with the highest number that came; at most ten thousand."""
    query = select(counters.c.system, counters.c.highest).where(counters.c.authority == authority)
    return [
        (system, number) for system, number in connection.execute(query.order_by(counters.c.system).limit(MOST_SOURCES))
    ]
