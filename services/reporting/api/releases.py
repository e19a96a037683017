"""Releases and what moved between them; data quality; and word of every change."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine, func, select

from services.chassis.auth import Caller
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.problems import Problem, away
from services.reporting import quality, queries, releases
from services.reporting.api.parameters import day, json
from services.reporting.disclosure import Gate
from services.reporting.metadata import describe_frozen, describe_release
from services.reporting.periods import last_day, month_of, parse_first
from services.reporting.tables import checkpoints

MOST_CHANGES = 100_000
MOST_LISTENERS = 100
LOOK_EVERY_SECONDS = 1.0
SIGN_OF_LIFE_EVERY = 15


def router(database: Engine, clock: Clock) -> APIRouter:
    """`/v1/quality` and `/v1/releases`."""
    api = APIRouter(prefix="/v1", tags=["releases and quality"])

    @api.get("/quality", summary="Which authorities are complete, fresh or missing for a month")
    def quality_of_month(
        month: Annotated[str | None, Query(description="The month before this by default")] = None,
    ) -> Response:
        now = clock()
        asked_month = day(month, parse_first) or now.date().replace(day=1) - timedelta(days=1)
        with transaction(database) as connection:
            found = quality.standings(queries.shown(connection), last_day(month_of(asked_month)), now)
        return json({"month": f"{asked_month:%Y-%m}", "summary": quality.summary(found), "authorities": found})

    @api.get("/releases", summary="All releases, newest first")
    def list_of_releases(viewer: Caller) -> Response:
        with transaction(database) as connection:
            found = releases.all_releases(connection, viewer)
        return json({"releases": [describe_release(release) for release in found]})

    @api.get("/releases/{id}/changes", summary="What moved since the release before")
    def changes(id: str, viewer: Caller) -> Response:  # noqa: A002
        with transaction(database) as connection:
            try:
                release = releases.release_for(connection, viewer, id, None)
            except LookupError as fault:
                raise Problem(404, str(fault)) from None
            assert release is not None
            gate = Gate(viewer, releases.hidden_around(connection, release))
            found = gate.changes(releases.changes_of(connection, id, MOST_CHANGES))
        return json({"release": describe_frozen(release), "changes": found})

    return api


def changes_router(database: Engine) -> APIRouter:
    """`/v1/stream`."""
    api = APIRouter(prefix="/v1", tags=["figures"])
    listeners = asyncio.Semaphore(MOST_LISTENERS)

    @api.get("/stream", summary="Word of every change, as server-sent events. Holds no figures: ask for those.")
    async def stream() -> StreamingResponse:
        if listeners.locked():
            raise away()
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(_held(listeners, _events(database)), media_type="text/event-stream", headers=headers)

    return api


async def _held(listeners: asyncio.Semaphore, events: AsyncIterator[str]) -> AsyncIterator[str]:
    async with listeners:
        async for event in events:
            yield event


async def _events(database: Engine) -> AsyncIterator[str]:
    """An event whenever more was read, the first at once; a comment now and then, so that lost connections end."""
    last, idle = -1, 0
    while True:
        read = await asyncio.to_thread(_read_so_far, database)
        if read != last:
            last, idle = read, 0
            yield f"event: change\nid: {read}\ndata: {{}}\n\n"
        elif (idle := idle + 1) % SIGN_OF_LIFE_EVERY == 0:
            yield ": nothing new\n\n"
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _read_so_far(database: Engine) -> int:
    with transaction(database) as connection:
        return int(connection.scalar(select(func.coalesce(func.sum(checkpoints.c.next_offset), 0))) or 0)
