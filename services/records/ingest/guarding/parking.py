"""Parked authorities: the platform fails on one of their events, so it processes none of them for now. Nothing is lost.

The table `parks` holds the history; an authority's latest row is its present state.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from services.chassis.failures import Fenced, Refused
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.containment import Place
from services.records.ingest.tables import checkpoints, parks


class Action(StrEnum):
    """An event in the history of an authority."""

    PARKED = "parked"
    RETRIED = "retried"
    """An operator lets it be tried again, from where it stopped."""
    SKIPPED = "skipped"
    """An operator puts the event aside, so that the rest is processed."""


@dataclass(frozen=True, slots=True)
class Park:
    """One row of the history. `place` is None if no single event was the cause."""

    authority: str
    action: Action
    place: Place | None
    said: str
    by: str
    at: datetime


def parked(connection: Connection, authorities: Collection[str] | None = None) -> dict[str, Park]:
    """Return the authorities that are parked now, out of these or of all."""
    query = select(parks).ext(distinct_on(parks.c.authority)).order_by(parks.c.authority, parks.c.id.desc())
    if authorities is not None:
        query = query.where(parks.c.authority.in_(authorities))
    latest = _read(connection, query)
    return {park.authority: park for park in latest if park.action is Action.PARKED}


def history(connection: Connection) -> list[Park]:
    """Return everything that happened, the latest first."""
    return list(_read(connection, select(parks).order_by(parks.c.id.desc())))


def skipped(connection: Connection) -> set[Place]:
    """Return the places of events that operators have put aside."""
    query = select(parks).where(parks.c.action == Action.SKIPPED)
    return {park.place for park in _read(connection, query) if park.place is not None}


def park(connection: Connection, park: Park, position: int | None = None) -> None:
    """Park the authority. Raises Fenced if another worker has moved on from `position` and now owns it."""
    if park.place is not None:
        source = park.place.source
        now = select(checkpoints.c.next_offset).where(
            checkpoints.c.topic == source.topic, checkpoints.c.partition == source.partition
        )
        if connection.scalar(now.with_for_update()) != position:
            raise Fenced(f"{source.topic} is not where this worker left it")
    _note(connection, park)


def release(connection: Connection, authority: str, action: Action, by: str, why: str, now: datetime) -> Park:
    """Process the authority's events again, or all but the one that failed. Raises Refused if that is impossible."""
    connection.execute(text("LOCK TABLE parks IN SHARE ROW EXCLUSIVE MODE"))
    held = parked(connection, [authority]).get(authority)
    if held is None:
        raise Refused(f"{authority} is not parked")
    if action is Action.SKIPPED and held.place is None:
        raise Refused(
            f"{authority} was parked by no single event, so there is none to skip: correct the cause that it names, then retry"
        )
    after = Park(authority, action, held.place, why, by, now)
    _note(connection, after)
    return after


def _note(connection: Connection, park: Park) -> None:
    place = park.place
    connection.execute(
        parks.insert().values(
            authority=park.authority,
            action=str(park.action),
            topic=place.source.topic if place else None,
            partition=place.source.partition if place else None,
            offset=place.offset if place else None,
            said=park.said,
            by=park.by,
            at=park.at,
        )
    )


def _read(connection: Connection, query: Select[Any]) -> Iterator[Park]:
    for row in connection.execute(query):
        place = None if row.topic is None else Place(TopicPartition(row.topic, row.partition), row.offset)
        yield Park(row.authority, Action(row.action), place, row.said, row.by, row.at)
