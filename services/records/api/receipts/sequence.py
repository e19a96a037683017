"""The last sequence number of each source, so that a sender that has lost its counter can go on from it."""

import asyncio
from collections.abc import Callable, Collection, Mapping

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool

from contracts.events import Topic
from contracts.topics import topic_of
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api.receipts import queries

Ends = Callable[[Collection[str]], Mapping[str, int]]
"""The offset after the last record of each topic. Raises Away."""
TRIES, PAUSE_SECONDS = 50, 0.1


class Counter(Schema, description="The counter of one source."):
    source: str = Field(description="As in events, with the authority's current code.")
    highest: int = Field(description="The highest number that came, in an event that was accepted or refused.")


class Counters(Schema, description="The counters of an authority's sources, at most 10,000 of them."):
    sources: list[Counter]


def router(database: Engine, ends: Ends, tries: int = TRIES) -> APIRouter:
    """Return the route that tells an authority's systems the next sequence number."""
    routes = APIRouter(prefix="/v1", tags=["receipts"], route_class=Written)

    def look(authority: str, wanted: Mapping[str, int]) -> Counters | None:
        with transaction(database) as connection:
            return _counters(connection, authority) if queries.taken(connection, wanted) else None

    @routes.get(
        "/sequence",
        summary="The highest number of each source's own counter",
        description="Covers everything in the log at the time of the request. Answers 503 until that has been processed.",
        responses=documented(503),
    )
    async def get_sequence(authority: OwnAuthority) -> Counters:
        wanted = await run_in_threadpool(ends, [topic_of(kind, authority) for kind in Topic])
        for _ in range(tries):
            found = await run_in_threadpool(look, authority, wanted)
            if found is not None:
                watching.show(())
                return found
            await asyncio.sleep(PAUSE_SECONDS)
        raise Problem(503, "Your events are still being processed: ask again", headers={"Retry-After": "1"})

    return routes


def _counters(connection: Connection, authority: str) -> Counters:
    rows = queries.highest(connection, authority)
    return Counters(sources=[Counter(source=_source(authority, system), highest=number) for system, number in rows])


def _source(authority: str, system: str) -> str:
    return f"/authorities/{authority}/systems/{system}" if system else f"/authorities/{authority}"
